#pragma once
//! Spans: what took how long, for whom. Recorded into a bounded queue that an exporter empties.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/thread_annotations.h"
#include "base/wakeup.h"
#include "obs/metrics.h"
#include "obs/trace.h"

namespace reel::obs {

//! The numbers are OTLP's.
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3 };

using AttributeValue = std::variant<std::string, std::int64_t, bool>;

//! A span that has ended. Names of attributes are literals, those of OpenTelemetry's semantic
//! conventions where it has one. No secrets: queries, credentials and header fields stay out.
struct FinishedSpan {
  TraceContext context;
  std::string parent_span_id = {};  //!< empty: it is the first of its trace
  std::string name;                 //!< of low cardinality
  SpanKind kind = SpanKind::internal;
  std::int64_t start_ns = 0;  //!< since 1970
  std::int64_t end_ns = 0;
  std::vector<std::pair<std::string_view, AttributeValue>> attributes = {};
  bool failed = false;
};

//! Nanoseconds since 1970.
std::int64_t unix_ns();

//! Collects spans for one exporter. Thread-safe; recording takes a lock that threads rarely share,
//! and never waits for the exporter: what finds the queue full is dropped and counted.
class Tracer {
 public:
  struct Options {
    double sample_ratio = 1;  //!< of traces that nobody upstream has decided on
    std::size_t queue_max = 4096;
  };

  //! REQUIRES: `dropped` outlives the tracer.
  Tracer(Options options, Counter& dropped);

  //! Whether a trace that begins here is recorded. The same for the same id in every process.
  bool samples(std::string_view trace_id) const;

  void record(FinishedSpan span);

  // For the exporter.
  //! Until many spans wait, asked to stop, or `pause` is over.
  void wait(const std::stop_token& stop, std::chrono::milliseconds pause);
  //! All that wait. They keep their room in the queue until they are settled.
  std::vector<FinishedSpan> take();
  //! So many of those that were taken are sent or given up.
  void settle(std::size_t count);

 private:
  struct alignas(64) Shard {
    Mutex mutex;
    std::vector<FinishedSpan> spans GUARDED_BY(mutex);
  };

  std::size_t many() const;

  const Options options_;
  Counter& dropped_;
  std::array<Shard, 8> shards_;
  std::atomic<std::size_t> queued_ = 0;
  Wakeup many_;
};

//! A span from construction to destruction, on one thread. What is not traced costs nothing but
//! looking at a variable of the thread.
class Span {
 public:
  //! A child of what this thread is working on.
  explicit Span(std::string_view name, SpanKind kind = SpanKind::internal);
  //! The first of a trace of its own. Null: nothing is traced.
  Span(Tracer* tracer, std::string_view name, SpanKind kind);
  ~Span();
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  //! Whether it will be recorded; else setting attributes is wasted work.
  bool recording() const;
  void set(std::string_view name, AttributeValue value);
  //! It failed; `type` is a short stable word.
  void fail(std::string_view type);
  //! For a request that is part of this span; empty when nothing is traced.
  std::string traceparent() const;

 private:
  struct Open;
  void open(Tracer* tracer, TraceContext context, std::string_view name, SpanKind kind);

  std::unique_ptr<Open> open_;
};

}  // namespace reel::obs
