#include "obs/otlp.h"

#include <gtest/gtest.h>

#include <array>

#include "base/version.h"

namespace reel::obs {
namespace {

TEST(OtlpTest, WritesWhatTheProtocolWants) {
  const std::array spans = {
      FinishedSpan{.context = {"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true},
                   .name = "GET /flows",
                   .kind = SpanKind::server,
                   .start_ns = 1'700'000'000'000'000'001,
                   .end_ns = 1'700'000'000'000'000'002,
                   .attributes = {{"url.path", std::string("/fl\"ows")},
                                  {"http.response.status_code", 500},
                                  {"ours", true}},
                   .failed = true},
      FinishedSpan{.context = {"0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", true},
                   .parent_span_id = "b7ad6b7169203331",
                   .name = "store commit"}};
  const std::string expected =
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":)"
      R"({"stringValue":"reelhouse"}}]},"scopeSpans":[{"scope":{"name":"reelhouse","version":")" +
      std::string(kVersion) +
      R"("},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",)"
      R"("name":"GET /flows","kind":2,"startTimeUnixNano":"1700000000000000001",)"
      R"("endTimeUnixNano":"1700000000000000002","attributes":[)"
      R"({"key":"url.path","value":{"stringValue":"/fl\"ows"}},)"
      R"({"key":"http.response.status_code","value":{"intValue":"500"}},)"
      R"({"key":"ours","value":{"boolValue":true}}],"status":{"code":2}},)"
      R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7",)"
      R"("parentSpanId":"b7ad6b7169203331","name":"store commit","kind":1,)"
      R"("startTimeUnixNano":"0","endTimeUnixNano":"0","attributes":[]}]}]}]})";
  EXPECT_EQ(otlp_request({{"service.name", std::string("reelhouse")}}, spans), expected);
}

TEST(OtlpTest, ReadsHowManyWereRefused) {
  EXPECT_EQ(otlp_rejected(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}})"), 3U);
  EXPECT_EQ(otlp_rejected(R"({"partialSuccess":{"rejectedSpans":4}})"), 4U);
  for (const std::string_view nothing :
       {"", "{}", "[]", R"({"partialSuccess":{}})", R"({"partialSuccess":null})",
        R"({"partialSuccess":{"rejectedSpans":-1}})",
        R"({"partialSuccess":{"rejectedSpans":[]}})"}) {
    EXPECT_EQ(otlp_rejected(nothing), 0U) << nothing;
  }
}

}  // namespace
}  // namespace reel::obs
