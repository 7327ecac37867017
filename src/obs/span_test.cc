#include "obs/span.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

namespace reel::obs {
namespace {

const TraceContext kSampled{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};

class SpanTest : public testing::Test {
 protected:
  Counter dropped;
  Tracer tracer{{.sample_ratio = 1, .queue_max = 4}, dropped};
};

TEST_F(SpanTest, ChildrenNestBelowWhatTheThreadWorksOn) {
  {
    const TraceScope scope("r", kSampled, &tracer);
    Span outer("outer");
    outer.set("n", 7);
    EXPECT_TRUE(outer.recording());
    const Span inner("inner", SpanKind::client);
  }
  const auto spans = tracer.take();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name, "inner");
  EXPECT_EQ(spans[0].kind, SpanKind::client);
  EXPECT_EQ(spans[0].parent_span_id, spans[1].context.span_id);
  EXPECT_EQ(spans[1].parent_span_id, kSampled.span_id);
  EXPECT_EQ(spans[1].context.trace_id, kSampled.trace_id);
  EXPECT_LE(spans[1].start_ns, spans[0].start_ns);
  EXPECT_LE(spans[0].end_ns, spans[1].end_ns);
  EXPECT_EQ(std::get<std::int64_t>(spans[1].attributes.at(0).second), 7);
  EXPECT_FALSE(spans[1].failed);
}

TEST_F(SpanTest, NothingIsRecordedOutsideOfASampledTrace) {
  TraceContext unsampled = kSampled;
  unsampled.sampled = false;
  {
    const Span alone("x");
  }
  {
    const TraceScope scope("r", unsampled, &tracer);
    Span span("x");
    span.fail("y");
    EXPECT_FALSE(span.recording());
  }
  {
    const TraceScope scope("r", kSampled);
    const Span span("x");
    EXPECT_EQ(span.traceparent(), "");
  }
  EXPECT_TRUE(tracer.take().empty());
}

TEST_F(SpanTest, ARootBeginsATraceAndEndsIt) {
  std::string traceparent;
  {
    Span root(&tracer, "POST", SpanKind::client);
    root.fail("timeout");
    traceparent = root.traceparent();
    const Span child("child");
  }
  {
    const Span after("not below the root");
  }
  const auto spans = tracer.take();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].parent_span_id, spans[1].context.span_id);
  EXPECT_EQ(spans[1].parent_span_id, "");
  EXPECT_TRUE(spans[1].failed);
  EXPECT_EQ(spans[1].context.to_traceparent(), traceparent);
}

TEST_F(SpanTest, AnUnsampledRootTellsTheNextHop) {
  Tracer none({.sample_ratio = 0, .queue_max = 4}, dropped);
  {
    const Span root(&none, "POST", SpanKind::client);
    EXPECT_FALSE(root.recording());
    EXPECT_TRUE(root.traceparent().ends_with("-00"));
    const Span child("child");
    EXPECT_FALSE(child.recording());
  }
  EXPECT_TRUE(none.take().empty());
}

TEST_F(SpanTest, AFullQueueDropsAndCountsUntilItIsSettled) {
  const auto record = [&] { tracer.record({.context = kSampled, .name = "x"}); };
  for (int i = 0; i < 4; ++i) record();
  EXPECT_EQ(dropped.value(), 0U);
  record();
  EXPECT_EQ(dropped.value(), 1U);
  EXPECT_EQ(tracer.take().size(), 4U);
  record();
  EXPECT_EQ(dropped.value(), 2U) << "what is being sent still has its room";
  tracer.settle(4);
  record();
  EXPECT_EQ(tracer.take().size(), 1U);
}

TEST_F(SpanTest, AFullQueueEndsTheWait) {
  for (int i = 0; i < 4; ++i) tracer.record({.context = kSampled, .name = "x"});
  const std::stop_source nobody_asks;
  for (int i = 0; i < 2; ++i) tracer.wait(nobody_asks.get_token(), std::chrono::hours(1));
  EXPECT_EQ(tracer.take().size(), 4U);
}

TEST_F(SpanTest, NoSpanOfManyThreadsIsLost) {
  Tracer large({.sample_ratio = 1, .queue_max = 100'000}, dropped);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const TraceScope scope("r", kSampled, &large);
        for (int n = 0; n < 1'000; ++n) const Span span("x");
      });
    }
  }
  EXPECT_EQ(large.take().size(), 8'000U);
}

TEST_F(SpanTest, TheRatioIsKeptAndDependsOnTheIdAlone) {
  const Tracer quarter({.sample_ratio = 0.25, .queue_max = 1}, dropped);
  int sampled = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string id = TraceContext::start().trace_id;
    sampled += quarter.samples(id) ? 1 : 0;
    ASSERT_EQ(quarter.samples(id), quarter.samples(id));
    ASSERT_TRUE(tracer.samples(id));
  }
  EXPECT_NEAR(sampled, 5'000, 500);  // eight standard deviations
  EXPECT_TRUE(quarter.samples("ffffffffffffffffff00000000000000"));
  EXPECT_FALSE(quarter.samples("000000000000000000ffffffffffffff"));
  EXPECT_FALSE(quarter.samples(""));
}

}  // namespace
}  // namespace reel::obs
