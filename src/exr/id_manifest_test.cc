#include "exr/id_manifest.h"

#include <cstdlib>
#include <optional>
#include <random>

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/test_seed.h"
#include "exr/test_headers.h"
#include "exr/walker.h"

namespace reel::exr {
namespace {

using testing::Bytes;
using namespace std::string_literals;

std::string variable(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string list(const std::vector<std::string>& texts) {
  Bytes bytes;
  bytes.add(static_cast<std::int32_t>(texts.size()));
  for (const auto& text : texts) bytes.add(variable(text.size()));
  for (const auto& text : texts) bytes.add(text);
  return bytes.take();
}

std::string pascal(std::string_view text) {
  return Bytes().add(static_cast<std::uint32_t>(text.size())).add(text).take();
}

//! The attribute's bytes: a declared size and the table, deflated.
std::string packed(const std::string& table, std::int64_t declared = -1) {
  uLongf size = compressBound(table.size());
  std::string out(size, '\0');
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                     reinterpret_cast<const Bytef*>(table.data()), table.size()),
            Z_OK);
  out.resize(size);
  const auto stated = declared < 0 ? table.size() : static_cast<std::uint64_t>(declared);
  return Bytes().add(stated).take() + out;
}

//! Three strings, "chair", "chairs" and "table", of which the list has the last first.
std::string head() {
  return Bytes()
      .add(std::int32_t{0})
      .add(list({"chair", "\5s", std::string("\0table", 6)}))
      .add(std::int32_t{2})
      .add(std::int32_t{2})
      .add(std::int32_t{2})
      .add(std::int32_t{0})
      .add(std::int32_t{2})
      .take();
}

std::string group(std::uint8_t storage, std::int32_t count, const std::string& ids) {
  return list({"id"}) + list({"model", "part"}) + "\1" + pascal("MurmurHash3_32") + pascal("id") +
         static_cast<char>(storage) + Bytes().add(count).take() + ids;
}

std::string table_of(const std::string& groups, std::int32_t count) {
  return head() + Bytes().add(count).take() + groups;
}

TEST(IdManifestTest, GroupsAreDecoded) {
  const std::string variable_ids = variable(7) + "\0\1"s + variable(300) + "\2\2";
  const std::string wide = Bytes().add(std::uint64_t{1} << 40).add("\1\1").take();
  const std::string narrow = Bytes().add(std::uint32_t{9}).add("\2\1").take();
  const auto manifest = decode_id_manifest(
      packed(table_of(group(2, 2, variable_ids) + group(0, 1, wide) + group(1, 1, narrow), 3)));
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message();
  EXPECT_EQ(manifest->strings, (std::vector<std::string>{"chair", "chairs", "table"}));
  ASSERT_EQ(manifest->groups.size(), 3U);
  const IdManifestGroup& first = manifest->groups[0];
  EXPECT_EQ(first.channels, std::vector<std::string>{"id"});
  EXPECT_EQ(first.components, (std::vector<std::string>{"model", "part"}));
  EXPECT_EQ(id_lifetime_name(first.lifetime), "shot");
  EXPECT_EQ(first.hash_scheme, "MurmurHash3_32");
  EXPECT_EQ(first.encoding_scheme, "id");
  EXPECT_EQ(first.ids, (std::vector<std::uint64_t>{7, 307}));
  EXPECT_EQ(manifest->name(first, 0, 0), "table");
  EXPECT_EQ(manifest->name(first, 0, 1), "chair");
  EXPECT_EQ(manifest->name(first, 1, 1), "chairs");
  EXPECT_EQ(manifest->groups[1].ids, std::vector<std::uint64_t>{std::uint64_t{1} << 40});
  EXPECT_EQ(manifest->groups[2].ids, std::vector<std::uint64_t>{9});
}

TEST(IdManifestTest, AnEmptyTableIsOne) {
  const auto manifest = decode_id_manifest(packed(Bytes().add(0).add(0).add(0).add(0).take()));
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message();
  EXPECT_TRUE(manifest->strings.empty());
  EXPECT_TRUE(manifest->groups.empty());
}

TEST(IdManifestTest, LongStringsSayInTwoBytesWhatTheyShare) {
  const std::string longer(300, 'x');
  const std::string table = Bytes()
                                .add(0)
                                .add(list({longer, std::string("\1\x2c", 2) + "y", "\1\1z"}))
                                .add(0)
                                .add(0)
                                .take();
  const auto manifest = decode_id_manifest(packed(table));
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message();
  EXPECT_EQ(manifest->strings[1], longer + "y");
  EXPECT_EQ(manifest->strings[2], std::string(257, 'x') + "z");
}

std::string refusal(const std::string& bytes, const IdManifestLimits& limits = {}) {
  const auto manifest = decode_id_manifest(bytes, limits);
  if (manifest) return "decoded";
  return fmt::format("{}: {}", code_name(manifest.error().code()), manifest.error().message());
}

TEST(IdManifestTest, SizesAreNotTrusted) {
  const std::string table = table_of("", 0);
  EXPECT_EQ(refusal(packed(table)), "decoded");
  EXPECT_EQ(refusal(""), "corrupt: the manifest has no size");
  EXPECT_EQ(refusal(packed(table, 0xffffffff)),
            "too_large: the manifest says that it has 4294967295 bytes, 67108864 are read");
  EXPECT_EQ(refusal(packed(table, 60'000'000)),
            fmt::format("corrupt: the manifest says that it has 60000000 bytes, and has {}",
                        table.size()));
  EXPECT_EQ(refusal(packed(table, 10)),
            "corrupt: the manifest has more than the 10 bytes that it says");
  EXPECT_EQ(refusal(packed(std::string(1 << 20, '\0'), 4096)),
            "corrupt: the manifest has more than the 4096 bytes that it says");
  EXPECT_EQ(refusal(Bytes().add(std::uint64_t{4}).add("no zlib").take()),
            "corrupt: the manifest is no whole zlib stream (incorrect header check)");
  std::string cut = packed(table);
  cut.resize(cut.size() - 5);
  EXPECT_EQ(refusal(cut), "corrupt: the manifest is no whole zlib stream (it ends early)");
}

TEST(IdManifestTest, CountsAreNotTrusted) {
  const auto start = [] { return Bytes().add(0); };
  EXPECT_EQ(refusal(packed(start().add(3'999'999).take())),
            "corrupt: the manifest ends within its table of strings");
  EXPECT_EQ(refusal(packed(start().add(-1).take())),
            "corrupt: a count of the table of strings is negative");
  EXPECT_EQ(refusal(packed(start().add(5'000'000).take())),
            "too_large: the manifest has more than 4000000 values");
  EXPECT_EQ(refusal(packed(start().add(1).add(variable(1 << 30)).take())),
            "corrupt: the manifest ends within its table of strings");
  EXPECT_EQ(refusal(packed(start().add(1).add(std::string(10, '\xff')).take())),
            "corrupt: a number of the table of strings has more than 64 bits");
  EXPECT_EQ(refusal(packed(table_of("", 1'000'000))),
            "corrupt: the manifest ends within its channels");
  EXPECT_EQ(refusal(packed(table_of(group(2, 0, ""), 1)), {.values_max = 13}),
            "too_large: the manifest has more than 13 values");
  EXPECT_EQ(refusal(packed(table_of(group(2, 0, ""), 1)), {.values_max = 14}), "decoded");
  EXPECT_EQ(refusal(packed(table_of(group(2, 3'000'000, ""), 1))),
            "corrupt: the manifest ends within its ids");
  EXPECT_EQ(refusal(packed(Bytes().add(1).take())), "unsupported: manifest version 1 is not known");
}

//! Every string is as long as the one before and one byte more: 16 GB out of little.
TEST(IdManifestTest, SharedStringsAreBounded) {
  std::vector<std::string> texts = {std::string(255, 'a'), std::string("\xff", 1) + "b"};
  for (int i = 0; i < 100'000; ++i) {
    const int shared = 256 + std::min(i, 65'000);
    texts.push_back({static_cast<char>(shared >> 8), static_cast<char>(shared & 0xff), 'b'});
  }
  EXPECT_EQ(refusal(packed(Bytes().add(0).add(list(texts)).take())),
            "too_large: the manifest's strings have more than 67108864 bytes");
}

TEST(IdManifestTest, RangesThatRepeatCostNothing) {
  Bytes table;
  table.add(0).add(list(std::vector<std::string>(100'000, std::string(1, '\0')))).add(500'000);
  for (int i = 0; i < 500'000; ++i) table.add(0).add(99'999);
  EXPECT_EQ(refusal(packed(table.add(0).take())), "decoded");
}

TEST(IdManifestTest, WhatContradictsItselfIsRefused) {
  const auto table = [](const std::vector<std::string>& texts) {
    return Bytes().add(0).add(list(texts)).add(0).add(0).take();
  };
  EXPECT_EQ(refusal(packed(table({"a", ""}))), "corrupt: string 1 has no prefix length");
  EXPECT_EQ(refusal(packed(table({"a", "\2"}))), "corrupt: string 1 shares 2 bytes with one of 1");
  EXPECT_EQ(refusal(packed(Bytes().add(0).add(list({"a"})).add(1).add(0).add(1).take())),
            "corrupt: range 0 is from string 0 to 1 of 1");
  EXPECT_EQ(refusal(packed(Bytes().add(0).add(list({"a"})).add(1).add(1).add(0).take())),
            "corrupt: range 0 is from string 1 to 0 of 1");
  EXPECT_EQ(refusal(packed(table_of(group(2, 2, "\7\1\1"s + "\0\1\1"s), 1))),
            "corrupt: id 7 comes after 7");
  EXPECT_EQ(refusal(packed(table_of(group(2, 1, "\7\3\1"), 1))),
            "corrupt: id 7 is called string 3 of 3");
}

TEST(IdManifestTest, AnyDamageIsRefusedOrHarmless) {
  const std::string table =
      table_of(group(2, 2, variable(7) + "\0\1"s + variable(300) + "\2\2"), 1);
  std::mt19937_64 random(test_seed());
  for (std::size_t length = 0; length < table.size(); ++length) {
    EXPECT_NE(refusal(packed(table.substr(0, length))), "decoded");
  }
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = table;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto manifest = decode_id_manifest(packed(damaged));
    if (!manifest) continue;
    for (const IdManifestGroup& each : manifest->groups) {
      ASSERT_EQ(each.names.size(), each.ids.size() * each.components.size());
      for (const std::uint32_t name : each.names) ASSERT_LT(name, manifest->strings.size());
    }
  }
}

//! The manifest of a file of the corpus, which OpenEXR wrote; nothing without a corpus.
std::optional<IdManifest> corpus_manifest(const char* name) {
  const char* const root = std::getenv("REELHOUSE_EXR_CORPUS");
  if (root == nullptr) return std::nullopt;
  const auto source = FileSource::open(fmt::format("{}/openexr-tests/{}", root, name));
  const auto walked = walk(**source);
  auto manifest = decode_id_manifest(walked->header.parts.at(0).find("idManifest")->bytes);
  EXPECT_TRUE(manifest.has_value()) << name << ": " << manifest.error().message();
  return manifest ? std::optional(*std::move(manifest)) : std::nullopt;
}

TEST(IdManifestCorpusTest, FilesOfTheReferenceLibraryAreDecoded) {
  const auto sheep = corpus_manifest("manifest_id.exr");
  const auto shapes = corpus_manifest("11.deep.exr");
  if (!sheep || !shapes) GTEST_SKIP() << "REELHOUSE_EXR_CORPUS is not set";
  ASSERT_EQ(sheep->groups.size(), 2U);
  const IdManifestGroup& first = sheep->groups[0];
  EXPECT_EQ(first.components, (std::vector<std::string>{"model", "material"}));
  EXPECT_EQ(first.ids, (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(sheep->name(first, 0, 0), "merino/body");
  EXPECT_EQ(sheep->name(first, 0, 1), "wool");
  EXPECT_EQ(sheep->name(first, 3, 0), "merino/eye");
  EXPECT_EQ(sheep->groups[1].hash_scheme, "MurmurHash3_64");
  EXPECT_EQ(sheep->groups[1].ids.size(), 3U);
  ASSERT_EQ(shapes->groups.size(), 2U);
  EXPECT_EQ(shapes->groups[0].ids.size(), 11U);
  EXPECT_TRUE(shapes->groups[1].components.empty());
}

}  // namespace
}  // namespace reel::exr
