#include <ctime>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "http/io_thread_internal.h"
#include "http/session_internal.h"

namespace reel::http {
namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kTickDraining{20};
constexpr std::size_t kBuffersKept = 4;

}  // namespace

bool PeerTable::add(const std::string& peer, std::size_t max) {
  const MutexLock lock(mutex_);
  std::size_t& count = connections_[peer];
  if (count >= max) return false;
  ++count;
  return true;
}

void PeerTable::remove(const std::string& peer) {
  const MutexLock lock(mutex_);
  const auto found = connections_.find(peer);
  REEL_CHECK(found != connections_.end());
  if (--found->second == 0) connections_.erase(found);
}

Edge::Edge(ServerOptions given, api::Application& application, obs::Registry& metrics)
    : options(std::move(given)),
      app(application),
      registry(metrics),
      active_connections(metrics.gauge("tams_active_connections", "Open client connections.")),
      workers({options.worker_threads, options.worker_queue_max}) {}

IoThread::IoThread(Edge& edge) : edge_(edge), metrics_(edge.registry) { update_date(); }

IoThread::~IoThread() { stop(); }

void IoThread::start() {
  work_.emplace(context_.get_executor());
  asio::co_spawn(context_.get_executor(), tick_forever(), asio::detached);
  thread_ = std::jthread([this] { context_.run(); });
}

void IoThread::stop() {
  work_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void IoThread::add(Session& session) {
  session.set_slot(sessions_.size());
  sessions_.push_back(&session);
}

void IoThread::remove(Session& session) {
  const std::size_t slot = session.slot();
  REEL_CHECK(slot < sessions_.size() && sessions_[slot] == &session);
  sessions_[slot] = sessions_.back();
  sessions_[slot]->set_slot(slot);
  sessions_.pop_back();
}

void IoThread::begin_drain() {
  const TimePoint now = SteadyClock::now();
  for (Session* session : sessions_) session->begin_drain(now);
}

void IoThread::cut_all() {
  for (Session* session : sessions_) session->cut();
}

std::string IoThread::take_buffer(std::size_t bytes) {
  std::string buffer;
  if (!buffers_.empty()) {
    buffer = std::move(buffers_.back());
    buffers_.pop_back();
  }
  buffer.resize(bytes);
  return buffer;
}

void IoThread::give_buffer(std::string buffer) {
  if (buffers_.size() < kBuffersKept) buffers_.push_back(std::move(buffer));
}

Awaitable<void> IoThread::tick_forever() {
  Timer timer(context_.get_executor());
  while (true) {
    timer.expires_after(edge_.draining.load() ? kTickDraining : kTick);
    error_code error;
    co_await timer.async_wait(asio::redirect_error(kAwait, error));
    if (error) co_return;
    update_date();
    const TimePoint now = SteadyClock::now();
    for (Session* session : sessions_) session->check_deadline(now);
  }
}

void IoThread::update_date() {
  const std::time_t now = std::time(nullptr);
  if (now == date_second_) return;
  date_second_ = now;
  std::tm parts{};
  gmtime_r(&now, &parts);
  // Not strftime: names must not follow the locale.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  date_ = fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday],
                      parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                      parts.tm_min, parts.tm_sec);
}

}  // namespace reel::http
