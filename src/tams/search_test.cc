#include "tams/search.h"

#include <gtest/gtest.h>

namespace reel::tams {
namespace {

using Words = std::vector<std::string>;

TEST(Search, CutsTextIntoWords) {
  EXPECT_EQ(words_of(""), Words());
  EXPECT_EQ(words_of(" -- "), Words());
  EXPECT_EQ(words_of("Camera 1, Studio-A"), (Words{"camera", "1", "studio", "a"}));
  EXPECT_EQ(words_of("video/H264"), (Words{"video", "h264"}));
  EXPECT_EQ(words_of("ÄÖÜ ŁÓDŹ ΑΘΗΝΑ МОСКВА Ёж"), (Words{"äöü", "łódź", "αθηνα", "москва", "ёж"}));
  EXPECT_EQ(words_of("日本 café"), (Words{"日本", "café"}));
  EXPECT_EQ(words_of("a\xff\xc3"), (Words{"a"})) << "malformed bytes are no words";
}

TEST(Search, KeepsTheWordsOfADocumentOnce) {
  const auto document = json::parse(
      R"({"label":"News at one","description":"One o'clock news","codec":"video/h264",
          "tags":{"studio":["A","news"]},"format":"urn:x-nmos:format:video"})");
  EXPECT_EQ(search_text(*document), "  news  at  one  o  clock  studio  a  video  h264 ");
  EXPECT_EQ(search_text(json::Value(json::Object{})), "");
  json::Value large;
  std::string label;
  for (int i = 0; i < 100'000; ++i) label += fmt::format("w{} ", i);
  large.set("label", label);
  EXPECT_LE(search_text(large).size(), 3 * 16384U);
}

TEST(Search, RanksWordsByHowTheyFit) {
  EXPECT_EQ(word_similarity("camera", "camera"), 1);
  const double prefix = word_similarity("cam", "camera");
  const double longer_prefix = word_similarity("camer", "camera");
  const double near_miss = word_similarity("camara", "camera");
  EXPECT_LT(prefix, longer_prefix);
  EXPECT_LT(longer_prefix, 1);
  EXPECT_GE(prefix, 0.75);
  EXPECT_GT(near_miss, 0);
  EXPECT_LE(near_miss, 0.7);
  EXPECT_EQ(word_similarity("camera", "tripod"), 0);
  EXPECT_LT(word_similarity("era", "camera"), near_miss) << "the end of a word is no beginning";
}

}  // namespace
}  // namespace reel::tams
