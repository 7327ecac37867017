#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "http/request_span_internal.h"
#include "http/session_internal.h"
#include "obs/log.h"

namespace reel::http {
namespace {

//! 64 to 256 kB are equally fast on loopback, and on a par with nginx's sendfile.
constexpr std::size_t kFilePieceBytes = 128 * 1024;

//! Bytes read; 0 at the end of the file or on an error, which is the same to the client.
std::size_t read_at(const api::FileBody& file, std::uint64_t done, std::string& piece) {
  std::size_t filled = 0;
  const std::uint64_t wanted = std::min<std::uint64_t>(piece.size(), file.length - done);
  while (filled < wanted) {
    const ssize_t got = ::pread(file.descriptor, piece.data() + filled, wanted - filled,
                                static_cast<off_t>(file.offset + done + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

//! Only what is in the page cache already, possibly nothing: never waits for a disk.
std::size_t read_cached(const api::FileBody& file, std::uint64_t done, std::string& piece) {
  iovec target{piece.data(),
               static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), file.length - done))};
  const ssize_t got =
      ::preadv2(file.descriptor, &target, 1, static_cast<off_t>(file.offset + done), RWF_NOWAIT);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace

//! Sends exchange->response. True when the connection serves another request.
Awaitable<bool> Session::answer(ExchangePtr exchange) {
  const ServerLimits& limits = edge_.options.limits;
  const bool unread = !body_done();
  // A body that nobody reads is dropped when it is small and certain to come.
  if (unread &&
      (chunked_ || exchange->expects_continue || body_left_ > limits.refused_body_bytes_max)) {
    exchange->keep_alive = false;
  }
  if (edge_.draining) exchange->keep_alive = false;
  api::Response& response = exchange->response;
  // What a stream ends on HTTP/1.0, and a body that nobody read may be what ends it.
  if (is_stream(response) && (!exchange->http_1_1 || unread)) exchange->keep_alive = false;
  lingers_ = !exchange->keep_alive;
  add_cors_headers(edge_.options.cors, exchange->request.head, response.headers);
  const std::string traceparent = exchange->trace.to_traceparent();
  std::string head =
      head_text({exchange->method, exchange->http_1_1, exchange->keep_alive, transport_.tls(),
                 io_.date(), edge_.options.server_name, exchange->request_id, traceparent},
                response);
  const bool body = sends_body(exchange->method, response);
  if (body && is_stream(response)) co_return co_await send_stream(exchange, std::move(head));
  bool sent = false;
  if (body && std::holds_alternative<api::FileBody>(response.body)) {
    sent = co_await send_file(exchange, std::move(head));
  } else {
    sent = co_await send_text(exchange, std::move(head));
  }
  record(*exchange, sent);
  if (!sent || !exchange->keep_alive) co_return false;
  if (unread) co_return co_await discard_body();
  co_return true;
}

Awaitable<bool> Session::send_text(ExchangePtr exchange, std::string head) {
  asio::const_buffer body;
  const auto* text = std::get_if<std::string>(&exchange->response.body);
  if (text != nullptr && sends_body(exchange->method, exchange->response)) {
    body = asio::buffer(*text);
  }
  co_return co_await write_all({asio::buffer(head), body});
}

Awaitable<bool> Session::send_file(ExchangePtr exchange, std::string head) {
  const TimePoint began = SteadyClock::now();
  const api::FileBody& file = std::get<api::FileBody>(exchange->response.body);
  std::string piece = io_.take_buffer(kFilePieceBytes);
  asio::const_buffer before = asio::buffer(head);
  bool sent = true;
  std::uint64_t done = 0;
  do {
    const std::size_t count = file.length > 0 ? co_await read_file(exchange, &piece, done) : 0;
    if (count == 0 && file.length > 0) {
      obs::log(obs::Level::error, "a file is shorter than its answer",
               {{"route", exchange->route}, {"missing", file.length - done}});
      sent = false;
      break;
    }
    sent = co_await write_all({before, asio::buffer(piece.data(), count)});
    before = {};
    done += count;
  } while (sent && done < file.length);
  record_part(*exchange, "send body", "http.response.body.size", began, done);
  io_.give_buffer(std::move(piece));
  co_return sent;
}

//! The next bytes of the file: from the page cache here, from the disk on a worker.
Awaitable<std::size_t> Session::read_file(ExchangePtr exchange, std::string* piece,
                                          std::uint64_t done) {
  const api::FileBody& file = std::get<api::FileBody>(exchange->response.body);
  if (const std::size_t cached = read_cached(file, done, *piece)) co_return cached;
  // The job owns what it touches, in case the session is cut meanwhile.
  auto read = std::make_shared<std::pair<std::string, std::size_t>>(std::move(*piece), 0);
  const Job job = start_job([read, exchange, done] {
    const auto& body = std::get<api::FileBody>(exchange->response.body);
    read->second = read_at(body, done, read->first);
  });
  if (!job) {
    read->second = read_at(file, done, read->first);
  } else if (!co_await wait_for(job)) {
    co_return 0;
  }
  *piece = std::move(read->first);
  co_return read->second;
}

std::chrono::milliseconds Session::stall_timeout() const {
  if (streams_ && edge_.draining) return kDrainGrace;
  return std::chrono::milliseconds(edge_.options.limits.write_stall_timeout_ms);
}

//! Writes both buffers. False when the peer is gone or takes nothing for too long.
Awaitable<bool> Session::write_all(WriteBuffers buffers) {
  while (asio::buffer_size(buffers) > 0) {
    IoResult put = transport_.try_write(buffers);
    if (put.error == asio::error::would_block) {
      set_deadline(stall_timeout());
      put = co_await transport_.write_some(buffers);
      no_deadline();
    }
    if (put.error) co_return false;
    const std::size_t first = std::min(put.bytes, buffers[0].size());
    buffers[0] += first;
    buffers[1] += put.bytes - first;
  }
  co_return true;
}

void Session::record_part(const Exchange& exchange, std::string_view name,
                          std::string_view size_name, TimePoint began, std::uint64_t bytes) {
  if (edge_.options.tracer == nullptr || !exchange.trace.sampled) return;
  edge_.options.tracer->record(part_span(exchange, name, size_name, began, bytes));
}

void Session::record(const Exchange& exchange, bool sent) {
  const std::chrono::duration<double> took = SteadyClock::now() - exchange.started;
  const int status = exchange.response.status;
  if (exchange.readable) {
    io_.metrics().observe(exchange.method, exchange.route, status, exchange.response.problem,
                          took.count());
    if (edge_.options.tracer != nullptr && exchange.trace.sampled) {
      edge_.options.tracer->record(request_span(exchange, sent));
    }
  }
  // What a client can cause at will stays at debug.
  const bool ours = status >= 500 && exchange.readable;
  const obs::Level level = ours ? obs::Level::info : obs::Level::debug;
  if (!obs::log_enabled(level)) return;
  const obs::TraceScope scope(exchange.request_id, exchange.trace);
  obs::log(level, "request",
           {{"method", exchange.readable ? api::method_name(exchange.method) : "unreadable"},
            {"path", exchange.request.head.path},
            {"route", exchange.route},
            {"status", status},
            {"bytes", body_bytes(exchange.response)},
            {"duration_ms", took.count() * 1e3},
            {"peer", peer_},
            {"sent", sent}});
}

//! Ends politely: the peer gets to read the last answer although it may still be sending, since
//! closing a socket with unread input would reset the connection and discard that answer.
Awaitable<void> Session::linger() {
  const ServerLimits& limits = edge_.options.limits;
  set_deadline(std::chrono::milliseconds(lingers_ ? limits.linger_ms : 0));
  co_await transport_.shutdown_write();
  if (!lingers_) co_return;
  std::size_t dropped = 0;
  while (dropped < limits.linger_bytes_max && !timed_out_ && !cut_) {
    in_.consume(in_.size());
    IoResult got = transport_.try_read(in_.space());
    if (got.error == asio::error::would_block) got = co_await transport_.read_some(in_.space());
    if (got.error) co_return;
    dropped += got.bytes;
  }
}

}  // namespace reel::http
