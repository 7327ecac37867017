#include "obs/trace.h"

#include <gtest/gtest.h>

#include "obs/trace_internal.h"

namespace reel::obs {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContextTest, ParsesAndPrintsTheExampleOfTheStandard) {
  const auto context = TraceContext::parse(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context->span_id, "b7ad6b7169203331");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->to_traceparent(), kParent);
}

TEST(TraceContextTest, LaterVersionsMayAppend) {
  std::string later(kParent);
  later.replace(0, 2, "01");
  EXPECT_TRUE(TraceContext::parse(later));
  EXPECT_TRUE(TraceContext::parse(later + "-more"));
  EXPECT_FALSE(TraceContext::parse(later + "more"));
  EXPECT_FALSE(TraceContext::parse(std::string(kParent) + "-more"));
}

TEST(TraceContextTest, RefusesWhatIsMalformed) {
  EXPECT_FALSE(TraceContext::parse(""));
  EXPECT_FALSE(TraceContext::parse(kParent.substr(0, 54)));
  EXPECT_FALSE(TraceContext::parse("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_FALSE(TraceContext::parse("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"));
  EXPECT_FALSE(TraceContext::parse("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
  EXPECT_FALSE(TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
  EXPECT_FALSE(TraceContext::parse("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
}

TEST(TraceContextTest, StartedContextsAreValidAndDiffer) {
  const TraceContext a = TraceContext::start();
  const TraceContext b = TraceContext::start();
  EXPECT_NE(a.trace_id, b.trace_id);
  EXPECT_TRUE(TraceContext::parse(a.to_traceparent()));
}

TEST(TraceContextTest, AChildKeepsTheTrace) {
  const TraceContext parent = *TraceContext::parse(kParent);
  const TraceContext child = parent.child();
  EXPECT_EQ(child.trace_id, parent.trace_id);
  EXPECT_NE(child.span_id, parent.span_id);
  EXPECT_TRUE(child.sampled);
}

TEST(RequestIdTest, KeepsWhatIsSafe) {
  EXPECT_EQ(choose_request_id("abc-123"), "abc-123");
  EXPECT_EQ(choose_request_id(std::string(128, 'x')), std::string(128, 'x'));
}

TEST(RequestIdTest, ReplacesTheRest) {
  EXPECT_EQ(choose_request_id("").size(), 16U);
  EXPECT_NE(choose_request_id(std::string(129, 'x')), std::string(129, 'x'));
  for (const std::string_view bad : {"a b", "a\"b", "a'b", "a\x7f", "a\nb", "\xc3\xa9"}) {
    EXPECT_NE(choose_request_id(bad), bad);
  }
}

TEST(TraceScopeTest, ScopesNest) {
  EXPECT_EQ(current_request_id(), "");
  const TraceContext first{"t1", "s1", false};
  const TraceContext second{"t2", "s2", false};
  const TraceScope outer("r1", first);
  {
    const TraceScope inner("r2", second);
    EXPECT_EQ(current_request_id(), "r2");
    EXPECT_EQ(current_trace_id(), "t2");
  }
  EXPECT_EQ(current_request_id(), "r1");
  EXPECT_EQ(current_trace_id(), "t1");
}

}  // namespace
}  // namespace reel::obs
