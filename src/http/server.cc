#include "http/server.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <condition_variable>
#include <future>
#include <thread>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "http/io_thread_internal.h"
#include "http/session_internal.h"
#include "http/tls_internal.h"
#include "obs/log.h"

namespace reel::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kDrainPoll{2};
//! Connections that have begun to be made are complete after it, on a near network.
constexpr std::chrono::milliseconds kHandshakeMax{10};
constexpr std::chrono::milliseconds kCutWaitMax{1'000};
//! When no descriptor is left, waiting is all that helps; asking again at once would spin.
constexpr std::chrono::milliseconds kAcceptPause{50};

//! Sent when there is no room for a connection, without reading anything from it.
constexpr std::string_view kNoRoom =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
    "Connection: close\r\n\r\n";

void report_escape(const std::exception_ptr& escaped) {
  if (!escaped) return;
  try {
    std::rethrow_exception(escaped);
  } catch (const std::exception& error) {
    obs::log(obs::Level::error, "a connection ended by an exception", {{"what", error.what()}});
  }
}

//! An IPv4 client of a socket that listens on both is shown as IPv4.
std::string text_of(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

Status check(const ServerOptions& options) {
  if (options.io_threads == 0 || options.worker_threads == 0) {
    return invalid("an HTTP server needs at least one I/O thread and one worker");
  }
  const ServerLimits& limits = options.limits;
  if (limits.header_bytes_max < 256 || limits.body_min_bytes_per_second == 0 ||
      limits.pipelined_in_a_row_max == 0) {
    return invalid("a limit of the HTTP server is too small");
  }
  return {};
}

//! The kernel completes connections on its own; one that comes between the last accept and the
//! close would be reset with its request. With this filter no new one begins: who asks now tries
//! again, and is then refused. What has begun is completed and can be accepted.
void drop_newcomers(int listener) {
  constexpr std::uint32_t kFlagsOffset = 13;  // in the TCP header
  constexpr std::uint32_t kSyn = 0x02;
  sock_filter rules[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsOffset),
                         BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
                         BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
  const sock_fprog filter{.len = std::size(rules), .filter = rules};
  (void)::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

}  // namespace

//! The acceptor lives on the first I/O thread and deals connections out in turn. Not SO_REUSEPORT:
//! with it a second server on the same port would start and silently take half of the requests,
//! and few long connections would pile up on one thread.
class Server::Impl {
 public:
  Impl(ServerOptions options, api::Application& app, obs::Registry& metrics)
      : edge_(std::move(options), app, metrics) {
    for (std::size_t i = 0; i < edge_.options.io_threads; ++i) {
      threads_.push_back(std::make_unique<IoThread>(edge_));
    }
  }
  // NOLINTNEXTLINE(bugprone-exception-escape): a server that cannot stop must not go on
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status load_tls() {
    if (!edge_.options.tls) return {};
    REEL_ASSIGN(tls_, TlsSource::make(*edge_.options.tls));
    return {};
  }

  Status start();
  std::uint16_t port() const { return port_; }
  void drain(std::chrono::milliseconds wait_max);
  void stop();
  Load load() const { return {.in_flight = edge_.in_flight, .queued = edge_.workers.queued()}; }
  Status reload() { return tls_ ? tls_->reload() : Status(); }

 private:
  Status bind(Acceptor& acceptor);
  Awaitable<void> accept_forever();
  bool accept_waiting();
  void take(Socket socket, const tcp::endpoint& peer, IoThread& thread);
  Awaitable<void> watch_certificate();
  bool wait_until_empty(std::chrono::milliseconds wait_max) const;

  Edge edge_;
  std::unique_ptr<TlsSource> tls_;
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::optional<Acceptor> acceptor_;  //!< for the first I/O thread only, once it runs
  std::size_t next_thread_ = 0;
  std::uint16_t port_ = 0;
  bool started_ = false;
  bool stopped_ = false;
};

Status Server::Impl::bind(Acceptor& acceptor) {
  const ServerOptions& options = edge_.options;
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return invalid("'{}' is not an IP address", options.address);
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  if (error) {
    return io("cannot listen on {} port {}: {}", options.address, options.port, error.message());
  }
  port_ = acceptor.local_endpoint(error).port();
  return {};
}

Status Server::Impl::start() {
  REEL_CHECK(!started_);
  Acceptor acceptor(threads_.front()->context());
  REEL_TRY(bind(acceptor));
  acceptor_.emplace(std::move(acceptor));
  started_ = true;
  for (const auto& thread : threads_) thread->start();
  const Executor first = threads_.front()->context().get_executor();
  asio::co_spawn(first, accept_forever(), asio::detached);
  if (tls_) asio::co_spawn(first, watch_certificate(), asio::detached);
  return {};
}

Awaitable<void> Server::Impl::accept_forever() {
  while (acceptor_->is_open()) {
    error_code error;
    co_await acceptor_->async_wait(Acceptor::wait_read, asio::redirect_error(kAwait, error));
    if (error) co_return;
    if (accept_waiting()) continue;
    Timer pause(threads_.front()->context().get_executor(), kAcceptPause);
    co_await pause.async_wait(asio::redirect_error(kAwait, error));
  }
}

//! Takes every connection that is waiting. False when that fails, as without a free descriptor.
bool Server::Impl::accept_waiting() {
  while (true) {
    IoThread& thread = *threads_[next_thread_];
    tcp::endpoint peer;
    error_code error;
    Socket socket = acceptor_->accept(thread.context(), peer, error);
    if (error == asio::error::would_block) return true;
    if (error == asio::error::connection_aborted) continue;
    if (error) {
      threads_.front()->metrics().rejected("accept_error");
      return false;
    }
    next_thread_ = (next_thread_ + 1) % threads_.size();
    take(std::move(socket), peer, thread);
  }
}

void Server::Impl::take(Socket socket, const tcp::endpoint& peer, IoThread& thread) {
  const ServerLimits& limits = edge_.options.limits;
  std::string address = text_of(peer.address());
  std::string_view no_room;
  if (edge_.connections >= limits.connections_max) no_room = "connections";
  if (no_room.empty() && !edge_.peers.add(address, limits.connections_per_peer_max)) {
    no_room = "connections_per_peer";
  }
  if (!no_room.empty()) {
    threads_.front()->metrics().rejected(no_room);
    error_code ignored;
    socket.non_blocking(true, ignored);
    if (!tls_) socket.write_some(asio::buffer(kNoRoom), ignored);
    socket.shutdown(Socket::shutdown_send, ignored);
    return;
  }
  ++edge_.connections;
  edge_.active_connections.add(1);
  auto context = tls_ ? tls_->context() : nullptr;
  asio::post(
      thread.context(), [this, &thread, socket = std::move(socket), context = std::move(context),
                         address = std::move(address)]() mutable {
        auto session = std::make_shared<Session>(edge_, thread, std::move(socket),
                                                 std::move(context), std::move(address));
        asio::co_spawn(
            thread.context().get_executor(), [session] { return session->run(); }, report_escape);
      });
}

Awaitable<void> Server::Impl::watch_certificate() {
  Timer timer(threads_.front()->context().get_executor());
  while (true) {
    timer.expires_after(std::chrono::milliseconds(edge_.options.tls->reload_check_ms));
    error_code error;
    co_await timer.async_wait(asio::redirect_error(kAwait, error));
    if (error) co_return;
    tls_->reload_if_changed();
  }
}

bool Server::Impl::wait_until_empty(std::chrono::milliseconds wait_max) const {
  const TimePoint give_up_at = SteadyClock::now() + wait_max;
  while (edge_.connections > 0) {
    if (SteadyClock::now() >= give_up_at) return false;
    std::this_thread::sleep_for(kDrainPoll);
  }
  return true;
}

void Server::Impl::drain(std::chrono::milliseconds wait_max) {
  if (!started_ || stopped_) return;
  edge_.draining = true;
  const auto on_first_thread = [this](const std::function<void()>& act) {
    std::promise<void> done;
    asio::post(threads_.front()->context(), [&] {
      if (acceptor_->is_open()) act();
      done.set_value();
    });
    done.get_future().wait();
  };
  on_first_thread([this] { drop_newcomers(acceptor_->native_handle()); });
  std::this_thread::sleep_for(kHandshakeMax);
  on_first_thread([this] {
    accept_waiting();
    error_code ignored;
    acceptor_->close(ignored);
  });
  for (const auto& thread : threads_) {
    asio::post(thread->context(), [&io = *thread] { io.begin_drain(); });
  }
  if (wait_until_empty(wait_max)) return;
  if (wait_max.count() > 0) {
    obs::log(obs::Level::warning, "connections are cut: they did not end in time",
             {{"connections", edge_.connections.load()}});
  }
  for (const auto& thread : threads_) {
    asio::post(thread->context(), [&io = *thread] { io.cut_all(); });
  }
  if (!wait_until_empty(kCutWaitMax)) {
    obs::log(obs::Level::warning, "connections did not end when they were cut",
             {{"connections", edge_.connections.load()}});
  }
}

void Server::Impl::stop() {
  if (stopped_) return;
  drain(std::chrono::milliseconds(0));
  stopped_ = true;
  edge_.workers.stop();
  for (const auto& thread : threads_) thread->stop();
  acceptor_.reset();
  threads_.clear();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::make(ServerOptions options, api::Application& app,
                                             obs::Registry& metrics) {
  REEL_TRY(check(options));
  auto impl = std::make_unique<Impl>(std::move(options), app, metrics);
  REEL_TRY(impl->load_tls());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Status Server::start() { return impl_->start(); }
std::uint16_t Server::port() const { return impl_->port(); }
void Server::drain(std::chrono::milliseconds wait_max) { impl_->drain(wait_max); }
void Server::stop() { impl_->stop(); }
Server::Load Server::load() const { return impl_->load(); }
Status Server::reload() { return impl_->reload(); }

}  // namespace reel::http
