#include <boost/asio/socket_base.hpp>

#include "http/transport_internal.h"

namespace reel::http {

namespace {
const error_code kWouldBlock = asio::error::would_block;
}

Transport::Transport(Socket socket, std::shared_ptr<asio::ssl::context> tls)
    : socket_(std::move(socket)), tls_(std::move(tls)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  if (tls_) stream_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, *tls_);
}

Awaitable<error_code> Transport::handshake() {
  error_code error;
  co_await stream_->async_handshake(asio::ssl::stream_base::server,
                                    asio::redirect_error(kAwait, error));
  co_return error;
}

Awaitable<error_code> Transport::wait_readable() {
  if (stream_) co_return error_code();
  co_return co_await wait_for_peer();
}

Awaitable<error_code> Transport::wait_for_peer() {
  error_code error;
  co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(kAwait, error));
  co_return error;
}

bool Transport::has_input() {
  error_code error;
  return socket_.available(error) > 0 && !error;
}

IoResult Transport::try_read(asio::mutable_buffer into) {
  if (stream_) return {kWouldBlock, 0};
  IoResult result;
  result.bytes = socket_.read_some(asio::mutable_buffer(into), result.error);
  return result;
}

Awaitable<IoResult> Transport::read_some(asio::mutable_buffer into) {
  IoResult result;
  if (stream_) {
    result.bytes =
        co_await stream_->async_read_some(into, asio::redirect_error(kAwait, result.error));
  } else {
    result.bytes =
        co_await socket_.async_read_some(into, asio::redirect_error(kAwait, result.error));
  }
  co_return result;
}

IoResult Transport::try_write(const WriteBuffers& buffers) {
  if (stream_) return {kWouldBlock, 0};
  IoResult result;
  result.bytes = socket_.write_some(buffers, result.error);
  return result;
}

Awaitable<IoResult> Transport::write_some(WriteBuffers buffers) {
  IoResult result;
  if (stream_) {
    result.bytes =
        co_await stream_->async_write_some(buffers, asio::redirect_error(kAwait, result.error));
  } else {
    result.bytes =
        co_await socket_.async_write_some(buffers, asio::redirect_error(kAwait, result.error));
  }
  co_return result;
}

Awaitable<void> Transport::shutdown_write() {
  error_code ignored;
  if (stream_) {
    co_await stream_->async_shutdown(asio::redirect_error(kAwait, ignored));
  }
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace reel::http
