#include "iceberg/avro.h"

#include <gmock/gmock.h>

namespace reel::iceberg::avro {
namespace {

constexpr std::string_view kEverything = R"({
  "type": "record", "name": "everything", "fields": [
    {"name": "flag", "type": "boolean", "field-id": 1},
    {"name": "small", "type": "int", "field-id": 2},
    {"name": "large", "type": {"type": "long", "logicalType": "timestamp-micros"}, "field-id": 3},
    {"name": "single", "type": "float", "field-id": 4},
    {"name": "real", "type": "double", "field-id": 5},
    {"name": "text", "type": ["null", "string"], "default": null, "field-id": 6},
    {"name": "raw", "type": "bytes", "field-id": 7},
    {"name": "id", "type": {"type": "fixed", "name": "uuid_fixed", "size": 4}, "field-id": 8},
    {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["A", "B"]}},
    {"name": "list", "type": {"type": "array", "items": "long", "element-id": 9}, "field-id": 10},
    {"name": "map", "type": {"type": "map", "values": "int"}, "field-id": 11},
    {"name": "pair", "type": {"type": "record", "name": "pair", "fields": [
      {"name": "a", "type": "int", "field-id": 12}]}, "field-id": 13},
    {"name": "again", "type": "pair", "field-id": 14},
    {"name": "same", "type": "uuid_fixed", "field-id": 15}
  ]})";

class ZeroRandom final : public Random {
 public:
  void fill(unsigned char* bytes, std::size_t count) override { std::fill_n(bytes, count, 0); }
};

Value example(std::int64_t n) {
  return Value(List{n % 2 == 0, -n, n * 1'000'000'000'000, 1.5, -0.25,
                    n == 0 ? Value() : Value("text " + std::to_string(n)), std::string("\0\xFF", 2),
                    "abcd", "B", List{std::int64_t{1}, INT64_MIN, INT64_MAX},
                    List{Value(List{"k", 7})}, List{5}, List{6}, "wxyz"});
}

File example_file(std::int64_t count) {
  File file{.schema = *Schema::parse(kEverything),
            .properties = {{"format-version", "2"}},
            .objects = {}};
  for (std::int64_t n = 0; n < count; ++n) file.objects.push_back(example(n));
  return file;
}

TEST(Avro, WhatIsWrittenIsReadAgain) {
  for (const Codec codec : {Codec::null, Codec::deflate}) {
    for (const std::int64_t count : {0, 1, 3, 20'000}) {
      const File file = example_file(count);
      const auto again = read_file(write_file(file, codec));
      ASSERT_TRUE(again) << again.error().message();
      EXPECT_EQ(again->properties, file.properties);
      EXPECT_EQ(again->schema.text(), kEverything);
      EXPECT_EQ(again->objects, file.objects);
    }
  }
}

TEST(Avro, BytesAreThoseOfTheSpecification) {
  // The examples of the specification: 64 is 80 01, -64 is 7f; "foo" is 06 66 6f 6f; the array 3,
  // 27 is 04 06 36 00; the union ["null","string"] is 00 for null and 02 02 61 for "a".
  ZeroRandom random;
  const File file{.schema = *Schema::parse(
                      R"({"type":"record","name":"test","fields":[{"name":"a","type":"long"},
                         {"name":"b","type":"long"},{"name":"c","type":"string"},
                         {"name":"d","type":{"type":"array","items":"long"}},
                         {"name":"e","type":["null","string"]},
                         {"name":"f","type":["null","string"]}]})"),
                  .properties = {},
                  .objects = {Value(List{64, -64, "foo", List{3, 27}, Value(), "a"})}};
  const std::string bytes = write_file(file, Codec::null, random);
  EXPECT_TRUE(bytes.starts_with(std::string("Obj\x01\x04\x14", 6) + "avro.codec\x08null"));
  const std::string mark(16, '\0');
  const std::string data = std::string("\x80\x01\x7f", 3) + "\x06" + "foo" +
                           std::string("\x04\x06\x36\x00\x00\x02\x02", 7) + "a";
  EXPECT_TRUE(bytes.ends_with(mark + "\x02\x1e" + data + mark));
}

TEST(Avro, RunsOfItemsMayTellTheirSizeAndMayBeSeveral) {
  const Schema schema = *Schema::parse(R"({"type":"array","items":"long"})");
  const File file{.schema = schema, .properties = {}, .objects = {Value(List{1, 2, 3})}};
  ZeroRandom random;
  std::string bytes = write_file(file, Codec::null, random);
  // One run of three (06 02 04 06 00) becomes one of two with its size, and one of one.
  const std::string plain("\x02\x0A\x06\x02\x04\x06\x00", 7);
  const std::string runs("\x02\x0E\x03\x04\x02\x04\x02\x06\x00", 9);
  const auto at = bytes.rfind(plain);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, plain.size(), runs);
  const auto again = read_file(bytes);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->objects, file.objects);
}

TEST(Avro, EveryCutAndEveryChangedByteIsAnErrorOrAFile) {
  const std::string bytes = write_file(example_file(3), Codec::null);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_file(std::string_view(bytes).substr(0, size)) &&
                 read_file(std::string_view(bytes).substr(0, size))->objects.size() == 3);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0xFF);
    (void)read_file(changed);
  }
}

std::string with_block(std::string_view schema, std::string_view count_size_data) {
  ZeroRandom random;
  const auto parsed = Schema::parse(schema);
  REEL_CHECK(parsed.has_value());
  const File file{.schema = *parsed, .properties = {}, .objects = {}};
  return write_file(file, Codec::null, random) + std::string(count_size_data) +
         std::string(16, '\0');
}

