#include <string>

#include <benchmark/benchmark.h>

#include "time/time_range.h"

namespace reel::time {
namespace {

constexpr std::string_view kTimestamp = "1694429247:40000000";
constexpr std::string_view kSegment = "[1694429247:40000000_1694429249:40000000)";

void parse_timestamp(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Timestamp::parse(kTimestamp));
}
BENCHMARK(parse_timestamp);

void parse_range(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(TimeRange::parse(kSegment));
}
BENCHMARK(parse_range);

void print_range(benchmark::State& state) {
  const TimeRange range = *TimeRange::parse(kSegment);
  std::string out;
  for (auto _ : state) {
    out.clear();
    range.append_to(out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(print_range);

void make_key(benchmark::State& state) {
  Timestamp timestamp = *Timestamp::parse(kTimestamp);
  for (auto _ : state) {
    benchmark::DoNotOptimize(timestamp);
    benchmark::DoNotOptimize(timestamp.key());
  }
}
BENCHMARK(make_key);

void read_key(benchmark::State& state) {
  TimestampKey key = Timestamp::parse(kTimestamp)->key();
  for (auto _ : state) {
    benchmark::DoNotOptimize(key);
    benchmark::DoNotOptimize(Timestamp::from_key(key));
  }
}
BENCHMARK(read_key);

void overlap(benchmark::State& state) {
  TimeRange a = *TimeRange::parse(kSegment);
  TimeRange b = *TimeRange::parse("[1694429249:0_");
  for (auto _ : state) {
    benchmark::DoNotOptimize(a);
    benchmark::DoNotOptimize(a.overlaps(b));
  }
}
BENCHMARK(overlap);

}  // namespace
}  // namespace reel::time
