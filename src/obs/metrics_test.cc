#include "obs/metrics.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

namespace reel::obs {
namespace {

TEST(CounterTest, AddsAcrossThreads) {
  Counter counter;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 10'000; ++n) counter.add();
      });
    }
  }
  counter.add(5);
  EXPECT_EQ(counter.value(), 40'005U);
}

TEST(HistogramTest, AnUpperBoundBelongsToItsBucket) {
  Histogram histogram({1, 2});
  for (const double value : {0.5, 1.0, 1.5, 2.0, 2.5}) histogram.observe(value);
  const auto reading = histogram.read();
  EXPECT_EQ(reading.cumulative, (std::vector<std::uint64_t>{2, 4, 5}));
  EXPECT_DOUBLE_EQ(reading.sum, 7.5);
}

TEST(RegistryTest, TheSameSeriesIsTheSameObject) {
  Registry registry;
  Counter& a = registry.counter("c", "help", {{"x", "1"}});
  Counter& b = registry.counter("c", "help", {{"x", "2"}});
  EXPECT_EQ(&a, &registry.counter("c", "help", {{"x", "1"}}));
  EXPECT_NE(&a, &b);
}

TEST(RegistryTest, RendersCountersAndGauges) {
  Registry registry;
  registry.counter("b_total", "Things.", {{"kind", "x"}}).add(3);
  registry.gauge("a_now", "Now.").set(-2);
  registry.gauge_callback("c_ratio", "Asked for.", {}, [] { return 0.25; });
  EXPECT_EQ(registry.render(),
            "# HELP a_now Now.\n# TYPE a_now gauge\na_now -2\n"
            "# HELP b_total Things.\n# TYPE b_total counter\nb_total{kind=\"x\"} 3\n"
            "# HELP c_ratio Asked for.\n# TYPE c_ratio gauge\nc_ratio 0.25\n");
}

TEST(RegistryTest, RendersCumulativeBuckets) {
  Registry registry;
  auto& histogram = registry.histogram("h_seconds", "Time.", {0.1, 1}, {{"route", "/a"}});
  histogram.observe(0.05);
  histogram.observe(0.5);
  histogram.observe(5);
  EXPECT_EQ(registry.render(),
            "# HELP h_seconds Time.\n# TYPE h_seconds histogram\n"
            "h_seconds_bucket{route=\"/a\",le=\"0.1\"} 1\n"
            "h_seconds_bucket{route=\"/a\",le=\"1\"} 2\n"
            "h_seconds_bucket{route=\"/a\",le=\"+Inf\"} 3\n"
            "h_seconds_sum{route=\"/a\"} 5.55\n"
            "h_seconds_count{route=\"/a\"} 3\n");
}

TEST(RegistryTest, EscapesLabelsAndHelp) {
  Registry registry;
  registry.counter("c", "a \\ \"b\"\nc", {{"x", "q\"\\\n"}}).add();
  EXPECT_EQ(registry.render(),
            "# HELP c a \\\\ \"b\"\\nc\n# TYPE c counter\nc{x=\"q\\\"\\\\\\n\"} 1\n");
}

TEST(RegistryTest, SpecialNumbersHaveTheirNames) {
  Registry registry;
  registry.gauge_callback("g", "h", {}, [] { return std::numeric_limits<double>::infinity(); });
  EXPECT_NE(registry.render().find("g +Inf\n"), std::string::npos);
}

}  // namespace
}  // namespace reel::obs
