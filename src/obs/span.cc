#include "obs/span.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>

#include "obs/trace_internal.h"

namespace reel::obs {
namespace {

//! So many spans are worth a message of their own.
constexpr std::size_t kManySpans = 512;

std::size_t shard_of_thread(std::size_t shards) {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number % shards;
}

}  // namespace

std::int64_t unix_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

Tracer::Tracer(Options options, Counter& dropped) : options_(options), dropped_(dropped) {}

bool Tracer::samples(std::string_view trace_id) const {
  // The last 56 bits of a trace id are random (W3C Trace Context level 2).
  constexpr std::size_t kDigits = 14;
  if (trace_id.size() < kDigits) return false;
  const std::string_view digits = trace_id.substr(trace_id.size() - kDigits);
  std::uint64_t random = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), random, 16);
  return static_cast<double>(random) < options_.sample_ratio * std::ldexp(1.0, 56);
}

std::size_t Tracer::many() const { return std::min(kManySpans, options_.queue_max); }

void Tracer::record(FinishedSpan span) {
  const std::size_t before = queued_.fetch_add(1, std::memory_order_relaxed);
  if (before >= options_.queue_max) {
    queued_.fetch_sub(1, std::memory_order_relaxed);
    dropped_.add();
    return;
  }
  {
    Shard& shard = shards_[shard_of_thread(shards_.size())];
    const MutexLock lock(shard.mutex);
    shard.spans.push_back(std::move(span));
  }
  if (before + 1 == many()) many_.notify();
}

void Tracer::wait(const std::stop_token& stop, std::chrono::milliseconds pause) {
  // They may have come while the exporter was busy with others.
  if (queued_.load(std::memory_order_relaxed) < many()) many_.wait(stop, pause);
}

std::vector<FinishedSpan> Tracer::take() {
  std::vector<FinishedSpan> taken;
  for (Shard& shard : shards_) {
    std::vector<FinishedSpan> spans;
    {
      const MutexLock lock(shard.mutex);
      spans.swap(shard.spans);
    }
    std::move(spans.begin(), spans.end(), std::back_inserter(taken));
  }
  return taken;
}

void Tracer::settle(std::size_t count) { queued_.fetch_sub(count, std::memory_order_relaxed); }

struct Span::Open {
  Tracer* tracer;
  FinishedSpan span;
  Work outer;
};

Span::Span(std::string_view name, SpanKind kind) {
  const Work& work = current_work();
  if (work.tracer == nullptr) return;
  open(work.tracer, work.trace->child(), name, kind);
  open_->span.parent_span_id = work.trace->span_id;
  open_->outer = exchange_work(
      {.request_id = work.request_id, .trace = &open_->span.context, .tracer = open_->tracer});
}

Span::Span(Tracer* tracer, std::string_view name, SpanKind kind) {
  if (tracer == nullptr) return;
  TraceContext context = TraceContext::start();
  context.sampled = tracer->samples(context.trace_id);
  open(tracer, std::move(context), name, kind);
  open_->outer = exchange_work(
      {.request_id = {}, .trace = &open_->span.context, .tracer = recording() ? tracer : nullptr});
}

void Span::open(Tracer* tracer, TraceContext context, std::string_view name, SpanKind kind) {
  open_ = std::make_unique<Open>();
  open_->tracer = tracer;
  open_->span = {.context = std::move(context),
                 .name = std::string(name),
                 .kind = kind,
                 .start_ns = unix_ns()};
}

Span::~Span() {
  if (open_ == nullptr) return;
  exchange_work(open_->outer);
  if (!open_->span.context.sampled) return;
  open_->span.end_ns = std::max(open_->span.start_ns, unix_ns());
  open_->tracer->record(std::move(open_->span));
}

bool Span::recording() const { return open_ != nullptr && open_->span.context.sampled; }

void Span::set(std::string_view name, AttributeValue value) {
  if (recording()) open_->span.attributes.emplace_back(name, std::move(value));
}

void Span::fail(std::string_view type) {
  if (!recording()) return;
  set("error.type", std::string(type));
  open_->span.failed = true;
}

std::string Span::traceparent() const {
  return open_ == nullptr ? std::string() : open_->span.context.to_traceparent();
}

}  // namespace reel::obs
