#include <gtest/gtest.h>

#include "tams/listing.h"
#include "tams/record.h"
#include "tams/shapes.h"

namespace reel::tams {
namespace {

constexpr std::string_view kIds = R"("id":"10000000-0000-4000-8000-000000000001",
                                      "source_id":"10000000-0000-4000-8000-000000000002")";

//! "ok", or pointer and message of the first broken rule.
std::string verdict(const json::Shape& shape, const std::string& text) {
  const auto value = json::parse(text);
  if (!value) return "not JSON";
  const Status status = shape.check(*value);
  return status ? "ok" : status.error().pointer() + ": " + status.error().message();
}

std::string flow(const std::string& rest) { return "{" + std::string(kIds) + "," + rest + "}"; }

std::string video(const std::string& parameters) {
  return flow(R"("format":"urn:x-nmos:format:video","codec":"video/h264","essence_parameters":)" +
              parameters);
}

TEST(FlowShape, TakesEveryFormat) {
  const json::Shape shape = shape::flow_put();
  EXPECT_EQ(verdict(shape, video(R"({"frame_width":1,"frame_height":1,
                                     "frame_rate":{"numerator":25}})")),
            "ok");
  EXPECT_EQ(verdict(shape, flow(R"("format":"urn:x-nmos:format:multi")")), "ok");
  EXPECT_EQ(verdict(shape, flow(R"("format":"urn:x-tam:format:image","codec":"image/jpeg",
                       "essence_parameters":{"frame_width":1,"frame_height":2},"vendor":[1])")),
            "ok");
}

TEST(FlowShape, FrameRateDependsOnVfr) {
  const json::Shape shape = shape::flow_put();
  const std::string size = R"("frame_width":1,"frame_height":1)";
  EXPECT_EQ(verdict(shape, video("{" + size + "}")),
            "/essence_parameters: the member 'frame_rate' is required unless vfr is true");
  EXPECT_EQ(verdict(shape, video("{" + size + R"(,"vfr":true})")), "ok");
  EXPECT_EQ(verdict(shape, video("{" + size + R"(,"vfr":true,"frame_rate":{"numerator":1}})")),
            "/essence_parameters/frame_rate: must not be set when vfr is true");
}

TEST(FlowShape, NamesWhatIsWrong) {
  const json::Shape shape = shape::flow_put();
  EXPECT_EQ(verdict(shape, flow(R"("format":"urn:x-nmos:format:image")")).substr(0, 8), "/format:");
  EXPECT_EQ(verdict(shape, flow(R"("format":"urn:x-nmos:format:data",
                       "essence_parameters":{"more":1},"codec":"a/b")")),
            "/essence_parameters/more: unknown member 'more'");
  EXPECT_EQ(verdict(shape, flow(R"("format":"urn:x-nmos:format:data","essence_parameters":{})")),
            ": the member 'codec' is required");
}

TEST(FlowShape, AProfileStandsForAllTechnicalMembers) {
  const json::Shape shape = shape::flow_put();
  const std::string linked = R"("profile_id":"10000000-0000-4000-8000-000000000009")";
  EXPECT_EQ(verdict(shape, flow(linked + R"(,"label":"x","max_bit_rate":1)")), "ok");
  EXPECT_EQ(verdict(shape, flow(linked + R"(,"avg_bit_rate":1)")),
            "/avg_bit_rate: 'avg_bit_rate' comes from the profile and must not be given");
  EXPECT_EQ(verdict(shape, flow(R"("profile_id":"","format":"urn:x-nmos:format:multi")")), "ok");
  EXPECT_EQ(verdict(shape, flow(R"("profile_id":"")")), ": the member 'format' is required");
  EXPECT_EQ(verdict(shape, flow(R"("profile_id":7)")).substr(0, 11), "/profile_id");
}

TEST(SegmentShape, ChecksTimesAndUrls) {
  const json::Shape shape = shape::segment_post();
  EXPECT_EQ(verdict(shape, R"j({"object_id":"a","timerange":"[0:0_1:0)"})j"), "ok");
  EXPECT_NE(verdict(shape, R"j({"object_id":"a","timerange":"[00:0_1:0)"})j"), "ok");
  EXPECT_NE(verdict(shape, R"j({"object_id":"","timerange":"[0:0_1:0)"})j"), "ok");
  EXPECT_NE(verdict(shape, R"j({"object_id":"a","timerange":"_","last_duration":"-1:0"})j"), "ok");
  EXPECT_EQ(verdict(shape, R"j({"object_id":"a","timerange":"_","get_urls":[{"url":"x"}]})j"),
            "/get_urls/0: the member 'label' is required");
}

TEST(SegmentShape, TakesTags) {
  const std::string segment = R"j({"object_id":"a","timerange":"[0:0_1:0)","tags":)j";
  EXPECT_EQ(verdict(shape::segment_post(), segment + R"({"a":"b","list":["c","d"]}})"), "ok");
  EXPECT_EQ(verdict(shape::segment_post(), segment + R"({"a":7}})").substr(0, 8), "/tags/a:");
  EXPECT_EQ(verdict(shape::segment_post(), segment + "[]}").substr(0, 6), "/tags:");
}

TEST(StorageShape, LimitExcludesObjectIds) {
  EXPECT_EQ(verdict(shape::storage_request(), R"({"limit":1,"object_ids":["a"]})"),
            ": 'limit' and 'object_ids' exclude each other");
  EXPECT_EQ(verdict(shape::storage_request(), R"({"limit":0})").substr(0, 7), "/limit:");
}

TEST(MimeType, FollowsTheStrictPattern) {
  EXPECT_TRUE(shape::check_mime_type("video/mp2t"));
  EXPECT_TRUE(shape::check_mime_type("x-foo/bar.baz"));
  for (const std::string_view bad :
       {"", "video", "video/", "/mp2t", "video/a b", "film/mp4", "video/mp4;codecs=x", "x-/a"}) {
    EXPECT_FALSE(shape::check_mime_type(bad)) << bad;
  }
}

TEST(TagFilterTest, MatchesStringsAndLists) {
  const std::string_view tags = R"({"kind":"news","langs":["de","fr"],"a.b":"x"})";
  const auto matches = [&](std::vector<TagFilter::AnyOf> any,
                           std::vector<std::pair<std::string, bool>> exists) {
    return TagFilter{std::move(any), std::move(exists)}.matches(tags);
  };
  EXPECT_TRUE(matches({{"kind", {"sport", "news"}}}, {}));
  EXPECT_TRUE(matches({{"langs", {"fr"}}, {"a.b", {"x"}}}, {{"kind", true}, {"none", false}}));
  EXPECT_FALSE(matches({{"kind", {"new"}}}, {}));
  EXPECT_FALSE(matches({{"langs", {"it"}}}, {}));
  EXPECT_FALSE(matches({}, {{"kind", false}}));
  EXPECT_FALSE(TagFilter({{{"kind", {"news"}}}, {}}).matches(""));
}

TEST(PageKey, SurvivesTheRoundTripAndRefusesOthers) {
  const store::Type text = store::Type::of(store::TypeKind::string);
  const std::string key = make_page_key({{text, store::Value("a/b?c")}});
  const auto cells = read_page_key(key, {text});
  ASSERT_TRUE(cells);
  EXPECT_EQ((*cells)[0], store::Value("a/b?c"));
  for (const std::string& bad : {std::string("1"), key + "AA", std::string("*")}) {
    const auto refused = read_page_key(bad, {text});
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().pointer(), "?page");
  }
}

TEST(LabelOrder, PutsUnlabelledLast) {
  const json::Value label("~~~");
  EXPECT_LT(label_order(&label), label_order(nullptr));
}

}  // namespace
}  // namespace reel::tams
