#include "iceberg/single_value.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/hash.h"

namespace reel::iceberg {
namespace {

using store::Binary;
using store::Date;
using store::Decimal;
using Value = store::Value;

std::string hex(std::string_view bytes) {
  return to_hex(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::string hex_of(const Type& type, const Value& value) {
  const auto bytes = to_bytes(type, value);
  return bytes ? hex(*bytes) : std::string(code_name(bytes.error().code()));
}

const Uuid kUuid = *Uuid::parse("f79c3e09-677c-4bbd-a479-3f349cb785e7");

TEST(SingleValue, IsAsAppendixDHasIt) {
  EXPECT_EQ(hex_of(Type::of(TypeKind::boolean), true), "01");
  EXPECT_EQ(hex_of(Type::of(TypeKind::int32), 1234), "d2040000");
  EXPECT_EQ(hex_of(Type::of(TypeKind::int32), -1), "ffffffff");
  EXPECT_EQ(hex_of(Type::of(TypeKind::int64), std::uint64_t{1234}), "d204000000000000");
  EXPECT_EQ(hex_of(Type::of(TypeKind::float32), 1.5), "0000c03f");
  EXPECT_EQ(hex_of(Type::of(TypeKind::float64), -2.0), "00000000000000c0");
  EXPECT_EQ(hex_of(Type::of(TypeKind::date), Date{-1}), "ffffffff");
  EXPECT_EQ(hex_of(Type::of(TypeKind::timestamptz), Instant{1'510'871'468'000'001}),
            "01c3262d215e0500");
  EXPECT_EQ(hex_of(Type::of(TypeKind::string), "ä"), "c3a4");
  EXPECT_EQ(hex_of(Type::of(TypeKind::uuid), kUuid), "f79c3e09677c4bbda4793f349cb785e7");
  EXPECT_EQ(hex_of(Type::fixed(2), Binary{"ab"}), "6162");
  EXPECT_EQ(hex_of(Type::of(TypeKind::binary), Binary{"a"}), "61");
  EXPECT_EQ(hex_of(Type::decimal(9, 2), Decimal{1420}), "058c");
  EXPECT_EQ(hex_of(Type::decimal(9, 2), Decimal{0}), "00");
  EXPECT_EQ(hex_of(Type::decimal(9, 2), Decimal{127}), "7f");
  EXPECT_EQ(hex_of(Type::decimal(9, 2), Decimal{128}), "0080");
  EXPECT_EQ(hex_of(Type::decimal(9, 2), Decimal{-128}), "80");
  EXPECT_EQ(hex_of(Type::decimal(9, 2), Decimal{-129}), "ff7f");
  EXPECT_EQ(hex_of(Type::decimal(20, 0), UINT64_MAX), "00ffffffffffffffff");
}

TEST(SingleValue, OfAnotherTypeIsRefused) {
  EXPECT_EQ(hex_of(Type::of(TypeKind::int32), std::int64_t{INT32_MAX} + 1), "invalid");
  EXPECT_EQ(hex_of(Type::of(TypeKind::int32), "1"), "invalid");
  EXPECT_EQ(hex_of(Type::of(TypeKind::int64), UINT64_MAX), "invalid");
  EXPECT_EQ(hex_of(Type::decimal(2, 1), Decimal{100}), "invalid");
  EXPECT_EQ(hex_of(Type::fixed(3), Binary{"ab"}), "invalid");
  EXPECT_EQ(hex_of(Type::structure({}), 1), "unsupported");
}

TEST(SingleValue, IsReadAgainAlsoAfterItsTypeWasPromoted) {
  const std::pair<Type, Value> cases[] = {
      {Type::of(TypeKind::boolean), false},
      {Type::of(TypeKind::int32), INT32_MIN},
      {Type::of(TypeKind::int64), INT64_MIN},
      {Type::of(TypeKind::float32), 0.1F},
      {Type::of(TypeKind::float64), 0.1},
      {Type::of(TypeKind::date), Date{-719162}},
      {Type::of(TypeKind::timestamptz), Instant{-1}},
      {Type::of(TypeKind::string), "text"},
      {Type::of(TypeKind::uuid), kUuid},
      {Type::fixed(2), Binary{"ab"}},
      {Type::of(TypeKind::binary), Binary{""}},
      {Type::decimal(38, 3), Decimal{-(store::Int128{1} << 100)}},
      {Type::decimal(38, 3), Decimal{store::Int128{1} << 103}},
  };
  for (const auto& [type, value] : cases) {
    const auto again = from_bytes(type, *to_bytes(type, value));
    ASSERT_TRUE(again) << type.to_string();
    EXPECT_TRUE(*again == value) << type.to_string();
  }
  EXPECT_TRUE(*from_bytes(Type::of(TypeKind::int64), std::string("\xff\xff\xff\xff")) == Value(-1));
  EXPECT_TRUE(*from_bytes(Type::of(TypeKind::float64),
                          *to_bytes(Type::of(TypeKind::float32), 1.5)) == Value(1.5));
  for (const Type& type : {Type::of(TypeKind::int32), Type::of(TypeKind::uuid), Type::decimal(9, 2),
                           Type::of(TypeKind::boolean)}) {
    EXPECT_EQ(from_bytes(type, "").error().code(), Code::corrupt) << type.to_string();
  }
}

TEST(Bounds, TextIsCutAndTheUpperOneRoundedUp) {
  const Type text = Type::of(TypeKind::string);
  const auto lower = [&](const std::string& value) { return **lower_bound(text, value); };
  const auto upper = [&](const std::string& value) { return *upper_bound(text, value); };
  EXPECT_EQ(lower("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(*upper("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(lower("0123456789abcdefg"), "0123456789abcdef");
  EXPECT_EQ(*upper("0123456789abcdefg"), "0123456789abcdeg");
  // Characters are counted, not bytes, and are never cut.
  std::string umlauts;
  for (int i = 0; i < 17; ++i) umlauts += "ä";
  EXPECT_EQ(lower(umlauts), umlauts.substr(0, 32));
  EXPECT_EQ(*upper(umlauts), umlauts.substr(0, 30) + "å");
  // The largest character has none above it: the one before is rounded up; the surrogates between
  // U+D7FF and U+E000 are no characters.
  const std::string largest = "\xF4\x8F\xBF\xBF";
  EXPECT_EQ(*upper("0123456789abcde" + largest + "x"), "0123456789abcdf");
  std::string all;
  for (int i = 0; i < 17; ++i) all += largest;
  EXPECT_EQ(upper(all), std::nullopt);
  EXPECT_EQ(lower(all), all.substr(0, 64));
  EXPECT_EQ(*upper("0123456789abcde\xED\x9F\xBFx"), "0123456789abcde\xEE\x80\x80");
  EXPECT_EQ(*upper("0123456789abcde\x7Fx"), "0123456789abcde\xC2\x80");
  EXPECT_EQ(*upper("0123456789abcde\xDF\xBFx"), "0123456789abcde\xE0\xA0\x80");
  EXPECT_EQ(*upper("0123456789abcde\xEF\xBF\xBFx"), "0123456789abcde\xF0\x90\x80\x80");
}

TEST(Bounds, BinaryIsCutAndTheUpperOneRoundedUp) {
  const Type binary = Type::of(TypeKind::binary);
  const std::string long_bytes = std::string(15, 'a') + "\xff\xff";
  EXPECT_EQ(**lower_bound(binary, Binary{long_bytes}), std::string(15, 'a') + "\xff");
  EXPECT_EQ(**upper_bound(binary, Binary{long_bytes}), std::string(14, 'a') + "b");
  EXPECT_EQ(*upper_bound(binary, Binary{std::string(17, '\xff')}), std::nullopt);
  EXPECT_EQ(**upper_bound(binary, Binary{std::string(16, '\xff')}), std::string(16, '\xff'));
}

TEST(Bounds, OfFloatsNoNanAndTheSafeZero) {
  const Type real = Type::of(TypeKind::float64);
  EXPECT_EQ(*lower_bound(real, std::numeric_limits<double>::quiet_NaN()), std::nullopt);
  EXPECT_EQ(hex(**lower_bound(real, 0.0)), "0000000000000080");
  EXPECT_EQ(hex(**upper_bound(real, -0.0)), "0000000000000000");
  EXPECT_EQ(hex(**upper_bound(real, -1.0)), "000000000000f0bf");
}

TEST(Bounds, NullAndNestedHaveNone) {
  EXPECT_EQ(*lower_bound(Type::of(TypeKind::int32), Value()), std::nullopt);
  EXPECT_EQ(*upper_bound(Type::structure({}), store::ValueList{}), std::nullopt);
  EXPECT_FALSE(lower_bound(Type::of(TypeKind::int32), "x"));
}

}  // namespace
}  // namespace reel::iceberg
