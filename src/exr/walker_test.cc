#include "exr/walker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/test_bytes.h"

namespace reel::exr {
namespace {

using test::attribute;
using test::header;
using test::raw;
using test::required;

//! Counts what is read, and may have fewer bytes than it says.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(std::string_view bytes, std::size_t says = 0)
      : memory_(bytes), size_(says == 0 ? bytes.size() : says) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> first,
                           std::span<char> second) override {
    ++reads;
    bytes += first.size() + second.size();
    return memory_.read(offset, first, second);
  }

  int reads = 0;
  std::size_t bytes = 0;

 private:
  MemorySource memory_;
  std::size_t size_;
};

Walk walked(std::string_view bytes, const WalkLimits& limits = {}) {
  MemorySource source(bytes);
  Result<Walk> out = walk(source, limits);
  REEL_CHECK(out.has_value());
  return *std::move(out);
}

std::string only_code(const Walk& walk) {
  return walk.findings.size() == 1 ? std::string(walk.findings[0].code)
                                   : fmt::format("{} findings", walk.findings.size());
}

//! What the walk kept is what is in the file, however far it came.
void expect_lossless(const Walk& walk, std::string_view bytes) {
  ASSERT_LE(walk.header.bytes, bytes.size());
  const std::string_view kept = bytes.substr(0, walk.header.bytes);
  EXPECT_EQ(walk.header.sha256, sha256(kept));
  if (walk.whole) EXPECT_EQ(header_bytes(walk.header), kept);
}

TEST(Walker, KeepsEverythingInTheOrderOfTheFile) {
  const std::string head = header(attribute("z", "string", std::string("a\0b", 3)) +
                                  attribute("a", "thing", "") + attribute("z", "float", raw(1.)));
  const std::string bytes = head + "pixels";
  const Walk walk = walked(bytes);
  EXPECT_TRUE(walk.whole);
  EXPECT_TRUE(walk.findings.empty());
  EXPECT_EQ(walk.header.bytes, head.size());
  expect_lossless(walk, bytes);
  const std::vector<Attribute>& attributes = walk.header.parts.at(0).attributes;
  ASSERT_EQ(attributes.size(), 3U);
  EXPECT_EQ(attributes[0].name, "z");
  EXPECT_EQ(attributes[0].offset, 8U);
  EXPECT_EQ(attributes[0].value_offset, 8U + 2 + 7 + 4);
  EXPECT_EQ(attributes[0].bytes.size(), 3U);
  EXPECT_EQ(attributes[1].type, "thing");
  EXPECT_EQ(attributes[2].bytes, raw(1.));
}

TEST(Walker, SeveralParts) {
  const std::string one = required() + '\0';
  const std::string bytes = header(one + one + required(), 0x1000);
  const Walk walk = walked(bytes);
  EXPECT_TRUE(walk.whole);
  ASSERT_EQ(walk.header.parts.size(), 3U);
  EXPECT_EQ(walk.header.parts[1].offset, 8 + one.size());
  expect_lossless(walk, bytes);
}

TEST(Walker, TheFirstBytes) {
  EXPECT_EQ(only_code(walked("")), "empty_file");
  EXPECT_EQ(only_code(walked("\x76")), "header_truncated");
  EXPECT_EQ(only_code(walked(std::string("\x76\x2f\x31\x01\x02\0", 6))), "header_truncated");
  EXPECT_EQ(only_code(walked("x")), "bad_magic");
  const Walk png = walked("\x89PNG\r\n\x1a\n");
  EXPECT_EQ(only_code(png), "bad_magic");
  EXPECT_THAT(png.findings[0].message, testing::HasSubstr("it is a PNG image"));
  EXPECT_THAT(walked(std::string(100, '\0')).findings[0].message, testing::HasSubstr("zeros"));
  std::string other = header(required());
  other[4] = 3;
  EXPECT_EQ(only_code(walked(other)), "unsupported_version");
  EXPECT_TRUE(walked(other).whole);
  EXPECT_EQ(only_code(walked(header(required(), 0x10000))), "unknown_flags");
  EXPECT_EQ(only_code(walked(header(required(), 0xa00))), "flags_conflict");
  EXPECT_EQ(only_code(walked(header("", 0x1000))), "no_parts");
}

TEST(Walker, BadAttributes) {
  const std::string before = attribute("first", "int", raw(1));
  const auto broken = [&](const std::string& bytes) {
    const std::string file = header(before + bytes);
    Walk walk = walked(file);
    EXPECT_FALSE(walk.whole);
    EXPECT_EQ(walk.header.bytes, 8 + before.size());
    EXPECT_EQ(walk.header.parts.at(0).attributes.size(), 1U);
    expect_lossless(walk, file);
    EXPECT_EQ(walk.findings.at(0).offset, 8 + before.size());
    EXPECT_EQ(walk.findings.at(0).part, 0U);
    return walk;
  };
  const std::string head = std::string("a\0int\0", 6);
  EXPECT_EQ(only_code(broken(head + raw(-1))), "attribute_size_negative");
  const Walk huge = broken(head + raw(0x7fffffff) + "abc");
  EXPECT_EQ(only_code(huge), "attribute_truncated");
  EXPECT_EQ(huge.findings[0].attribute, "a");
  EXPECT_EQ(huge.findings[0].message,
            "The value should have 2147483647 bytes, the file has 4 from there on");
  EXPECT_EQ(only_code(broken(std::string(256, 'n') + '\0' + "int")), "name_unterminated");
  EXPECT_EQ(only_code(broken(std::string(300, 'n'))), "name_unterminated");
  EXPECT_EQ(only_code(broken(head.substr(0, 3))), "header_truncated");
}

