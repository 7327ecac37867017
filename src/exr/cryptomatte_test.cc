#include "exr/cryptomatte.h"

#include <array>

#include <gtest/gtest.h>

#include "exr/test_headers.h"

namespace reel::exr {
namespace {

using testing::channel;
using testing::channels;
using testing::make_header;
using testing::PartBuilder;

std::vector<Channel> ranks(std::string_view name, int count, PixelType type = PixelType::float32) {
  std::vector<Channel> all;
  for (int rank = 0; rank < count; ++rank) {
    for (const char component : {'A', 'B', 'G', 'R'}) {
      all.push_back(channel(fmt::format("{}{:02}.{}", name, rank, component), type));
    }
  }
  return all;
}

PartBuilder good() {
  PartBuilder part;
  part.set("channels", ranks("crypto_object", 3));
  part.set("cryptomatte/d593dd7/name", "crypto_object");
  part.set("cryptomatte/d593dd7/hash", "MurmurHash3_32");
  part.set("cryptomatte/d593dd7/conversion", "uint32_to_float32");
  part.set("cryptomatte/d593dd7/manifest", R"({"bunny":"13851a76"})");
  return part;
}

//! "code attribute" of each finding.
std::vector<std::string> findings_of(const PartBuilder& part) {
  const Header header = make_header(part);
  Findings findings;
  cryptomattes(header, findings);
  std::vector<std::string> texts;
  for (const Finding& each : findings) {
    EXPECT_FALSE(each.message.empty());
    texts.push_back(fmt::format("{} {}", each.code, each.attribute));
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(CryptomatteTest, AttributesOfOneIdBelongTogether) {
  const Header header = make_header(good().set("cryptomatte/other/name", "crypto_material"));
  Findings findings;
  const auto mattes = cryptomattes(header, findings);
  ASSERT_EQ(mattes.size(), 2U);
  EXPECT_EQ(mattes[0].id, "d593dd7");
  EXPECT_EQ(mattes[0].name, "crypto_object");
  EXPECT_EQ(mattes[0].manifest, R"({"bunny":"13851a76"})");
  EXPECT_EQ(mattes[0].ranks, 3U);
  EXPECT_EQ(mattes[1].id, "other");
  EXPECT_EQ(mattes[1].ranks, 0U);
}

TEST(CryptomatteTest, AGoodOneHasNoFindings) {
  EXPECT_EQ(findings_of(good()), Texts{});
  EXPECT_EQ(findings_of(good().compression(6)), Texts{});
  EXPECT_EQ(findings_of(PartBuilder()), Texts{});
}

TEST(CryptomatteTest, WhatIsWrongIsFound) {
  constexpr char kId[] = "cryptomatte/d593dd7";
  const auto one = [&](std::string_view code) { return Texts{fmt::format("{} {}", code, kId)}; };
  EXPECT_EQ(findings_of(good().erase("cryptomatte/d593dd7/name")), one("cryptomatte_no_name"));
  EXPECT_EQ(findings_of(good().set("channels", channels({"R"}))), one("cryptomatte_no_channels"));
  EXPECT_EQ(findings_of(good().erase("cryptomatte/d593dd7/manifest")),
            one("cryptomatte_no_manifest"));
  EXPECT_EQ(findings_of(good().set("cryptomatte/d593dd7/hash", "MD5")),
            one("cryptomatte_hash_unknown"));
  EXPECT_EQ(findings_of(good().set("channels", ranks("crypto_object", 1, PixelType::float16))),
            one("cryptomatte_not_float"));
  for (const std::uint8_t lossy : std::array<std::uint8_t, 3>{5, 8, 9}) {
    EXPECT_EQ(findings_of(good().compression(lossy)), one("cryptomatte_lossy"));
  }
  EXPECT_EQ(findings_of(good().set("cryptomatte/d593dd7/hash", std::int32_t{3})),
            Texts{"cryptomatte_wrong_type cryptomatte/d593dd7/hash"});
}

TEST(CryptomatteTest, ManifestFilesStayBesideTheImage) {
  for (const char* path :
       {"/etc/passwd", "..", "../m.json", "a/../../m.json", "a/..", "C:m.json", "a\\b.json"}) {
    EXPECT_EQ(findings_of(good().set("cryptomatte/d593dd7/manif_file", path)),
              Texts{"cryptomatte_file_outside cryptomatte/d593dd7"})
        << path;
  }
  for (const char* path : {"m.json", "a/m.json", "..m.json", "a..b/m.json"}) {
    EXPECT_EQ(findings_of(good().set("cryptomatte/d593dd7/manif_file", path)), Texts{}) << path;
  }
}

TEST(CryptomatteTest, OddNamesOfAttributesAreOrdinaryAttributes) {
  PartBuilder part;
  part.set("cryptomatte/", "x").set("cryptomatte/name", "x").set("cryptomatte", "x");
  part.set("cryptomatte/a/other", "x");
  EXPECT_EQ(findings_of(part), Texts{});
}

TEST(CryptomatteTest, ManyIdsAreReadInOneGo) {
  PartBuilder part = good();
  Header header = make_header(part);
  for (int i = 0; i < 20'000; ++i) {
    header.parts[0].attributes.push_back(
        {.name = fmt::format("cryptomatte/{}/name", i), .type = "string", .bytes = "n"});
  }
  Findings findings;
  EXPECT_EQ(cryptomattes(header, findings).size(), 20'001U);
}

// Published test vectors of MurmurHash3_x86_32, and of the Cryptomatte specification.
TEST(CryptomatteTest, NamesAreHashed) {
  EXPECT_EQ(cryptomatte_hash("hello"), 0x248bfa47U);
  EXPECT_EQ(cryptomatte_hash("hello, world"), 0x149bbb7fU);
  EXPECT_EQ(cryptomatte_hash("The quick brown fox jumps over the lazy dog"), 0x2e4ff723U);
  EXPECT_EQ(cryptomatte_hash("Hello, world!"), 0xc0363e43U);
  EXPECT_EQ(cryptomatte_hash("bunny"), 0x13851a76U);
  EXPECT_EQ(cryptomatte_hash(""), 1U << 23);  // 0 would be a denormal
}

TEST(CryptomatteTest, HashesAreOrdinaryFloats) {
  for (int i = 0; i < 100'000; ++i) {
    const std::uint32_t exponent = cryptomatte_hash(std::to_string(i)) >> 23 & 0xff;
    EXPECT_TRUE(exponent != 0 && exponent != 0xff);
  }
}

TEST(CryptomatteTest, ManifestsAreRead) {
  const auto manifest = read_cryptomatte_manifest(
      R"({"bunny":"13851A76","hello":"248bfa48","a":"1","b":7,"h\u00e4":"zzzzzzzz"})");
  ASSERT_TRUE(manifest.has_value());
  ASSERT_EQ(manifest->entries.size(), 2U);
  EXPECT_EQ(manifest->entries[0].name, "bunny");
  EXPECT_EQ(manifest->entries[0].hash, 0x13851a76U);
  EXPECT_EQ(manifest->mismatched, 1U);
  EXPECT_EQ(manifest->mismatched_name, "hello");
  EXPECT_EQ(manifest->malformed, 3U);
  EXPECT_EQ(manifest->malformed_name, "a");
}

TEST(CryptomatteTest, WhatIsNoManifestIsRefused) {
  for (const char* text : {"", "{", "[]", "7", R"({"a":"00000000","a":"00000000"})", "{'a':'b'}",
                           R"({"a":[[[[[[[[]]]]]]]]})"}) {
    const auto manifest = read_cryptomatte_manifest(text);
    ASSERT_FALSE(manifest.has_value()) << text;
    EXPECT_EQ(manifest.error().code(), Code::invalid) << text;
  }
  EXPECT_TRUE(read_cryptomatte_manifest("{}").has_value());
}

TEST(CryptomatteTest, ManifestsAreBounded) {
  const CryptomatteLimits limits{.bytes_max = 48, .entries_max = 3};
  const auto code_of = [&](std::string_view text) {
    const auto manifest = read_cryptomatte_manifest(text, limits);
    return manifest ? "read" : code_name(manifest.error().code());
  };
  EXPECT_EQ(code_of(R"({"a":1,"b":1,"c":1})"), "read");
  EXPECT_EQ(code_of(R"({"a":1,"b":1,"c":1,"d":1})"), "too_large");
  EXPECT_EQ(code_of("{}" + std::string(46, ' ')), "read");
  EXPECT_EQ(code_of("{}" + std::string(47, ' ')), "too_large");
}

}  // namespace
}  // namespace reel::exr
