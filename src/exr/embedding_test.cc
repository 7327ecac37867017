#include "exr/embedding.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/test_seed.h"
#include "exr/test_headers.h"
#include "exr/walker.h"

namespace reel::exr {
namespace {

using testing::channel;
using testing::make_header;
using testing::PartBuilder;

double cosine(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}
double similarity(const Header& a, const Header& b) {
  return cosine(metadata_embedding(a), metadata_embedding(b));
}

//! Layers that renderers write.
const std::vector<std::string> kLayers = {"diffuse",
                                          "specular",
                                          "emission",
                                          "albedo",
                                          "normals",
                                          "position",
                                          "motion",
                                          "depth",
                                          "shadow",
                                          "sss",
                                          "volume",
                                          "coverage",
                                          "fresnel",
                                          "opacity",
                                          "ids",
                                          "reflection",
                                          "crypto_object00",
                                          "crypto_material00",
                                          "lights.key",
                                          "lights.fill",
                                          "lights.rim",
                                          "ao",
                                          "uv",
                                          "transmission",
                                          "coat",
                                          "sheen",
                                          "indirect",
                                          "denoised",
                                          "variance",
                                          "wireframe"};

//! A layout that nobody else has: its layers, compression, size and attributes.
class Layout {
 public:
  explicit Layout(std::mt19937_64& random, std::vector<std::string> names = kLayers) {
    std::shuffle(names.begin(), names.end(), random);
    names.resize(2 + random() % 10);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const auto type = random() % 2 == 0 ? PixelType::float16 : PixelType::float32;
      for (const char* component : {"B", "G", "R"}) {
        channels_.push_back(channel(name + "." + component, type));
      }
    }
    compression_ = static_cast<std::uint8_t>(random() % 5);
    width_ = static_cast<std::int32_t>(1 << (8 + random() % 6)) + 100;
    height_ = static_cast<std::int32_t>(1 << (8 + random() % 6)) + 50;
    for (auto count = random() % 20; count > 0; --count) {
      attributes_.push_back(fmt::format("renderer/setting{}", random() % 200));
    }
  }

  //! A frame: its own time code, date, data window and camera.
  Header frame(int number, int divide_by = 1) const {
    PartBuilder part;
    part.set("channels", channels_).compression(compression_);
    part.windows(width_ / divide_by, height_ / divide_by);
    part.set("dataWindow", testing::box(width_ / divide_by - number % 90, height_ / divide_by));
    for (const std::string& name : attributes_) part.set(name, "a value");
    part.set("timeCode", TimeCode{static_cast<std::uint32_t>(number % 10), 0});
    part.set("capDate", fmt::format("2026:11:21 12:00:{:02}", number % 60).c_str());
    part.set("cameraPosition", V3f{{static_cast<float>(number), 0, 0}});
    return make_header(part);
  }

