#include "base/uuid.h"

#include <cstring>
#include <random>
#include <unordered_set>

#include <gtest/gtest.h>

#include "base/test_seed.h"

namespace reel {
namespace {

//! Random bytes that a seed repeats.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(unsigned char* bytes, std::size_t count) override {
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<unsigned char>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

TEST(Uuid, ReadsAndPrintsTheTamsForm) {
  constexpr std::string_view text = "5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a";
  const auto uuid = Uuid::parse(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->bytes[0], 0x5c);
  EXPECT_EQ(uuid->bytes[15], 0x2a);
  EXPECT_EQ(uuid->to_string(), text);
}

TEST(Uuid, AcceptsVersionsOneToFiveAndTheirVariant) {
  for (const char version : {'1', '2', '3', '4', '5'}) {
    std::string text = "00000000-0000-0000-8000-000000000000";
    text[14] = version;
    EXPECT_TRUE(Uuid::parse(text)) << text;
  }
  for (const char variant : {'8', '9', 'a', 'b'}) {
    std::string text = "00000000-0000-4000-8000-000000000000";
    text[19] = variant;
    EXPECT_TRUE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, RefusesEverythingElse) {
  for (const char* text : {
           "",
           "00000000-0000-0000-0000-000000000000",   // nil
           "00000000-0000-0000-8000-000000000000",   // version 0
           "00000000-0000-6000-8000-000000000000",   // version 6
           "00000000-0000-7000-8000-000000000000",   // version 7
           "00000000-0000-8000-8000-000000000000",   // version 8
           "00000000-0000-4000-7000-000000000000",   // variant
           "00000000-0000-4000-c000-000000000000",   // variant
           "5CB85E3C-0D5C-4C47-B9B7-89AF2D8B3F2A",   // upper case
           "5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2",    // short
           "5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a0",  // long
           "5cb85e3c00d5c-4c47-b9b7-89af2d8b3f2a",   // dash missing
           "5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2g",   // not hex
           "{5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2}",
           "5cb85e3c0d5c4c47b9b789af2d8b3f2a",
       }) {
    const auto parsed = Uuid::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::invalid);
  }
}

TEST(Uuid, RandomOnesAreLegalDistinctAndReadBack) {
  SeededRandom random(test_seed());
  std::unordered_set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::random(random);
    ASSERT_EQ(uuid.bytes[6] >> 4, 4);
    ASSERT_EQ(*Uuid::parse(uuid.to_string()), uuid);
    ASSERT_TRUE(seen.insert(uuid).second);
  }
  EXPECT_NE(Uuid::random(), Uuid::random());
}

TEST(Uuid, OrdersLikeItsText) {
  SeededRandom random(test_seed());
  for (int i = 0; i < 1000; ++i) {
    const Uuid a = Uuid::random(random);
    const Uuid b = Uuid::random(random);
    ASSERT_EQ(a <=> b, a.to_string() <=> b.to_string());
  }
}

TEST(Id, KindsDoNotMix) {
  static_assert(!std::is_convertible_v<FlowId, SourceId>);
  const auto flow = FlowId::parse("5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a");
  ASSERT_TRUE(flow);
  EXPECT_EQ(flow->to_string(), "5cb85e3c-0d5c-4c47-b9b7-89af2d8b3f2a");
  EXPECT_FALSE(FlowId::parse("x"));
}

// RFC 9562 appendix A.4: "www.example.com" in the DNS name space.
TEST(Uuid, NamesGiveTheIdentifierOfTheStandard) {
  const auto dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  ASSERT_TRUE(dns);
  EXPECT_EQ(Uuid::from_name(*dns, "www.example.com").to_string(),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

}  // namespace
}  // namespace reel