TEST(Avro, BadBlocksAreRefusedWithTheirPlace) {
  constexpr std::string_view kLong = R"("long")";
  const auto message = [](const std::string& bytes) {
    const auto file = read_file(bytes);
    return file ? std::string("read") : file.error().message();
  };
  using testing::HasSubstr;
  EXPECT_THAT(message(with_block(kLong, std::string("\x04\x02\x02", 3))), HasSubstr("end inside"));
  EXPECT_THAT(message(with_block(kLong, std::string("\x02\x04\x02\x02", 4))),
              HasSubstr("1 bytes too many"));
  EXPECT_THAT(message(with_block(R"("string")", std::string("\x02\x04\x04x", 4))),
              HasSubstr("2 bytes announced, 1 are left"));
  EXPECT_THAT(message(with_block(R"("string")", std::string("\x02\x02\x01", 3))),
              HasSubstr("a length is negative"));
  EXPECT_THAT(message(with_block(R"(["null","long"])", std::string("\x02\x02\x04", 3))),
              HasSubstr("no branch 2"));
  EXPECT_THAT(message(with_block(R"("boolean")", std::string("\x02\x02\x02", 3))),
              HasSubstr("neither 0 nor 1"));
  EXPECT_THAT(message(with_block(R"("int")", std::string("\x02\x0A\x80\x80\x80\x80\x20", 7))),
              HasSubstr("an int is"));
  EXPECT_THAT(message(with_block(kLong, std::string("\x02\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                                                    "\xff\x01",
                                                    13))),
              HasSubstr("more than 64 bits"));
}

TEST(Avro, FewBytesCannotStandForManyValues) {
  // 2^40 nulls in two bytes of count; a record in itself; 2^15 empty records by doubling.
  const std::string many("\x80\x80\x80\x80\x80\x80\x01", 7);
  EXPECT_FALSE(read_file(with_block(R"("null")", many + std::string(1, '\0'))));
  EXPECT_FALSE(read_file(with_block(R"({"type":"array","items":"null"})",
                                    std::string("\x02\x10", 2) + many + std::string(1, '\0'))));
  EXPECT_FALSE(
      read_file(with_block(R"({"type":"record","name":"r","fields":[{"name":"r","type":"r"}]})",
                           std::string("\x02\x00", 2))));
  std::string schema = R"({"type":"record","name":"r0","fields":[]})";
  for (int i = 1; i <= 15; ++i) {
    const std::string first = R"({"name":"a","type":)" + schema + "}";
    const std::string second = fmt::format(R"({{"name":"b","type":"r{}"}})", i - 1);
    schema = fmt::format(R"({{"type":"record","name":"r{}","fields":[{},{}]}})", i, first, second);
  }
  EXPECT_FALSE(read_file(with_block(schema, std::string("\x02\x00", 2))));
}

TEST(Avro, BytesOfAChecksumBehindADeflateStreamArePassedOver) {
  const File file{.schema = *Schema::parse(R"("long")"), .properties = {}, .objects = {7}};
  const std::string bytes = write_file(file, Codec::deflate);
  const std::string mark = bytes.substr(bytes.size() - 16);
  const auto with_bytes_behind = [&](std::size_t count) {
    // The block: one object, its size in one byte, the stream, the mark.
    const std::size_t block = bytes.find(mark) + mark.size();
    std::string changed = bytes;
    changed[block + 1] = static_cast<char>(changed[block + 1] + 2 * static_cast<int>(count));
    return changed.insert(changed.size() - mark.size(), count, 'x');
  };
  for (std::size_t count = 0; count <= 4; ++count) {
    const auto again = read_file(with_bytes_behind(count));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->objects, file.objects);
  }
  EXPECT_FALSE(read_file(with_bytes_behind(5)));
}

TEST(Avro, LimitsAndForeignCodecsAreNamed) {
  const File file = example_file(20'000);
  const std::string packed = write_file(file, Codec::deflate);
  const auto small_block = read_file(packed, {.block_bytes_max = 10'000});
  ASSERT_FALSE(small_block);
  EXPECT_EQ(small_block.error().code(), Code::too_large);
  const auto small_file = read_file(packed, {.file_bytes_max = 100});
  ASSERT_FALSE(small_file);
  EXPECT_EQ(small_file.error().code(), Code::too_large);

  EXPECT_EQ(read_file(packed, {.values_max = 1'000}).error().code(), Code::corrupt);

  std::string foreign = write_file(example_file(0), Codec::null);
  foreign.replace(foreign.find("null"), 4, "zstd");
  const auto read = read_file(foreign);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::unsupported);
  EXPECT_THAT(read.error().message(), testing::HasSubstr("zstd"));
  EXPECT_EQ(read_file("PAR1").error().code(), Code::corrupt);
}

TEST(Avro, SchemasThatAreNoneSayWhere) {
  const auto pointer = [](std::string_view json) {
    const auto schema = Schema::parse(json);
    return schema ? std::string("parsed") : schema.error().pointer();
  };
  EXPECT_EQ(pointer(R"({"type":"record","name":"r","fields":[{"name":"a","type":"strin"}]})"),
            "/fields/0/type");
  EXPECT_EQ(pointer(R"({"type":"record","name":"r","fields":[{"type":"int"}]})"), "/fields/0");
  EXPECT_EQ(pointer(R"({"type":"array"})"), "");
  EXPECT_EQ(pointer(R"(["null",{"type":"fixed","name":"f","size":-1}])"), "/1");
  EXPECT_EQ(pointer("[]"), "");
}

}  // namespace
}  // namespace reel::iceberg::avro
