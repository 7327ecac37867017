#include "http/range.h"

#include <gtest/gtest.h>

namespace reel::http {
namespace {

constexpr auto kWhole = RangeRequest::Kind::whole;
constexpr auto kPart = RangeRequest::Kind::part;
constexpr auto kUnsatisfiable = RangeRequest::Kind::unsatisfiable;

struct RangeCase {
  std::string_view field;
  std::uint64_t total;
  RangeRequest expected;
};

class ReadRangeTest : public testing::TestWithParam<RangeCase> {};

TEST_P(ReadRangeTest, Reads) {
  const RangeCase& c = GetParam();
  EXPECT_EQ(read_range(c.field, c.total), c.expected) << c.field << " of " << c.total;
}

INSTANTIATE_TEST_SUITE_P(
    All, ReadRangeTest,
    testing::Values(
        RangeCase{"bytes=0-0", 10, {kPart, 0, 1}}, RangeCase{"bytes=0-9", 10, {kPart, 0, 10}},
        RangeCase{"bytes=0-10", 10, {kPart, 0, 10}}, RangeCase{"bytes=9-", 10, {kPart, 9, 1}},
        RangeCase{"bytes=10-", 10, {kUnsatisfiable, 0, 0}},
        RangeCase{"bytes=10-20", 10, {kUnsatisfiable, 0, 0}},
        RangeCase{"bytes=-1", 10, {kPart, 9, 1}}, RangeCase{"bytes=-10", 10, {kPart, 0, 10}},
        RangeCase{"bytes=-11", 10, {kPart, 0, 10}},
        RangeCase{"bytes=-0", 10, {kUnsatisfiable, 0, 0}},
        RangeCase{"bytes=0-", 0, {kUnsatisfiable, 0, 0}},
        RangeCase{"bytes=-5", 0, {kUnsatisfiable, 0, 0}}, RangeCase{"Bytes=1-2", 10, {kPart, 1, 2}},
        RangeCase{"bytes= 1-2 ", 10, {kPart, 1, 2}},
        RangeCase{"bytes=0-99999999999999999999", 10, {kPart, 0, 10}},
        RangeCase{"bytes=99999999999999999999-", 10, {kUnsatisfiable, 0, 0}},
        RangeCase{"bytes=18446744073709551615-", 10, {kUnsatisfiable, 0, 0}},
        RangeCase{"bytes=5-4", 10, {kWhole, 0, 0}}, RangeCase{"bytes=0-1,4-5", 10, {kWhole, 0, 0}},
        RangeCase{"bytes=-", 10, {kWhole, 0, 0}}, RangeCase{"bytes=", 10, {kWhole, 0, 0}},
        RangeCase{"bytes=a-b", 10, {kWhole, 0, 0}}, RangeCase{"bytes=1 -2", 10, {kWhole, 0, 0}},
        RangeCase{"bytes=--1", 10, {kWhole, 0, 0}}, RangeCase{"bytes=1-2-3", 10, {kWhole, 0, 0}},
        RangeCase{"items=0-1", 10, {kWhole, 0, 0}}, RangeCase{"", 10, {kWhole, 0, 0}}));

api::Headers fields(std::initializer_list<std::pair<std::string, std::string>> all) {
  api::Headers headers;
  for (const auto& [name, value] : all) headers.add(name, value);
  return headers;
}

TEST(IfRangeTest, NeedsTheExactStrongTag) {
  const api::Headers answer = fields({{"ETag", "\"a\""}});
  EXPECT_TRUE(if_range_holds("\"a\"", answer));
  EXPECT_FALSE(if_range_holds("\"b\"", answer));
  EXPECT_FALSE(if_range_holds("W/\"a\"", answer));
  EXPECT_FALSE(if_range_holds("W/\"a\"", fields({{"ETag", "W/\"a\""}})));
  EXPECT_FALSE(if_range_holds("\"a\"", api::Headers()));
}

TEST(IfRangeTest, OrTheExactDate) {
  const api::Headers answer = fields({{"Last-Modified", "Sat, 29 Oct 1994 19:43:31 GMT"}});
  EXPECT_TRUE(if_range_holds("Sat, 29 Oct 1994 19:43:31 GMT", answer));
  EXPECT_FALSE(if_range_holds("Sat, 29 Oct 1994 19:43:32 GMT", answer));
}

api::Response file_of(std::uint64_t bytes) {
  api::Response answer = api::Response::empty(200);
  answer.headers.add("Content-Type", "video/mp4");
  answer.headers.add("ETag", "\"a\"");
  answer.body = api::FileBody{nullptr, -1, 100, bytes};
  return answer;
}

TEST(ApplyRangeTest, CutsTheFile) {
  api::Response answer = file_of(1000);
  apply_range(fields({{"Range", "bytes=10-19"}}), answer);
  EXPECT_EQ(answer.status, 206);
  EXPECT_EQ(*answer.headers.find("Content-Range"), "bytes 10-19/1000");
  EXPECT_EQ(std::get<api::FileBody>(answer.body).offset, 110U);
  EXPECT_EQ(std::get<api::FileBody>(answer.body).length, 10U);
}

TEST(ApplyRangeTest, SaysWhatIsThereWhenOutside) {
  api::Response answer = file_of(1000);
  apply_range(fields({{"Range", "bytes=1000-"}}), answer);
  EXPECT_EQ(answer.status, 416);
  EXPECT_EQ(*answer.headers.find("Content-Range"), "bytes */1000");
  EXPECT_EQ(std::get<std::string>(answer.body), "");
}

TEST(ApplyRangeTest, ServesTheWholeWhenTheFileChanged) {
  api::Response answer = file_of(1000);
  apply_range(fields({{"Range", "bytes=10-19"}, {"If-Range", "\"b\""}}), answer);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(*answer.headers.find("Accept-Ranges"), "bytes");
}

TEST(ApplyRangeTest, LeavesTextAlone) {
  api::Response answer = api::Response::json(200, "{}");
  apply_range(fields({{"Range", "bytes=0-0"}}), answer);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.find("Accept-Ranges"), nullptr);
}

}  // namespace
}  // namespace reel::http
