#include "obs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "obs/log_internal.h"
#include "obs/trace.h"

namespace reel::obs {
namespace {

constexpr Instant kWhen{1'700'000'000'000'000};

std::string json_line(std::string_view message, std::initializer_list<LogField> fields) {
  return format_line(LogFormat::json, kWhen, Level::info, message, {fields.begin(), fields.size()});
}

std::string human_line(std::string_view message, std::initializer_list<LogField> fields) {
  return format_line(LogFormat::human, kWhen, Level::warning, message,
                     {fields.begin(), fields.size()});
}

TEST(LogFormatTest, JsonKeepsTypes) {
  EXPECT_EQ(json_line("started", {{"port", 8000}, {"tls", true}, {"ratio", 0.5}, {"dir", "a b"}}),
            R"({"time":"2023-11-14T22:13:20.000000Z","level":"info","message":"started",)"
            R"("port":8000,"tls":true,"ratio":0.5,"dir":"a b"})");
}

TEST(LogFormatTest, JsonEscapesWhatAClientSent) {
  EXPECT_THAT(json_line("x\n{\"level\":\"error\"}", {}),
              testing::HasSubstr(R"("message":"x\n{\"level\":\"error\"}")"));
}

TEST(LogFormatTest, HumanQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(human_line("disk is full", {{"path", "/var/x"}, {"why", "no space"}, {"free", 0}}),
            "2023-11-14T22:13:20.000000Z WARN  disk is full path=/var/x why=\"no space\" free=0");
}

TEST(LogFormatTest, HumanNeverBreaksTheLine) {
  EXPECT_EQ(human_line("a\r\nb", {{"c", "d\ne=f"}}).find('\n'), std::string::npos);
}

TEST(LogFormatTest, LinesCarryTheScope) {
  const TraceContext trace{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", false};
  const TraceScope scope("req-1", trace);
  EXPECT_THAT(
      json_line("m", {}),
      testing::HasSubstr(R"("request_id":"req-1","trace_id":"0af7651916cd43dd8448eb211c80319c")"));
  EXPECT_THAT(human_line("m", {}), testing::EndsWith(" request_id=req-1"));
}

TEST(LogTest, WritesToStderrAndFiltersByLevel) {
  configure_log(Level::warning, LogFormat::json);
  testing::internal::CaptureStderr();
  log(Level::info, "quiet");
  log(Level::warning, "loud", {{"n", 1}});
  log_error("failed", Error(Code::io, "no space").at("/x"), {{"file", "f"}});
  flush_log();
  const std::string lines = testing::internal::GetCapturedStderr();
  configure_log(Level::info, LogFormat::human);
  EXPECT_THAT(lines, testing::Not(testing::HasSubstr("quiet")));
  EXPECT_THAT(lines, testing::HasSubstr(R"("message":"loud","n":1})"));
  EXPECT_THAT(lines, testing::HasSubstr(R"("code":"io","error":"no space","origin":"log_test.cc)"));
  EXPECT_THAT(lines, testing::HasSubstr(R"("pointer":"/x","file":"f"})"));
}

}  // namespace
}  // namespace reel::obs