TEST(Walker, LongestNames) {
  const std::string bytes = header(attribute(std::string(255, 'n'), std::string(255, 't'), "v"));
  EXPECT_TRUE(walked(bytes).whole);
  expect_lossless(walked(bytes), bytes);
}

TEST(Walker, EveryTruncationIsNoticed) {
  const std::string part = required() + attribute("name", "string", "x") + '\0';
  for (const std::string& bytes : {header(required()), header(part + required(), 0x1000)}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);
      const Walk walk = walked(cut);
      EXPECT_FALSE(walk.whole) << size;
      EXPECT_EQ(walk.findings.size(), 1U) << size;
      expect_lossless(walk, cut);
    }
  }
}

TEST(Walker, Limits) {
  const std::string two = header(attribute("a", "int", raw(1)) + attribute("b", "int", raw(2)));
  EXPECT_TRUE(walked(two, {.attributes_max = 2}).whole);
  EXPECT_EQ(only_code(walked(two, {.attributes_max = 1})), "too_many_attributes");
  const std::string large = header(attribute("a", "string", std::string(100, 'x')));
  const std::uint64_t end = large.size() - 1;
  EXPECT_TRUE(walked(large, {.header_bytes_max = end}).whole);
  const Walk walk = walked(large, {.header_bytes_max = end - 1});
  EXPECT_EQ(only_code(walk), "header_too_large");
  EXPECT_THAT(walk.findings[0].message, testing::HasSubstr(std::to_string(end)));
}

TEST(Walker, ReadsOnceWhatFitsInto64KiB) {
  const std::string bytes = header(required()) + std::string(1 << 20, 'p');
  CountingSource source(bytes);
  EXPECT_TRUE(walk(source)->whole);
  EXPECT_EQ(source.reads, 1);
  EXPECT_EQ(source.bytes, 64U << 10);
}

TEST(Walker, ReadsALargeValueOnceAndWhatFollowsWithIt) {
  const std::string bytes =
      header(attribute("manifest", "string", std::string(5 << 20, 'm')) + required()) +
      std::string(1 << 20, 'p');
  CountingSource source(bytes);
  const Result<Walk> walk = exr::walk(source);
  ASSERT_TRUE(walk.has_value() && walk->whole);
  EXPECT_EQ(source.reads, 2);
  EXPECT_LE(source.bytes, (5U << 20) + (200U << 10));
  expect_lossless(*walk, bytes);
  EXPECT_EQ(walk->header.parts[0].attributes[0].bytes, std::string(5 << 20, 'm'));
}

TEST(Walker, ReadsAheadTwiceAsMuchEachTime) {
  std::string attributes;
  for (int i = 0; i < 20'000; ++i) {
    attributes += attribute(fmt::format("attribute number {}", i), "string", std::string(100, 's'));
  }
  const std::string bytes = header(attributes);
  CountingSource source(bytes);
  const Result<Walk> walk = exr::walk(source);
  ASSERT_TRUE(walk.has_value() && walk->whole);
  EXPECT_EQ(source.reads, 6);  // 64 + 128 + 256 + 512 KiB, then 1 and 2 MiB for 2.7 MiB
  EXPECT_EQ(source.bytes, bytes.size());
  expect_lossless(*walk, bytes);
}

TEST(Walker, ValuesAtEveryPlaceAroundAReadsEnd) {
  for (std::size_t size = (64U << 10) - 80; size < (64U << 10) + 20; ++size) {
    const std::string bytes =
        header(attribute("a", "string", std::string(size, 'a')) + attribute("b", "int", raw(1)));
    const Walk walk = walked(bytes);
    EXPECT_TRUE(walk.whole) << size;
    expect_lossless(walk, bytes);
  }
}

TEST(Walker, AFileThatIsShorterThanItSaysHasChanged) {
  const std::string bytes = header(attribute("a", "string", std::string(200'000, 'a')));
  for (const std::size_t cut :
       {std::size_t{0}, std::size_t{6}, std::size_t{100}, bytes.size() / 2}) {
    CountingSource source(std::string_view(bytes).substr(0, cut), bytes.size());
    const Result<Walk> walk = exr::walk(source);
    ASSERT_TRUE(walk.has_value());
    EXPECT_EQ(only_code(*walk), "file_changed") << cut;
  }
}

TEST(Walker, ASourceThatCannotBeReadIsAnError) {
  class Broken final : public ByteSource {
    std::uint64_t size() const override { return 100; }
    Result<std::size_t> read(std::uint64_t, std::span<char>, std::span<char>) override {
      return io("broken");
    }
  };
  Broken source;
  const Result<Walk> walk = exr::walk(source);
  ASSERT_FALSE(walk.has_value());
  EXPECT_EQ(walk.error().code(), Code::io);
}

}  // namespace
}  // namespace reel::exr
