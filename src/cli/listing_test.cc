#include "cli/listing.h"

#include <gtest/gtest.h>

namespace reel::cli {
namespace {

TEST(ListQuery, EncodesFilters) {
  ListFilters filters;
  EXPECT_EQ(*list_query(filters), "");
  filters.timerange = "[100:0_160:0)";
  filters.label = "Camera 1 & 2";
  filters.format = "video";
  filters.tags = {"camera=2", "locked", "a.b=c=d"};
  filters.without_urls = true;
  EXPECT_EQ(*list_query(filters),
            "?timerange=%5B100%3A0_160%3A0%29&label=Camera%201%20%26%202"
            "&format=urn%3Ax-nmos%3Aformat%3Avideo&tag.camera=2&tag_exists.locked=true"
            "&tag.a.b=c%3Dd&accept_get_urls=");
}

TEST(ListQuery, ImagesHaveAnotherPrefix) {
  ListFilters filters;
  filters.format = "image";
  EXPECT_EQ(*list_query(filters), "?format=urn%3Ax-tam%3Aformat%3Aimage");
  filters.format = "urn:x-mine:format:x";
  EXPECT_EQ(*list_query(filters), "?format=urn%3Ax-mine%3Aformat%3Ax");
}

TEST(ListQuery, RefusesTimeRangesThatAreNone) {
  ListFilters filters;
  filters.timerange = "yesterday";
  EXPECT_EQ(list_query(filters).error().code(), Code::invalid);
}

std::string essence(const char* text) { return essence_text(*json::parse(text)); }

TEST(EssenceText, SaysWhatMatters) {
  EXPECT_EQ(essence(R"({"format":"urn:x-nmos:format:video","essence_parameters":
      {"frame_width":1920,"frame_height":1080,
       "frame_rate":{"numerator":30000,"denominator":1001}}})"),
            "video 1920x1080 29.97 fps");
  EXPECT_EQ(essence(R"({"format":"urn:x-nmos:format:video","essence_parameters":
      {"frame_width":640,"frame_height":360,"frame_rate":{"numerator":25}}})"),
            "video 640x360 25 fps");
  EXPECT_EQ(essence(R"({"format":"urn:x-nmos:format:video","essence_parameters":
      {"frame_width":640,"frame_height":360,"vfr":true}})"),
            "video 640x360 variable rate");
  EXPECT_EQ(essence(R"({"format":"urn:x-nmos:format:audio","essence_parameters":
      {"sample_rate":48000,"channels":2}})"),
            "audio 48000 Hz 2 ch");
  EXPECT_EQ(essence(R"({"format":"urn:x-nmos:format:multi","flow_collection":[{},{}]})"),
            "multi, 2 flows");
  EXPECT_EQ(essence(R"({"format":"urn:x-nmos:format:data"})"), "data");
}

}  // namespace
}  // namespace reel::cli
