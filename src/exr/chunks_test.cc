#include "exr/chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/test_bytes.h"
#include "exr/walker.h"

namespace reel::exr {
namespace {

using test::attribute;
using test::box;
using test::header;
using test::raw;
using test::required;
using testing::ElementsAre;
using testing::IsEmpty;

Header header_of(std::string_view bytes) {
  MemorySource source(bytes);
  Result<Walk> walk = exr::walk(source);
  REEL_CHECK(walk.has_value() && walk->whole);
  return std::move(walk->header);
}

Chunks checked(std::string_view bytes, const ChunkLimits& limits = {}) {
  MemorySource source(bytes);
  Result<Chunks> out = check_chunks(source, header_of(bytes), limits);
  REEL_CHECK(out.has_value());
  return *std::move(out);
}

std::vector<std::string> codes(const Chunks& chunks) {
  std::vector<std::string> out;
  for (const Finding& each : chunks.findings) out.emplace_back(each.code);
  return out;
}

//! Of a picture of so many pixels.
std::optional<std::uint64_t> count(std::int32_t width, std::int32_t height, char compression,
                                   std::optional<std::string> tiles = std::nullopt) {
  std::string bytes = attribute("dataWindow", "box2i", box(-7, 3, width - 8, height + 2)) +
                      attribute("compression", "compression", std::string(1, compression));
  if (tiles) bytes += attribute("tiles", "tiledesc", *tiles);
  const Header head = header_of(header(bytes, tiles ? 0x200 : 0));
  return chunk_count(head.version, head.parts.at(0));
}

std::string tiles(std::uint32_t x, std::uint32_t y, char mode) { return raw(x, y) + mode; }

TEST(Chunks, CountOfScanLines) {
  const std::uint64_t lines[] = {1, 1, 1, 16, 32, 16, 32, 32, 32, 256, 256, 32};
  for (std::size_t i = 0; i < std::size(lines); ++i) {
    const char compression = static_cast<char>(i);
    EXPECT_EQ(count(5, 1024, compression), 1024 / lines[i]);
    EXPECT_EQ(count(5, 1025, compression), 1024 / lines[i] + 1);
  }
  EXPECT_EQ(count(5, 5, 12), std::nullopt);
  EXPECT_EQ(count(0, 5, 0), std::nullopt);
}

TEST(Chunks, CountOfTiles) {
  EXPECT_EQ(count(100, 65, 0, tiles(64, 64, 0)), 4U);
  // Levels of 5 x 3: 5x3, 2x1, 1x1; rounded up 5x3, 3x2, 2x1, 1x1.
  EXPECT_EQ(count(5, 3, 0, tiles(1, 1, 1)), 15U + 2 + 1);
  EXPECT_EQ(count(5, 3, 0, tiles(1, 1, 0x11)), 15U + 6 + 2 + 1);
  // Widths 5, 2, 1 by heights 3, 1; rounded up 5, 3, 2, 1 by 3, 2, 1.
  EXPECT_EQ(count(5, 3, 0, tiles(1, 1, 2)), (5U + 2 + 1) * (3 + 1));
  EXPECT_EQ(count(5, 3, 0, tiles(1, 1, 0x12)), (5U + 3 + 2 + 1) * (3 + 2 + 1));
  EXPECT_EQ(count(8, 8, 0, tiles(1, 1, 0x11)), 64U + 16 + 4 + 1);
  EXPECT_EQ(count(5, 3, 0, tiles(0, 1, 0)), std::nullopt);
  EXPECT_EQ(count(5, 3, 0, tiles(1, 1, 3)), std::nullopt);
  EXPECT_EQ(count(5, 3, 0, tiles(1, 1, 0x20)), std::nullopt);
}

TEST(Chunks, CountsOfHostileSizesDoNotOverflow) {
  const std::string bytes =
      attribute("dataWindow", "box2i",
                box(-2147483647 - 1, -2147483647 - 1, 2147483647, 2147483647)) +
      attribute("tiles", "tiledesc", tiles(1, 1, 2));
  const Header head = header_of(header(bytes, 0x200));
  EXPECT_EQ(chunk_count(head.version, head.parts[0]), std::uint64_t{1} << 63);
}

TEST(Chunks, AWholeFile) {
  const Chunks chunks = checked(test::file());
  EXPECT_THAT(codes(chunks), IsEmpty());
  EXPECT_EQ(chunks.complete, true);
  ASSERT_EQ(chunks.parts.size(), 1U);
  EXPECT_EQ(chunks.parts[0].computed, 2U);
  EXPECT_EQ(chunks.parts[0].declared, std::nullopt);
  EXPECT_EQ(chunks.parts[0].checked, 2U);
}

TEST(Chunks, EveryTruncationIsNoticed) {
  const std::string whole = test::file();
  for (std::size_t size = header_of(whole).bytes; size < whole.size(); ++size) {
    const Chunks chunks = checked(std::string_view(whole).substr(0, size));
    EXPECT_EQ(chunks.complete, false) << size;
    EXPECT_FALSE(chunks.findings.empty()) << size;
  }
}

TEST(Chunks, WhatIsWrongIsNamed) {
  const std::string whole = test::file();
  const std::size_t table = header_of(whole).bytes;
  std::string bytes = whole;
  bytes.replace(table + 8, 8, 8, '\0');
  const Chunks unfinished = checked(bytes);
  EXPECT_THAT(codes(unfinished), ElementsAre("chunks_unfinished"));
  EXPECT_EQ(unfinished.parts[0].unfinished, 1U);
  EXPECT_EQ(unfinished.findings[0].offset, table + 8);
  EXPECT_EQ(unfinished.findings[0].message,
            "1 of 2 chunks were never written, the first is chunk 1");

  for (const std::uint64_t outside :
       {std::uint64_t{1}, std::uint64_t{table}, ~std::uint64_t{0}, std::uint64_t{whole.size()}}) {
    bytes = whole;
    bytes.replace(table, 8, raw(outside));
    EXPECT_THAT(codes(checked(bytes)), ElementsAre("chunks_outside")) << outside;
  }
  EXPECT_THAT(codes(checked(std::string_view(whole).substr(0, table + 15))),
              ElementsAre("chunk_table_truncated", "chunks_outside"));
  EXPECT_THAT(codes(checked(std::string_view(whole).substr(0, whole.size() - 1))),
              ElementsAre("chunk_truncated"));
}

TEST(Chunks, CountsThatDiffer) {
  const Chunks chunks = checked(test::file(required() + attribute("chunkCount", "int", raw(3))));
  EXPECT_THAT(codes(chunks), ElementsAre("chunk_count_wrong"));
  EXPECT_EQ(chunks.parts[0].declared, 3);
  EXPECT_EQ(chunks.complete, false);
}

TEST(Chunks, NobodyKnowsHowMany) {
  const Chunks chunks = checked(test::file(required("compression")));
  EXPECT_THAT(codes(chunks), IsEmpty());
  EXPECT_EQ(chunks.complete, std::nullopt);
}

TEST(Chunks, OnlySoManyEntriesAreRead) {
  const Chunks chunks = checked(test::file(), {.entries_max = 1});
  EXPECT_THAT(codes(chunks), ElementsAre("chunk_table_large"));
  EXPECT_EQ(chunks.parts[0].checked, 1U);
  EXPECT_EQ(chunks.complete, std::nullopt);
  // Declared are two thousand million, and there are no more bytes.
  const std::string hostile =
      required("dataWindow", attribute("dataWindow", "box2i", box(0, 0, 0, 2147483646)));
  EXPECT_THAT(codes(checked(test::file(hostile))), testing::Contains("chunk_table_truncated"));
}

std::string part_of_two(const std::string& name, const std::string& type) {
  return required() + attribute("name", "string", name) + attribute("type", "string", type) +
         attribute("chunkCount", "int", raw(2));
}

TEST(Chunks, SeveralPartsAndDeepOnes) {
  std::string bytes =
      header(part_of_two("a", "scanlineimage") + '\0' + part_of_two("b", "deepscanline") +
                 attribute("version", "int", raw(1)),
             0x1800);
  const std::uint64_t pixels = bytes.size() + 32;
  const std::string flat = raw(0, 0, 3) + "xyz";
  const std::string deep =
      raw(1, 0) + raw(std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{9}) + "12abc";
  bytes += raw(pixels, pixels + flat.size(), pixels + 2 * flat.size(),
               pixels + 2 * flat.size() + deep.size());
  bytes += flat + flat + deep + deep;
  EXPECT_THAT(codes(checked(bytes)), IsEmpty());
  EXPECT_EQ(checked(bytes).complete, true);
  EXPECT_THAT(codes(checked(std::string_view(bytes).substr(0, bytes.size() - 1))),
              ElementsAre("chunk_truncated"));
}

}  // namespace
}  // namespace reel::exr
