#include "obs/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <variant>

#include "base/result.h"

namespace reel::obs {
namespace {

std::size_t next_thread_number() {
  static std::atomic<std::size_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

//! A label value, or with `quotes` false a help text: they differ in the escape of '"'.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out.append("\\\\");
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '"' && quotes) {
      out.append("\\\"");
    } else {
      out.push_back(c);
    }
  }
}

//! `a="x",b="y"`, also the identity of a series within its family.
std::string label_text(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out.push_back(',');
    out.append(name).append("=\"");
    append_escaped(out, value, true);
    out.push_back('"');
  }
  return out;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix,
                   std::string_view labels, std::string_view value) {
  out.append(name).append(suffix);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

void append_histogram(std::string& out, std::string_view name, const std::string& labels,
                      const Histogram& histogram) {
  const Histogram::Reading reading = histogram.read();
  const std::string prefix = labels.empty() ? "" : labels + ",";
  for (std::size_t i = 0; i < reading.cumulative.size(); ++i) {
    const std::string bound = i < reading.upper_bounds.size() ? number_text(reading.upper_bounds[i])
                                                              : std::string("+Inf");
    append_sample(out, name, "_bucket", fmt::format("{}le=\"{}\"", prefix, bound),
                  fmt::format("{}", reading.cumulative[i]));
  }
  append_sample(out, name, "_sum", labels, number_text(reading.sum));
  append_sample(out, name, "_count", labels, fmt::format("{}", reading.cumulative.back()));
}

}  // namespace

void Counter::add(std::uint64_t count) {
  thread_local const std::size_t shard = next_thread_number() % kShards;
  shards_[shard].count.fetch_add(count, std::memory_order_relaxed);
}

std::uint64_t Counter::value() const {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.count.load(std::memory_order_relaxed);
  return sum;
}

Histogram::Histogram(std::vector<double> upper_bounds)
    : upper_bounds_(std::move(upper_bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(upper_bounds_.size() + 1)) {
  REEL_CHECK(std::is_sorted(upper_bounds_.begin(), upper_bounds_.end()));
}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), value);
  counts_[static_cast<std::size_t>(bucket - upper_bounds_.begin())].fetch_add(
      1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
  Reading reading;
  reading.upper_bounds = upper_bounds_;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= upper_bounds_.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    reading.cumulative.push_back(total);
  }
  reading.sum = sum_.load(std::memory_order_relaxed);
  return reading;
}

const std::vector<double>& latency_buckets_seconds() {
  static const std::vector<double> buckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                              0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                              1,      2.5,     5,      10};
  return buckets;
}

namespace {

using Callback = std::function<double()>;

//! One name with its help and its series by label text.
struct Family {
  using Series = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>,
                              std::unique_ptr<Histogram>, Callback>;
  std::string help;
  std::string_view type;
  std::map<std::string, Series> series;
};

void append_series(std::string& out, const std::string& name, const std::string& labels,
                   const Family::Series& series) {
  if (const auto* counter = std::get_if<std::unique_ptr<Counter>>(&series)) {
    append_sample(out, name, "", labels, fmt::format("{}", (*counter)->value()));
  } else if (const auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&series)) {
    append_sample(out, name, "", labels, fmt::format("{}", (*gauge)->value()));
  } else if (const auto* histogram = std::get_if<std::unique_ptr<Histogram>>(&series)) {
    append_histogram(out, name, labels, **histogram);
  } else {
    append_sample(out, name, "", labels, number_text(std::get<Callback>(series)()));
  }
}

}  // namespace

struct Registry::Families {
  mutable Mutex mutex;
  std::map<std::string, Family, std::less<>> by_name GUARDED_BY(mutex);

  Family& family(std::string_view name, std::string_view help, std::string_view type)
      REQUIRES(mutex) {
    auto found = by_name.find(name);
    if (found == by_name.end()) {
      found = by_name.emplace(std::string(name), Family{std::string(help), type, {}}).first;
    }
    REEL_CHECK(found->second.type == type);
    return found->second;
  }

  //! The series of those labels, made by `make` when it is new.
  template <class Metric, class Make>
  Metric& series(std::string_view name, std::string_view help, std::string_view type,
                 const Labels& labels, Make make) EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    auto& all = family(name, help, type).series;
    const std::string key = label_text(labels);
    auto found = all.find(key);
    if (found == all.end()) found = all.emplace(key, make()).first;
    auto* metric = std::get_if<std::unique_ptr<Metric>>(&found->second);
    REEL_CHECK(metric != nullptr);
    return **metric;
  }

  void callback(std::string_view name, std::string_view help, std::string_view type,
                const Labels& labels, Callback read) EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    family(name, help, type).series.insert_or_assign(label_text(labels), std::move(read));
  }
};

Registry::Registry() : families_(std::make_unique<Families>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return families_->series<Counter>(name, help, "counter", labels,
                                    [] { return std::make_unique<Counter>(); });
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return families_->series<Gauge>(name, help, "gauge", labels,
                                  [] { return std::make_unique<Gauge>(); });
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               const std::vector<double>& upper_bounds, const Labels& labels) {
  return families_->series<Histogram>(name, help, "histogram", labels,
                                      [&] { return std::make_unique<Histogram>(upper_bounds); });
}

void Registry::gauge_callback(std::string_view name, std::string_view help, const Labels& labels,
                              std::function<double()> read) {
  families_->callback(name, help, "gauge", labels, std::move(read));
}

void Registry::counter_callback(std::string_view name, std::string_view help, const Labels& labels,
                                std::function<double()> read) {
  families_->callback(name, help, "counter", labels, std::move(read));
}

std::string Registry::render() const {
  std::string out;
  const MutexLock lock(families_->mutex);
  for (const auto& [name, family] : families_->by_name) {
    out.append("# HELP ").append(name).append(" ");
    append_escaped(out, family.help, false);
    out.append("\n# TYPE ").append(name).append(" ").append(family.type).append("\n");
    for (const auto& [labels, series] : family.series) append_series(out, name, labels, series);
  }
  return out;
}

}  // namespace reel::obs
