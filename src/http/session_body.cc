#include <algorithm>
#include <limits>

#include "api/problem.h"
#include "http/session_internal.h"
#include "obs/log.h"

namespace reel::http {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr std::size_t kReadBytesMax = 128 * 1024;
constexpr std::chrono::milliseconds kBusyPause{5};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr Refusal kMalformedBody{400, "malformed_body", "the chunked body is malformed"};
constexpr Refusal kBodyTooLarge{413, "body_too_large", "the body is larger than allowed here"};
constexpr Refusal kBodyTooSlow{408, "body_timeout", "the body arrived too slowly"};
constexpr Refusal kNoWorker{503, "worker_queue", "all workers are busy"};

//! One piece into the sink, on a worker.
void append_piece(const Edge& edge, Exchange& exchange) {
  const obs::TraceScope scope(exchange.request_id, exchange.trace, edge.options.tracer);
  try {
    exchange.appended = exchange.admission.sink->append(as_bytes(exchange.piece));
  } catch (const std::exception& error) {
    exchange.appended = internal("sink threw: {}", error.what());
  }
}

//! The end of an upload, on a worker.
void finish_sink(const Edge& edge, Exchange& exchange) {
  const obs::TraceScope scope(exchange.request_id, exchange.trace, edge.options.tracer);
  try {
    exchange.response = exchange.admission.sink->finish();
    exchange.admission.sink.reset();
  } catch (const std::exception& error) {
    obs::log(obs::Level::error, "sink threw", {{"what", error.what()}});
    exchange.response = edge.app.refuse(500, "internal error", exchange.request_id);
  }
}

}  // namespace

void Session::begin_body(const Exchange& exchange) {
  const api::RequestHead& head = exchange.request.head;
  chunked_ = head.chunked;
  body_left_ = head.content_length.value_or(0);
  if (chunked_) decoder_ = ChunkedDecoder();
}

//! Reads the body into the request, then goes on to the handler.
Awaitable<bool> Session::receive_buffered(ExchangePtr exchange) {
  const std::uint64_t bytes_max = exchange->admission.body_bytes_max;
  if (body_left_ > bytes_max) co_return co_await refuse(exchange, kBodyTooLarge);
  if (!co_await say_continue(exchange.get())) co_return false;
  std::string& body = exchange->request.body;
  // One byte more than allowed shows that a chunked body is too large.
  constexpr std::uint64_t kMost = std::numeric_limits<std::size_t>::max() - 1;
  BodyEnd end = co_await fill(&body, static_cast<std::size_t>(std::min(bytes_max, kMost)) + 1);
  if (body.size() > bytes_max) end = BodyEnd::too_large;
  if (end != BodyEnd::complete) co_return co_await refuse_body(exchange, end);
  co_return co_await handle(exchange);
}

//! Streams the body into the admission's sink, whose finish() is the answer.
Awaitable<bool> Session::receive_streamed(ExchangePtr exchange) {
  if (body_left_ > exchange->admission.body_bytes_max) {
    drop_sink(*exchange);
    co_return co_await refuse(exchange, kBodyTooLarge);
  }
  if (!co_await say_continue(exchange.get())) co_return false;
  const BodyEnd end = co_await pump(exchange);
  if (end == BodyEnd::abandoned) co_return co_await give_up(exchange);
  if (!exchange->appended) {
    drop_sink(*exchange);
    co_return co_await refuse_error(exchange, &exchange->appended.error());
  }
  if (end != BodyEnd::complete) {
    drop_sink(*exchange);
    co_return co_await refuse_body(exchange, end);
  }
  const Job job =
      co_await start_job_patiently([&edge = edge_, exchange] { finish_sink(edge, *exchange); });
  if (!job) {
    drop_sink(*exchange);
    co_return co_await refuse(exchange, kNoWorker);
  }
  if (!co_await wait_for(job)) co_return co_await give_up(exchange);
  co_return co_await answer(exchange);
}

//! Moves the body into the sink: one piece is appended while the next one is read.
//! INVARIANT: on return no job uses the exchange, unless the end is `abandoned`.
Awaitable<Session::BodyEnd> Session::pump(ExchangePtr exchange) {
  const TimePoint began = SteadyClock::now();
  std::string filling = io_.take_buffer(0);
  std::uint64_t total = 0;
  Job job;
  BodyEnd end = BodyEnd::more;
  while (end == BodyEnd::more) {
    filling.clear();
    end = co_await fill(&filling, kPieceBytes);
    total += filling.size();
    if (total > exchange->admission.body_bytes_max) end = BodyEnd::too_large;
    if (job && !co_await wait_for(job)) co_return BodyEnd::abandoned;
    job = nullptr;
    if (!exchange->appended) break;
    if ((end != BodyEnd::more && end != BodyEnd::complete) || filling.empty()) break;
    std::swap(filling, exchange->piece);
    job =
        co_await start_job_patiently([&edge = edge_, exchange] { append_piece(edge, *exchange); });
    if (!job) end = BodyEnd::no_worker;
  }
  if (job && !co_await wait_for(job)) co_return BodyEnd::abandoned;
  record_part(*exchange, "receive body", "http.request.body.size", began, total);
  io_.give_buffer(std::move(filling));
  io_.give_buffer(std::move(exchange->piece));
  co_return end;
}