 private:
  std::vector<Channel> channels_;
  std::uint8_t compression_ = 0;
  std::int32_t width_ = 0;
  std::int32_t height_ = 0;
  std::vector<std::string> attributes_;
};

TEST(EmbeddingTest, FramesOfASequenceAreNear) {
  std::mt19937_64 random(test_seed());
  double least = 1;
  for (int round = 0; round < 50; ++round) {
    const Layout layout(random);
    const Header first = layout.frame(0);
    for (int number = 1; number < 20; ++number) {
      least = std::min(least, similarity(first, layout.frame(number * 7)));
    }
  }
  RecordProperty("least_within_sequence", std::to_string(least));
  EXPECT_GE(least, 0.98);
}

TEST(EmbeddingTest, OtherResolutionsOfTheSameChannelsAreNear) {
  std::mt19937_64 random(test_seed());
  double least = 1;
  for (int round = 0; round < 100; ++round) {
    const Layout layout(random);
    least = std::min(least, similarity(layout.frame(0), layout.frame(0, 2)));
  }
  RecordProperty("least_other_resolution", std::to_string(least));
  EXPECT_GE(least, 0.85);
}

//! With no layer in common; compression, size and attributes may well be.
TEST(EmbeddingTest, UnrelatedHeadersAreFar) {
  std::mt19937_64 random(test_seed());
  const auto middle = kLayers.begin() + static_cast<std::ptrdiff_t>(kLayers.size() / 2);
  const std::vector<std::string> first(kLayers.begin(), middle);
  const std::vector<std::string> second(middle, kLayers.end());
  double most = -1;
  for (int i = 0; i < 500; ++i) {
    most =
        std::max(most, similarity(Layout(random, first).frame(i), Layout(random, second).frame(i)));
  }
  RecordProperty("most_unrelated", std::to_string(most));
  EXPECT_LE(most, 0.7);
}

TEST(EmbeddingTest, VectorsAreFiniteAndOfLengthOne) {
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < 200; ++i) {
    Header header = i == 0 ? Header{} : Layout(random).frame(i);
    // Damage of any kind.
    for (Part& part : header.parts) {
      for (Attribute& attribute : part.attributes) {
        if (i % 2 == 0 || attribute.bytes.empty()) continue;
        attribute.bytes[random() % attribute.bytes.size()] = static_cast<char>(random());
      }
    }
    const auto vector = metadata_embedding(header);
    const auto channels = channel_fingerprint(header);
    EXPECT_TRUE(
        std::all_of(vector.begin(), vector.end(), [](float v) { return std::isfinite(v); }));
    EXPECT_NEAR(cosine(vector, vector), 1, 1e-6);
    EXPECT_NEAR(cosine(channels, channels), 1, 1e-6);
  }
}

template <std::size_t N>
std::string digest(const std::array<float, N>& vector) {
  std::string bytes(sizeof vector, '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return hash128(bytes).to_hex();
}

//! The bytes themselves: another compiler, another machine, another year.
TEST(EmbeddingTest, VectorsNeverChange) {
  PartBuilder part;
  part.set("owner", "a studio").set("timeCode", TimeCode{1, 2});
  EXPECT_EQ(digest(metadata_embedding(make_header(part))), "98b29df590eced38b0c7b2a07f5d0f13");
  EXPECT_EQ(digest(channel_fingerprint(make_header(part))), "b6ac1ec8b4c9e56bae968c0051aac202");
}

TEST(EmbeddingTest, WhatIsNotOfTheContentDoesNotCount) {
  Header header = make_header(PartBuilder().set("timeCode", TimeCode{1, 2}));
  const auto before = metadata_embedding(header);
  for (Attribute& attribute : header.parts[0].attributes) attribute.offset += 1000;
  header.sha256 = {};
  std::swap(header.parts[0].attributes[0], header.parts[0].attributes[3]);
  EXPECT_EQ(metadata_embedding(header), before);
  EXPECT_EQ(metadata_embedding(make_header(PartBuilder().set("timeCode", TimeCode{7, 7}))), before);
}

TEST(EmbeddingTest, FingerprintsAreOfTheChannelsOnly) {
  const auto of = [](const PartBuilder& part) { return channel_fingerprint(make_header(part)); };
  const auto plain = of(PartBuilder());
  EXPECT_EQ(of(PartBuilder().windows(10, 10).compression(0).set("owner", "x")), plain);
  auto list = testing::channels({"B", "G", "R"}, PixelType::float32);
  const double other_type = cosine(of(PartBuilder().set("channels", list)), plain);
  EXPECT_GT(other_type, 0.3);
  EXPECT_LT(other_type, 0.7);
  EXPECT_LT(cosine(of(PartBuilder().set("channels", testing::channels({"Z"}))), plain), 0.4);
}

TEST(EmbeddingTest, GroupsWithoutWordsHaveNoShare) {
  std::array<float, 8> one;
  std::array<float, 8> both;
  const WordGroup words{.share = 500, .words = {{"a", 1}, {"b", 2}}};
  embed(std::array{words}, one);
  embed(std::array{words, WordGroup{.share = 500}}, both);
  EXPECT_EQ(one, both);
  embed({}, one);
  EXPECT_EQ(one, (std::array<float, 8>{1}));
}

TEST(EmbeddingTest, TheNearestAreFound) {
  std::mt19937_64 random(test_seed());
  for (const std::size_t size : {1U, 7U, 16U, 37U, 384U}) {
    std::vector<float> vectors(size * 200);
    for (float& value : vectors) value = static_cast<float>(random() % 9) / 4.0F - 1;
    const auto query = std::span(vectors).subspan(size * 17, size);
    std::vector<Neighbour> expected;
    for (std::size_t i = 0; i < 200; ++i) {
      expected.push_back(
          {i, static_cast<float>(cosine(query, std::span(vectors).subspan(size * i, size)))});
    }
    std::sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
      return std::tuple(-a.similarity, a.index) < std::tuple(-b.similarity, b.index);
    });
    for (const std::size_t count : {0U, 1U, 10U, 200U, 300U}) {
      const auto found = nearest(query, vectors, count);
      ASSERT_EQ(found.size(), std::min<std::size_t>(count, 200));
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].index, expected[i].index) << size << ' ' << i;
        EXPECT_EQ(found[i].similarity, expected[i].similarity);
      }
    }
  }
  EXPECT_TRUE(nearest(std::vector<float>{1}, {}, 5).empty());
}

