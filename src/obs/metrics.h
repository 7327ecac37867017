#pragma once
//! Counters, gauges and histograms of our own, and their Prometheus text.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/thread_annotations.h"

namespace reel::obs {

//! Label names and values of one series. Use route templates, never paths (cardinality).
using Labels = std::vector<std::pair<std::string, std::string>>;

//! Only grows. Wait-free: sharded by thread.
class Counter {
 public:
  void add(std::uint64_t count = 1);
  std::uint64_t value() const;

 private:
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> count{0};
  };
  static constexpr std::size_t kShards = 8;
  Shard shards_[kShards];
};

class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

//! Counts observations by upper bound. Wait-free.
class Histogram {
 public:
  explicit Histogram(std::vector<double> upper_bounds);
  void observe(double value);

  struct Reading {
    std::vector<double> upper_bounds;
    std::vector<std::uint64_t> cumulative;  //!< one more than bounds: the last is +Inf
    double sum = 0;
  };
  Reading read() const;

 private:
  const std::vector<double> upper_bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

//! Latency bounds in seconds, 100 µs to 10 s.
const std::vector<double>& latency_buckets_seconds();

//! Observes the seconds from construction to destruction.
class Stopwatch {
 public:
  explicit Stopwatch(Histogram& histogram) : histogram_(histogram) {}
  ~Stopwatch() {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
    histogram_.observe(took.count());
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Histogram& histogram_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

//! All metrics of one server. References stay valid as long as the registry; look a series up
//! once, not per event. Thread-safe.
class Registry {
 public:
  Registry();
  ~Registry();
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       const std::vector<double>& upper_bounds, const Labels& labels = {});
  //! A gauge whose value is asked for when the page is rendered.
  void gauge_callback(std::string_view name, std::string_view help, const Labels& labels,
                      std::function<double()> read);
  //! The same for what only grows and is counted elsewhere.
  void counter_callback(std::string_view name, std::string_view help, const Labels& labels,
                        std::function<double()> read);

  //! Prometheus text format 0.0.4.
  std::string render() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace reel::obs
