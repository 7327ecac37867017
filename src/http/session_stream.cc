#include <boost/asio/post.hpp>

#include "api/problem.h"
#include "http/session_internal.h"
#include "obs/log.h"

namespace reel::http {
namespace {

//! One read of a stream, shared with the worker that does it.
struct StreamPiece {
  std::string bytes;
  Result<bool> more = true;
};

void read_piece(api::BodyStream& stream, StreamPiece& piece) {
  try {
    piece.more = stream.read(piece.bytes);
  } catch (const std::exception& error) {
    piece.more = internal("a stream threw: {}", error.what());
  }
}

}  // namespace

//! Sends the head, then what the stream gives until it ends. True when the connection serves
//! another request. An endless one counts with the time to its head and not as in flight: it may
//! last for days.
Awaitable<bool> Session::send_stream(ExchangePtr exchange, std::string head) {
  streams_ = std::get<std::shared_ptr<api::BodyStream>>(exchange->response.body)->endless();
  if (streams_) in_flight_.reset();
  bool sent = co_await write_all({asio::buffer(head), {}});
  if (streams_) record(*exchange, sent);
  head = {};
  if (sent) sent = co_await pump_stream(exchange);
  if (!streams_) record(*exchange, sent);
  streams_ = false;
  no_deadline();
  if (!sent) drop_stream(*exchange);
  co_return sent && exchange->keep_alive && !edge_.draining;
}

//! What did not end by itself may have work to call off, which is nothing for an I/O thread. A job
//! that still reads from it keeps it as well.
void Session::drop_stream(Exchange& exchange) {
  auto stream = std::exchange(exchange.response.body, {});
  // When the queue is full, it is dropped here.
  (void)edge_.workers.submit([stream = std::move(stream)]() mutable { stream = {}; });
}

//! False when the connection must be cut; that is how a client learns of an end that is none.
Awaitable<bool> Session::pump_stream(ExchangePtr exchange) {
  const auto stream = std::get<std::shared_ptr<api::BodyStream>>(exchange->response.body);
  const bool chunked = exchange->http_1_1;
  while (!streams_ || !edge_.draining) {
    const auto piece = std::make_shared<StreamPiece>();
    const Job job = co_await start_job_patiently([&edge = edge_, exchange, stream, piece] {
      const obs::TraceScope scope(exchange->request_id, exchange->trace, edge.options.tracer);
      read_piece(*stream, *piece);
    });
    if (!job || !co_await wait_for(job)) co_return false;
    if (!piece->more) {
      const obs::TraceScope scope(exchange->request_id, exchange->trace);
      // It is too late for this answer, but its rules of what is logged hold.
      (void)api::problem(piece->more.error(), exchange->request_id, system_clock());
      co_return false;
    }
    if (!co_await send_piece(chunked, &piece->bytes)) co_return false;
    if (!*piece->more) break;
    if (piece->bytes.empty() && !co_await wait_for_more(stream)) co_return false;
  }
  std::string_view last_chunk = "0\r\n\r\n";
  if (!chunked) last_chunk = {};
  co_return co_await write_all({asio::buffer(last_chunk), {}});
}

//! Leaves an empty piece alone: as a chunk it would end the body.
Awaitable<bool> Session::send_piece(bool chunked, std::string* piece) {
  if (piece->empty()) co_return true;
  std::string size;
  if (chunked) {
    size = fmt::format("{:x}\r\n", piece->size());
    *piece += "\r\n";
  }
  co_return co_await write_all({asio::buffer(size), asio::buffer(*piece)});
}

//! Until the stream wakes us, or the server drains: no worker, no buffer, no deadline. False when
//! the peer is gone.
Awaitable<bool> Session::wait_for_more(std::shared_ptr<api::BodyStream> stream) {
  in_.release_if_empty();
  const Flag woken = std::make_shared<bool>(false);
  // SAFETY: no wake comes once the stream is destroyed, and the session, which lives on this
  // thread, keeps the stream.
  stream->when_ready([session = weak_from_this(), &home = io_.context(), woken] {
    asio::post(home, [session, woken] {
      *woken = true;
      if (const auto alive = session.lock()) alive->wake();
    });
  });
  co_return co_await peer_stays_until(woken) && !cut_;
}

//! Waits for the flag, the deadline, the cut, or the drain that ends an endless stream. False as
//! soon as the peer has ended its side, which nothing but reading tells.
Awaitable<bool> Session::peer_stays_until(Flag done) {
  bool there = true;
  watches_peer_ = true;
  while (there && !*done && !timed_out_ && !cut_ && !(streams_ && edge_.draining)) {
    if (in_.full()) {
      error_code cancelled;
      co_await wake_.async_wait(asio::redirect_error(kAwait, cancelled));
    } else if (const error_code error = co_await transport_.wait_for_peer()) {
      there = error == asio::error::operation_aborted;
    } else {
      there = co_await take_input();
    }
  }
  watches_peer_ = false;
  co_return there;
}

//! Keeps what the peer sends meanwhile, the next request perhaps. False when it has ended.
Awaitable<bool> Session::take_input() {
  IoResult got = transport_.try_read(in_.space());
  if (got.error == asio::error::would_block && transport_.tls()) {
    got = co_await transport_.read_some(in_.space());
  }
  in_.commit(got.bytes);
  in_.release_if_empty();
  co_return !got.error || got.error == asio::error::would_block ||
      got.error == asio::error::operation_aborted;
}

}  // namespace reel::http