//! Appends body bytes to `out` until it has `bytes_max` (`more`) or the body ends (`complete`).
Awaitable<Session::BodyEnd> Session::fill(std::string* out, std::size_t bytes_max) {
  set_deadline(std::chrono::milliseconds(edge_.options.limits.body_grace_ms));
  BodyEnd end;
  if (chunked_) {
    end = co_await fill_chunked(out, bytes_max);
  } else {
    end = co_await fill_counted(out, bytes_max);
  }
  no_deadline();
  co_return end;
}

Awaitable<Session::BodyEnd> Session::fill_counted(std::string* out, std::size_t bytes_max) {
  while (body_left_ > 0) {
    if (out->size() >= bytes_max) co_return BodyEnd::more;
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes_max - out->size()));
    if (!in_.empty()) {
      const std::size_t count = std::min(wanted, in_.size());
      out->append(in_.view().substr(0, count));
      in_.consume(count);
      body_left_ -= count;
      continue;
    }
    const std::size_t before = out->size();
    out->resize(before + std::min(wanted, kReadBytesMax));
    const IoResult got =
        co_await read_body_bytes(asio::buffer(out->data() + before, out->size() - before));
    out->resize(before + got.bytes);
    if (got.error) co_return timed_out_ ? BodyEnd::timeout : BodyEnd::closed;
    body_left_ -= got.bytes;
  }
  co_return BodyEnd::complete;
}

Awaitable<Session::BodyEnd> Session::fill_chunked(std::string* out, std::size_t bytes_max) {
  while (true) {
    const auto taken = decoder_.feed(in_.view(), *out, bytes_max);
    if (!taken) co_return BodyEnd::malformed;
    in_.consume(*taken);
    if (decoder_.done()) co_return BodyEnd::complete;
    if (out->size() >= bytes_max) co_return BodyEnd::more;
    const IoResult got = co_await read_body_bytes(in_.space());
    if (got.error) co_return timed_out_ ? BodyEnd::timeout : BodyEnd::closed;
    in_.commit(got.bytes);
  }
}

//! Reads and moves the deadline: every byte earns time at the minimum rate, up to the grace.
Awaitable<IoResult> Session::read_body_bytes(asio::mutable_buffer into) {
  IoResult got = transport_.try_read(into);
  if (got.error == asio::error::would_block) got = co_await transport_.read_some(into);
  const ServerLimits& limits = edge_.options.limits;
  const auto earned =
      std::chrono::microseconds(got.bytes * 1'000'000 / limits.body_min_bytes_per_second);
  deadline_ = std::min(deadline_ + earned,
                       SteadyClock::now() + std::chrono::milliseconds(limits.body_grace_ms));
  co_return got;
}

//! `100 Continue` when the client waits for it. False when it could not be sent.
Awaitable<bool> Session::say_continue(const Exchange* exchange) {
  if (!exchange->expects_continue || !in_.empty() || body_done()) co_return true;
  co_return co_await write_all({asio::buffer(kContinue), asio::const_buffer()});
}

Awaitable<bool> Session::refuse_body(ExchangePtr exchange, BodyEnd end) {
  exchange->keep_alive = false;
  switch (end) {
    case BodyEnd::malformed: co_return co_await refuse(exchange, kMalformedBody);
    case BodyEnd::too_large: co_return co_await refuse(exchange, kBodyTooLarge);
    case BodyEnd::timeout: co_return co_await refuse(exchange, kBodyTooSlow);
    case BodyEnd::no_worker: co_return co_await refuse(exchange, kNoWorker);
    case BodyEnd::closed: io_.metrics().rejected("body_closed"); co_return false;
    case BodyEnd::complete:
    case BodyEnd::more:
    case BodyEnd::abandoned: break;
  }
  co_return false;
}

//! Answers with what a sink said was wrong.
Awaitable<bool> Session::refuse_error(ExchangePtr exchange, const Error* error) {
  {
    const obs::TraceScope scope(exchange->request_id, exchange->trace);
    exchange->response = api::problem(*error, exchange->request_id, system_clock());
  }
  co_return co_await answer(exchange);
}

//! As start_job(), but waits for room in the queue: an upload that has begun is worth a pause.
Awaitable<Session::Job> Session::start_job_patiently(std::function<void()> work) {
  const TimePoint give_up_at =
      SteadyClock::now() + std::chrono::milliseconds(edge_.options.limits.request_timeout_ms);
  while (true) {
    if (Job job = start_job(work)) co_return job;
    if (cut_ || SteadyClock::now() > give_up_at) co_return nullptr;
    Timer pause(io_.context().get_executor(), kBusyPause);
    error_code ignored;
    co_await pause.async_wait(asio::redirect_error(kAwait, ignored));
  }
}

//! Reads what is left of a small body that nobody wants. True when the connection can go on.
Awaitable<bool> Session::discard_body() {
  std::string dropped;
  const std::size_t bytes_max = edge_.options.limits.refused_body_bytes_max;
  co_return co_await fill(&dropped, bytes_max) == BodyEnd::complete;
}

//! Undoes an upload on a worker: it may have files to remove.
void Session::drop_sink(Exchange& exchange) {
  std::shared_ptr<api::BodySink> sink = std::move(exchange.admission.sink);
  // When the queue is full, it is undone here.
  (void)edge_.workers.submit([sink = std::move(sink)]() mutable { sink.reset(); });
}

}  // namespace reel::http
