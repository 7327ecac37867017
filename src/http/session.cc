#include <boost/asio/post.hpp>

#include "http/session_internal.h"
#include "obs/log.h"

namespace reel::http {
namespace {

constexpr Refusal kMalformed{400, "malformed", "the request head is malformed"};
constexpr Refusal kHeadTooLarge{431, "header_too_large", "the request head is too large"};
constexpr Refusal kUrlTooLong{414, "url_too_long", "the request target is too long"};
constexpr Refusal kHeadTimeout{408, "header_timeout", "the request head did not arrive in time"};
constexpr Refusal kOverloaded{503, "in_flight", "too many requests are being served"};
constexpr Refusal kQueueFull{503, "worker_queue", "all workers are busy"};
constexpr Refusal kHandlerTimeout{504, "request_timeout", "the request took too long"};

//! A status that the edge chose for an answer gets the body that every error has.
void explain(const Edge& edge, Exchange& exchange) {
  api::Response& response = exchange.response;
  const bool range = response.status == 416;
  if ((!range && response.status != 412) || body_bytes(response) > 0) return;
  api::Response told = edge.app.refuse(
      response.status,
      range ? "the object has no bytes in this range" : "If-Match does not name what is there",
      exchange.request_id);
  for (const char* name : {"Content-Range", "Accept-Ranges"}) {
    if (const std::string* value = response.headers.find(name)) told.headers.set(name, *value);
  }
  response = std::move(told);
}

//! Calls the handler and finishes its answer, on whichever thread. Application promises not to
//! throw; memory may still run out.
void run_handler(const Edge& edge, Exchange& exchange) {
  const obs::TraceScope scope(exchange.request_id, exchange.trace, edge.options.tracer);
  try {
    // The handler may take the request apart, the answer still depends on its head.
    exchange.response = edge.app.handle(exchange.admission, exchange.request);
    finish_response(exchange.request.head, exchange.admission.compressible,
                    edge.options.gzip_bytes_min, exchange.response);
    explain(edge, exchange);
  } catch (const std::exception& error) {
    obs::log(obs::Level::error, "handler threw",
             {{"route", exchange.route}, {"what", error.what()}});
    exchange.response = edge.app.refuse(500, "internal error", exchange.request_id);
  }
}

//! Asks whether the request is welcome. An exchange that is not admitted has its answer then.
void admit(const Edge& edge, Exchange& exchange, auth::Patience patience) {
  const obs::TraceScope scope(exchange.request_id, exchange.trace, edge.options.tracer);
  auto admitted = edge.app.admit(exchange.request.head, patience);
  exchange.admitted = admitted.has_value();
  if (admitted) {
    exchange.admission = std::move(*admitted);
    exchange.route = exchange.admission.route;
  } else {
    exchange.response = std::move(admitted.error());
  }
}

}  // namespace

Session::Session(Edge& edge, IoThread& io, Socket socket, std::shared_ptr<asio::ssl::context> tls,
                 std::string peer)
    : edge_(edge),
      io_(io),
      transport_(std::move(socket), std::move(tls)),
      peer_(std::move(peer)),
      in_(edge.options.limits.header_bytes_max + 1),
      wake_(io.context().get_executor(), TimePoint::max()) {
  io_.add(*this);
}

Session::~Session() {
  io_.remove(*this);
  edge_.peers.remove(peer_);
  edge_.active_connections.add(-1);
  --edge_.connections;
}

Awaitable<void> Session::run() {
  const auto self = shared_from_this();
  if (transport_.tls()) {
    set_deadline(std::chrono::milliseconds(edge_.options.limits.tls_handshake_timeout_ms));
    if (const error_code error = co_await transport_.handshake()) {
      io_.metrics().rejected("tls_handshake");
      co_return;
    }
  }
  while (co_await serve_one()) {
  }
  if (!cut_) co_await linger();
  transport_.close();
}

void Session::set_deadline(std::chrono::milliseconds from_now) {
  timed_out_ = false;
  deadline_ = SteadyClock::now() + from_now;
}

void Session::check_deadline(TimePoint now) {
  if (now < deadline_) return;
  if (waits_idle_ && transport_.has_input()) return;  // it will be read in a moment
  timed_out_ = true;
  deadline_ = TimePoint::max();
  transport_.cancel();
  wake_.cancel();
}

void Session::begin_drain(TimePoint now) {
  // A request may be on its way already, whenever the last one was.
  if (waits_idle_) deadline_ = std::min(deadline_, now + kDrainGrace);
  if (!streams_) return;
  deadline_ = std::min(deadline_, now + kDrainGrace);  // of a write that the client does not take
  wake();
}

void Session::cut() {
  cut_ = true;
  transport_.close();
  wake_.cancel();
}

Awaitable<bool> Session::serve_one() {
  const HeadEnd end = co_await receive_head();
  waits_idle_ = false;
  no_deadline();
  switch (end) {
    case HeadEnd::closed: co_return false;
    case HeadEnd::malformed: co_return co_await refuse_head(kMalformed);
    case HeadEnd::too_large: co_return co_await refuse_head(kHeadTooLarge);
    case HeadEnd::url_too_large: co_return co_await refuse_head(kUrlTooLong);
    case HeadEnd::timeout: co_return co_await refuse_head(kHeadTimeout);
    case HeadEnd::complete: break;
  }
  const ServerLimits& limits = edge_.options.limits;
  auto parsed = parse_head(in_.view().substr(scanner_.head_begin(), scanner_.head_bytes()),
                           {limits.url_bytes_max, limits.header_fields_max});
  in_.consume(scanner_.head_begin() + scanner_.head_bytes());
  if (!parsed) co_return co_await refuse_head(parsed.error());
  in_flight_.emplace(edge_.in_flight);
  const bool goes_on = co_await serve_exchange(open_exchange(std::move(*parsed)));
  in_flight_.reset();
  stop_ = std::stop_source(std::nostopstate);
  if (++answered_in_a_row_ >= limits.pipelined_in_a_row_max) {
    answered_in_a_row_ = 0;
    co_await asio::post(io_.context().get_executor(), kAwait);
  }
  co_return goes_on;
}

//! Waits for a whole head in in_; scanner_ then knows where it is.
Awaitable<Session::HeadEnd> Session::receive_head() {
  const ServerLimits& limits = edge_.options.limits;
  scanner_ = HeadScanner();
  bool begun = false;
  while (true) {
    const auto outcome = scanner_.scan(in_.view());
    if (outcome == HeadScanner::Outcome::malformed) co_return HeadEnd::malformed;
    if (outcome == HeadScanner::Outcome::complete) {
      co_return scanner_.head_bytes() > limits.header_bytes_max ? HeadEnd::too_large
                                                                : HeadEnd::complete;
    }
    if (in_.full()) {
      co_return scanner_.has_request_line() ? HeadEnd::too_large : HeadEnd::url_too_large;
    }
    if (!in_.empty() && !begun) {
      begun = true;
      set_deadline(std::chrono::milliseconds(limits.header_timeout_ms));
    }
    const HeadEnd end = co_await read_more(!begun);
    if (end != HeadEnd::complete) co_return end;
  }
}

//! Adds bytes to in_. An idle connection holds no buffer while it waits.
Awaitable<Session::HeadEnd> Session::read_more(bool idle) {
  if (idle) {
    answered_in_a_row_ = 0;
    in_.release_if_empty();
    waits_idle_ = true;
    set_deadline(edge_.draining ? kDrainGrace
                                : std::chrono::milliseconds(edge_.options.limits.idle_timeout_ms));
    if (const error_code error = co_await transport_.wait_readable()) co_return HeadEnd::closed;
  }
  IoResult got = transport_.try_read(in_.space());
  if (got.error == asio::error::would_block) got = co_await transport_.read_some(in_.space());
  if (got.error) co_return timed_out_ && !idle ? HeadEnd::timeout : HeadEnd::closed;
  in_.commit(got.bytes);
  waits_idle_ = false;
  co_return HeadEnd::complete;
}

Session::ExchangePtr Session::open_exchange(ParsedHead parsed) {
  auto exchange = std::make_shared<Exchange>();
  exchange->started = SteadyClock::now();
  exchange->http_1_1 = parsed.http_1_1;
  exchange->keep_alive = parsed.keep_alive;
  exchange->expects_continue = parsed.expects_continue;
  api::RequestHead& head = exchange->request.head;
  head = std::move(parsed.head);
  head.peer = peer_;
  head.tls = transport_.tls();
  const std::string* id = head.headers.find("X-Request-Id");
  head.request_id = obs::choose_request_id(id != nullptr ? std::string_view(*id) : "");
  exchange->request_id = head.request_id;
  exchange->method = head.method;
  const std::string* parent = head.headers.find("traceparent");
  auto known = parent != nullptr ? obs::TraceContext::parse(*parent) : std::nullopt;
  exchange->trace = known ? known->child() : obs::TraceContext::start();
  if (known) {
    exchange->parent_span_id = std::move(known->span_id);
  } else if (edge_.options.tracer != nullptr) {
    exchange->trace.sampled = edge_.options.tracer->samples(exchange->trace.trace_id);
  }
  begin_body(*exchange);
  return exchange;
}

//! True when the connection serves another request.
Awaitable<bool> Session::serve_exchange(ExchangePtr exchange) {
  const api::RequestHead& head = exchange->request.head;
  if (auto preflight = preflight_answer(edge_.options.cors, head)) {
    exchange->response = std::move(*preflight);
    exchange->route = "preflight";
    co_return co_await answer(exchange);
  }
  if (in_flight_->now() > edge_.options.limits.in_flight_max) {
    co_return co_await refuse(exchange, kOverloaded);
  }
  admit(edge_, *exchange, auth::Patience::none);
  if (exchange->admission.undecided) {
    const Job job =
        start_job([&edge = edge_, exchange] { admit(edge, *exchange, auth::Patience::some); });
    if (!job) co_return co_await refuse(exchange, kQueueFull);
    if (!co_await wait_for(job)) co_return co_await give_up(exchange);
  }
  if (!exchange->admitted) co_return co_await answer(exchange);
  if (exchange->admission.sink) co_return co_await receive_streamed(exchange);
  if (!body_done() || exchange->expects_continue) co_return co_await receive_buffered(exchange);
  co_return co_await handle(exchange);
}

//! The body is there: calls the handler and answers.
Awaitable<bool> Session::handle(ExchangePtr exchange) {
  if (exchange->admission.inline_read) {
    run_handler(edge_, *exchange);
    co_return co_await answer(exchange);
  }
  if (exchange->admission.stoppable) {
    stop_ = std::stop_source();
    exchange->request.stop = stop_.get_token();
  }
  const Job job = start_job([&edge = edge_, exchange] { run_handler(edge, *exchange); });
  if (!job) co_return co_await refuse(exchange, kQueueFull);
  if (co_await wait_for(job)) co_return co_await answer(exchange);
  co_return co_await give_up(exchange);
}

//! Answers 504 while the worker still has the exchange.
Awaitable<bool> Session::give_up(ExchangePtr abandoned) {
  if (cut_) co_return false;
  // The worker owns the exchange until its job ends: only what no job changes may be read.
  auto exchange = std::make_shared<Exchange>();
  exchange->method = abandoned->method;
  exchange->request_id = abandoned->request_id;
  exchange->trace = abandoned->trace;
  exchange->parent_span_id = abandoned->parent_span_id;
  exchange->started = abandoned->started;
  exchange->route = abandoned->route;
  exchange->keep_alive = false;
  co_return co_await refuse(exchange, kHandlerTimeout);
}

//! Answers a head that could not be read as a request; always false: what follows it is unknown.
Awaitable<bool> Session::refuse_head(Refusal refusal) {
  auto exchange = std::make_shared<Exchange>();
  exchange->started = SteadyClock::now();
  exchange->request_id = obs::choose_request_id("");
  exchange->trace = obs::TraceContext::start();
  exchange->readable = false;
  exchange->keep_alive = false;
  chunked_ = false;
  body_left_ = 0;
  co_return co_await refuse(exchange, refusal);
}

Awaitable<bool> Session::refuse(ExchangePtr exchange, Refusal refusal) {
  io_.metrics().rejected(refusal.reason);
  exchange->response = edge_.app.refuse(refusal.status, refusal.message, exchange->request_id);
  if (refusal.status == 503) exchange->response.headers.set("Retry-After", "1");
  co_return co_await answer(exchange);
}

Session::Job Session::start_job(std::function<void()> work) {
  auto done = std::make_shared<bool>(false);
  // Only its I/O thread turns the weak reference into a strong one, so that a session never dies
  // on a worker. SAFETY: the I/O thread outlives all workers.
  auto run = [session = weak_from_this(), &home = io_.context(), done,
              work = std::move(work)]() mutable {
    work();
    work = nullptr;
    asio::post(home, [session = std::move(session), done = std::move(done)] {
      *done = true;
      if (const auto alive = session.lock()) alive->wake();
    });
  };
  if (!edge_.workers.submit(std::move(run))) return nullptr;
  return done;
}

Awaitable<bool> Session::wait_for(Job job) {
  set_deadline(std::chrono::milliseconds(edge_.options.limits.request_timeout_ms));
  if (stop_.stop_possible() && !co_await peer_stays_until(job)) stop_.request_stop();
  while (!*job && !timed_out_ && !cut_) {
    error_code cancelled;
    co_await wake_.async_wait(asio::redirect_error(kAwait, cancelled));
  }
  no_deadline();
  if (!*job) stop_.request_stop();
  co_return *job;
}

void Session::wake() {
  if (watches_peer_) transport_.cancel();
  wake_.cancel();
}

}  // namespace reel::http