//! The header of a file of the corpus; nothing without a corpus.
std::optional<Header> corpus_header(const std::string& name) {
  const char* const root = std::getenv("REELHOUSE_EXR_CORPUS");
  if (root == nullptr) return std::nullopt;
  const auto source = FileSource::open(std::string(root) + "/images/" + name);
  EXPECT_TRUE(source.has_value()) << name;
  if (!source) return std::nullopt;
  auto walked = walk(**source);
  EXPECT_TRUE(walked.has_value() && walked->whole) << name;
  return std::move(walked->header);
}

TEST(EmbeddingCorpusTest, LayoutsOfTheCorpusAreFarApart) {
  std::vector<Header> headers;
  for (const char* name :
       {"Beachball_multipart.0001.exr", "LuminanceChroma_Garden.exr", "MultiView_Fog.exr",
        "v2_LowResLeftView_Trunks.exr", "ScanLines_Carrots.exr",
        "MultiResolution_WavyLinesCube.exr", "TestImages_GrayRampsHorizontal.exr"}) {
    auto header = corpus_header(name);
    if (!header) GTEST_SKIP() << "REELHOUSE_EXR_CORPUS is not set";
    headers.push_back(*std::move(header));
  }
  double most = -1;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) most = std::max(most, similarity(headers[i], headers[j]));
  }
  RecordProperty("most_unrelated", std::to_string(most));
  EXPECT_LE(most, 0.7);
}

//! The corpus has one frame of the sequence; the others differ in data windows and dates.
TEST(EmbeddingCorpusTest, OtherFramesOfTheBeachballAreNear) {
  const auto header = corpus_header("Beachball_multipart.0001.exr");
  if (!header) GTEST_SKIP() << "REELHOUSE_EXR_CORPUS is not set";
  Header other = *header;
  for (Part& part : other.parts) {
    for (Attribute& attribute : part.attributes) {
      if (attribute.name == "dataWindow") {
        attribute.bytes = testing::Encoder::of(testing::box(700, 400)).second;
      } else if (attribute.name == "capDate") {
        attribute.bytes = "2026:11:21 12:00:00";
      }
    }
  }
  const double near = similarity(*header, other);
  RecordProperty("beachball", std::to_string(near));
  EXPECT_GE(near, 0.98);
  EXPECT_LT(near, 1);
}

}  // namespace
}  // namespace reel::exr
