#pragma once
//! What the sessions of one I/O thread share, and what all of them share.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include "api/message.h"
#include "base/thread_annotations.h"
#include "base/worker_pool.h"
#include "http/asio_internal.h"
#include "http/route_metrics_internal.h"
#include "http/server.h"

namespace reel::http {

class Session;

//! How many connections each client address has.
class PeerTable {
 public:
  //! False when the peer has `max` connections already.
  bool add(const std::string& peer, std::size_t max) EXCLUDES(mutex_);
  void remove(const std::string& peer) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::unordered_map<std::string, std::size_t> connections_ GUARDED_BY(mutex_);
};

//! What all I/O threads use. Outlives them.
struct Edge {
  Edge(ServerOptions given, api::Application& application, obs::Registry& metrics);

  const ServerOptions options;
  api::Application& app;
  obs::Registry& registry;
  obs::Gauge& active_connections;
  WorkerPool workers;
  PeerTable peers;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> in_flight{0};
  std::atomic<bool> draining{false};
};

//! One event loop with its thread and connections. A tick every 100 ms (20 ms while draining)
//! enforces the deadlines of all connections: setting a deadline is then one assignment, where a
//! timer of Asio per read would cost two heap operations.
class IoThread {
 public:
  explicit IoThread(Edge& edge);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void start();
  //! Ends the loop and joins the thread. Idempotent; not from the thread itself.
  void stop();

  asio::io_context& context() { return context_; }

  // The rest is for this thread only.
  void add(Session& session);
  void remove(Session& session);
  void begin_drain();
  void cut_all();
  RouteMetrics& metrics() { return metrics_; }
  //! The value of a Date field, at most one tick old.
  std::string_view date() const { return date_; }
  //! Large buffers for files and uploads, a few of them kept for the next use.
  std::string take_buffer(std::size_t bytes);
  void give_buffer(std::string buffer);

 private:
  Awaitable<void> tick_forever();
  void update_date();

  Edge& edge_;
  std::vector<Session*> sessions_;  //!< borrowed; each removes itself before it dies
  std::vector<std::string> buffers_;
  std::string date_;
  std::int64_t date_second_ = 0;
  RouteMetrics metrics_;
  // Last: its handlers own sessions, which use the members above.
  asio::io_context context_{1};
  std::optional<asio::executor_work_guard<Executor>> work_;
  std::jthread thread_;
};

}  // namespace reel::http
