#include "cli/tams_client.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

TEST(ParseSegment, EverythingAClientNeeds) {
  const auto entry = json::parse(R"json({
    "object_id": "a/b", "timerange": "[2:0_4:2000000)", "ts_offset": "-60:0",
    "key_frame_count": 2,
    "get_urls": [{"url": "s3://bucket/a"}, {"url": "https://store/a", "label": "x"}],
    "init_object": {"object_id": "i", "get_urls": [{"url": "http://store/i"}]}})json");
  const auto segment = parse_segment(*entry);
  ASSERT_TRUE(segment) << segment.error().message();
  EXPECT_EQ(segment->object_id, "a/b");
  EXPECT_EQ(segment->timerange.to_string(), "[2:0_4:2000000)");
  EXPECT_EQ(segment->ts_offset.to_string(), "-60:0");
  EXPECT_EQ(segment->url, "https://store/a") << "what an HTTP client can fetch";
  EXPECT_EQ(segment->init_id, "i");
  EXPECT_EQ(segment->init_url, "http://store/i");
  EXPECT_EQ(segment->key_frames, 2);
}

TEST(ParseSegment, Minimum) {
  const auto segment =
      parse_segment(*json::parse(R"json({"object_id":"a","timerange":"[0:0_1:0)"})json"));
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->ts_offset, time::Timestamp());
  EXPECT_TRUE(segment->url.empty());
  EXPECT_FALSE(parse_segment(*json::parse(R"({"object_id":"a","timerange":"soon"})")));
}

TEST(ParseAllocations, ContentTypeAndHeadersAreSentOnce) {
  const auto places = parse_allocations(*json::parse(R"({"media_objects": [
    {"object_id": "a", "put_url": {"url": "http://s/a", "content-type": "video/mp2t",
     "headers": {"Content-Type": "video/mp2t", "x-amz-acl": "private"}}},
    {"object_id": "b", "put_url": {"url": "/media/b"}}]})"));
  ASSERT_TRUE(places) << places.error().message();
  ASSERT_EQ(places->size(), 2u);
  const http::ClientHeaders wanted = {{"Content-Type", "video/mp2t"}, {"x-amz-acl", "private"}};
  EXPECT_EQ((*places)[0].headers, wanted);
  EXPECT_TRUE((*places)[1].headers.empty());
  EXPECT_FALSE(parse_allocations(*json::parse(R"({"media_objects": []})")));
  EXPECT_FALSE(parse_allocations(*json::parse(R"({"media_objects": [{"object_id": "a"}]})")));
}

TEST(ErrorText, SaysWhatTheServerSaid) {
  http::ClientResponse response;
  response.status = 400;
  response.body = R"({"summary": "no such format", "pointer": "/format"})";
  EXPECT_EQ(error_text(response), "400 no such format (at /format)");
  response.body = R"({"message": "bad"})";
  EXPECT_EQ(error_text(response), "400 bad");
  response.body = "<html>";
  EXPECT_EQ(error_text(response), "400 <html>");
}

}  // namespace
}  // namespace reel::cli
