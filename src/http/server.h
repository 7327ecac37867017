#pragma once
//! The HTTP/1.1 edge: sockets, TLS, limits. Everything behind it is api::Application.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/message.h"
#include "base/result.h"
#include "http/cors.h"
#include "obs/metrics.h"
#include "obs/span.h"

namespace reel::http {

struct TlsOptions {
  std::string certificate_file;           //!< PEM, the leaf first, then its chain
  std::string key_file;                   //!< PEM
  std::uint32_t reload_check_ms = 5'000;  //!< how often the files are looked at for a change
};

//! What one client, or all together, may ask of the edge. What is beyond a limit is answered with
//! the status in brackets and counted in tams_http_rejected_total.
struct ServerLimits {
  std::size_t connections_max = 16'384;  //!< open connections (503, closed)
  //! Of one address (503, closed). All clients of a proxy in front have its address.
  std::size_t connections_per_peer_max = 4'096;
  std::size_t in_flight_max = 4'096;         //!< requests being read or handled (503)
  std::size_t header_bytes_max = 16'384;     //!< request line and fields (431)
  std::size_t header_fields_max = 100;       //!< fields of one request (431)
  std::size_t url_bytes_max = 8'192;         //!< request target (414)
  std::uint32_t header_timeout_ms = 10'000;  //!< first to last byte of a head (408)
  std::uint32_t idle_timeout_ms = 75'000;    //!< without a request (closed)
  std::uint32_t tls_handshake_timeout_ms = 10'000;
  std::uint64_t body_min_bytes_per_second = 1'024;  //!< average, below it (408)
  std::uint32_t body_grace_ms = 10'000;             //!< how far a body may fall behind that rate
  std::uint32_t request_timeout_ms = 120'000;       //!< one call of a handler or sink (504)
  std::uint32_t write_stall_timeout_ms = 30'000;    //!< no byte of an answer taken (closed)
  std::size_t pipelined_in_a_row_max = 16;          //!< answers before other connections get a turn
  std::size_t refused_body_bytes_max = 65'536;      //!< read and dropped to keep a connection
  std::size_t linger_bytes_max = 1 << 20;           //!< read and dropped while closing
  std::uint32_t linger_ms = 2'000;                  //!< how long closing may take
};

struct ServerOptions {
  std::string address = "127.0.0.1";  //!< numeric, IPv4 or IPv6
  std::uint16_t port = 8000;          //!< 0: any free one, see Server::port()
  std::optional<TlsOptions> tls;
  std::size_t io_threads = 2;
  std::size_t worker_threads = 8;
  std::size_t worker_queue_max = 1'024;  //!< jobs waiting for a worker (503)
  ServerLimits limits;
  CorsOptions cors;
  std::size_t gzip_bytes_min = 4'096;  //!< smaller answers are sent as they are
  std::string server_name = "reelhouse";
  obs::Tracer* tracer = nullptr;  //!< outlives the server; null: requests are not traced
};

//! Serves one application on one address. Handlers run on worker threads, or on an I/O thread when
//! their admission says inline_read; refuse(), and admit() without patience, run on I/O threads and
//! must not block. The public functions are for one thread; reload() and load() may be called from
//! any.
class Server {
 public:
  //! Checks the options and reads the certificate; opens no socket. The application and the
  //! registry must outlive the server.
  static Result<std::unique_ptr<Server>> make(ServerOptions options, api::Application& app,
                                              obs::Registry& metrics);
  //! Stops, see stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  //! Binds, listens and starts the threads. Code::io when the address cannot be had.
  Status start();

  //! The port that is listened on. REQUIRES: start() succeeded.
  std::uint16_t port() const;

  //! Ends gracefully, and returns when it is done: accepts what is waiting and then no more,
  //! closes idle connections, answers the requests in flight with `Connection: close`, and cuts
  //! what is left after `wait_max`. Connections that had a request a moment ago may send one more.
  void drain(std::chrono::milliseconds wait_max);

  //! Cuts all connections, waits for running handlers and joins the threads. Idempotent.
  void stop();

  //! How busy it is. From any thread, until stop().
  struct Load {
    std::size_t in_flight;  //!< requests being read or handled
    std::size_t queued;     //!< jobs that wait for a worker
  };
  Load load() const;

  //! Reads the certificate files again; connections made from now on use them. When they cannot be
  //! used the old ones stay.
  Status reload();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reel::http
