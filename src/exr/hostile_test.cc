//! Bytes that are no OpenEXR file any more, or never were: inspecting them ends, takes little
//! memory, and says what is wrong. With REELHOUSE_EXR_CORPUS also those of the test images of
//! OpenEXR (tests/conformance/test_exr.py).

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/allocations_test_support.h"
#include "exr/inspect_json.h"
#include "exr/test_bytes.h"

namespace reel::exr {
namespace {

using test::attribute;
using test::raw;
using test::required;

constexpr std::size_t kMemoryMin = std::size_t{1} << 20;
constexpr std::uint64_t kHeaderBytesMax = 2'048;

//! Everything that holds of any bytes whatever.
Inspection survived(std::string_view bytes) {
  MemorySource source(bytes);
  Inspection inspection;
  {
    const test::AllocationWatch watch;
    inspection = inspect(source, "hostile");
    if (const auto peak = watch.peak_bytes()) EXPECT_LE(*peak, 2 * bytes.size() + kMemoryMin);
  }
  EXPECT_EQ(inspection.header.sha256, sha256(bytes.substr(0, inspection.header.bytes)));
  if (inspection.header_whole) {
    EXPECT_EQ(header_bytes(inspection.header), bytes.substr(0, inspection.header.bytes));
  } else {
    EXPECT_EQ(inspection.status(), FileStatus::error);
  }
  EXPECT_TRUE(json::parse(to_json(inspection)).has_value());
  return inspection;
}

void expect_truncations_survived(std::string_view bytes, std::size_t header_size) {
  for (std::size_t size = 0; size < header_size; ++size) {
    const Inspection inspection = survived(bytes.substr(0, size));
    EXPECT_FALSE(inspection.header_whole) << size;
    EXPECT_FALSE(inspection.findings.empty()) << size;
  }
}

void expect_flips_survived(std::string_view bytes, std::size_t header_size) {
  std::string flipped(bytes);
  for (std::size_t at = 0; at < header_size; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      flipped[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
      survived(flipped);
    }
    flipped[at] = bytes[at];
  }
}

//! A header of several parts with something of every kind.
std::string rich_header() {
  const std::string part = required() + attribute("type", "string", "deeptile") +
                           attribute("tiles", "tiledesc", raw(1, 1) + '\x12') +
                           attribute("chunkCount", "int", raw(15)) +
                           attribute("version", "int", raw(1));
  const std::string views = raw(4) + "left" + raw(5) + "right";
  return test::header(part + attribute("name", "string", "a") +
                          attribute("multiView", "stringvector", views) + '\0' + part +
                          attribute("name", "string", "b") +
                          attribute("preview", "preview", raw(1, 1) + "rgba") +
                          attribute("thing", "bytes", raw(1) + "xdata"),
                      0x1800);
}

TEST(Hostile, EveryTruncation) {
  for (const std::string& bytes : {test::file(), rich_header()}) {
    expect_truncations_survived(bytes, survived(bytes).header.bytes);
  }
}

TEST(Hostile, EveryFlippedBit) {
  const std::string bytes = rich_header();
  expect_flips_survived(bytes, survived(bytes).header.bytes);
}

TEST(Hostile, ManyOfAKind) {
  std::string channels;
  for (int i = 0; i < 100'000; ++i) channels += test::channel("c", 9, -1, 7);
  survived(test::file(required("channels", attribute("channels", "chlist", channels + '\0'))));
  survived(test::file(required() + attribute("s", "stringvector", std::string(1 << 20, '\0'))));
  survived(test::file(required() + attribute("f", "floatvector", std::string(1 << 20, '\0'))));
  survived(test::file(required() + attribute("m", "string", std::string(3 << 20, 'm'))));
  survived(test::file(required() + attribute("b", "bomb", raw(0x7fffffff))));
  survived(std::string(1 << 20, '\0'));
}

TEST(Hostile, TheSmallestAttributesTakeMemoryUpToTheirLimit) {
  std::string attributes;
  for (int i = 0; i < 40'000; ++i) attributes += attribute("a", "b", "");
  const std::string bytes = test::header(attributes);
  MemorySource source(bytes);
  const test::AllocationWatch watch;
  const Inspection inspection = inspect(source, "hostile");
  EXPECT_THAT(inspection.findings.at(0).code, "too_many_attributes");
  if (const auto peak = watch.peak_bytes()) {
    EXPECT_LE(*peak, 2 * bytes.size() + kMemoryMin + std::size_t{32'768} * 400);
  }
}

// The corpus.

struct File {
  std::string name;
  std::string bytes;
};

//! The files of folders of the corpus, by name; none without a corpus.
std::vector<File> corpus(const std::vector<std::string>& folders) {
  std::vector<File> files;
  const char* const root = std::getenv("REELHOUSE_EXR_CORPUS");
  if (root == nullptr) return files;
  for (const std::string& folder : folders) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(root) / folder)) {
      std::ifstream stream(entry.path(), std::ios::binary);
      files.push_back(
          {.name = entry.path().filename(), .bytes = {std::istreambuf_iterator<char>(stream), {}}});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.name < b.name; });
  return files;
}

#define REEL_CORPUS_OR_SKIP(files, ...)                  \
  const std::vector<File> files = corpus({__VA_ARGS__}); \
  if (files.empty()) GTEST_SKIP() << "REELHOUSE_EXR_CORPUS is not set"

TEST(Corpus, EveryFile) {
  REEL_CORPUS_OR_SKIP(files, "images", "openexr-tests", "damaged");
  double slowest = 0;
  for (const File& file : files) {
    const auto start = std::chrono::steady_clock::now();
    survived(file.bytes);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    slowest = std::max(slowest, took.count());
  }
  fmt::print("{} files, the slowest took {:.1f} ms\n", files.size(), slowest);
}

TEST(Corpus, EveryTruncationAndEveryFlippedBitOf20Headers) {
  REEL_CORPUS_OR_SKIP(files, "images", "openexr-tests");
  std::size_t headers = 0;
  for (const File& file : files) {
    const std::uint64_t size = survived(file.bytes).header.bytes;
    if (size > kHeaderBytesMax || headers == 20) continue;
    ++headers;
    const std::string_view bytes = std::string_view(file.bytes).substr(0, size + 1'000);
    expect_truncations_survived(bytes, size);
    expect_flips_survived(bytes, size);
  }
  EXPECT_EQ(headers, 20U);
}

}  // namespace
}  // namespace reel::exr
