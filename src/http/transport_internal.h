#pragma once
//! Bytes of one connection, with or without TLS.

#include <array>
#include <memory>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "http/asio_internal.h"

namespace reel::http {

using WriteBuffers = std::array<asio::const_buffer, 2>;

//! One connection's byte stream. For its I/O thread only. The try_ functions never suspend, which
//! spares the common case (bytes are there, the socket takes the answer) a trip through the event
//! loop; they give would_block when the awaitable twin must be used, always so under TLS.
class Transport {
 public:
  //! `tls` is nullptr for plain connections. Shared: a reload replaces the context for new
  //! connections while older ones keep theirs.
  Transport(Socket socket, std::shared_ptr<asio::ssl::context> tls);
  // Does not move: the TLS stream refers to the socket beside it.
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  bool tls() const { return stream_ != nullptr; }
  Awaitable<error_code> handshake();

  //! Waits until there is something to read, without needing a buffer meanwhile. Under TLS it
  //! returns at once.
  Awaitable<error_code> wait_readable();
  //! Waits until bytes arrive or the peer ends the connection, also under TLS, where both may be
  //! of TLS's own concern. REQUIRES: no decrypted bytes are waiting, or nobody minds.
  Awaitable<error_code> wait_for_peer();
  //! Whether unread bytes have arrived.
  bool has_input();

  IoResult try_read(asio::mutable_buffer into);
  Awaitable<IoResult> read_some(asio::mutable_buffer into);
  IoResult try_write(const WriteBuffers& buffers);
  Awaitable<IoResult> write_some(WriteBuffers buffers);

  //! Says that no more will be written: a FIN, or TLS's close_notify.
  Awaitable<void> shutdown_write();
  //! Makes the pending read, write or wait end with operation_aborted.
  void cancel();
  //! As cancel(), and every later operation fails.
  void close();

 private:
  Socket socket_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::unique_ptr<asio::ssl::stream<Socket&>> stream_;
};

}  // namespace reel::http
