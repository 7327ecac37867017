#include "store/document.h"

#include <limits>

#include <gtest/gtest.h>

namespace reel::store {
namespace {

std::string shown(const Type& type, const Value& cell) {
  const json::Value value = value_to_json(type, cell);
  return value.as_string() != nullptr ? *value.as_string() : json::to_text(value);
}

TEST(DocumentTest, DecimalsAreExactText) {
  const Type type = Type::media_time();
  EXPECT_EQ(shown(type, Decimal{0}), "0.000000000");
  EXPECT_EQ(shown(type, Decimal{1}), "0.000000001");
  EXPECT_EQ(shown(type, Decimal{-1}), "-0.000000001");
  EXPECT_EQ(shown(type, Decimal{-1'500'000'000}), "-1.500000000");
  EXPECT_EQ(shown(Type::decimal(5, 0), Decimal{-42}), "-42");
}

TEST(DocumentTest, TheSmallestHugeIntegerHasItsDigits) {
  const Int128 smallest = static_cast<Int128>(1) << 127;
  EXPECT_EQ(shown(Type::decimal(28, 0), Decimal{smallest}),
            "-170141183460469231731687303715884105728");
}

TEST(DocumentTest, NumbersOfJsonAreFinite) {
  const Type type = Type::of(TypeKind::float64);
  EXPECT_EQ(json::to_text(value_to_json(type, 0.1)), "0.1");
  EXPECT_EQ(json::to_text(value_to_json(type, std::numeric_limits<double>::infinity())),
            "\"Infinity\"");
  EXPECT_EQ(json::to_text(value_to_json(type, std::numeric_limits<double>::quiet_NaN())),
            "\"NaN\"");
}

TEST(DocumentTest, AFloatIsTheShortestTextThatReadsBack) {
  EXPECT_EQ(shown(Type::of(TypeKind::float32), static_cast<double>(0.1F)), "0.1");
}

TEST(DocumentTest, DatesBeforeTheYear1000HaveFourDigits) {
  EXPECT_EQ(shown(Type::of(TypeKind::date), Date{0}), "1970-01-01");
  EXPECT_EQ(shown(Type::of(TypeKind::date), Date{-719'162}), "0001-01-01");
}

TEST(DocumentTest, NestedCellsAreJson) {
  const Type list = Type::list(Type::of(TypeKind::int64));
  EXPECT_EQ(shown(list, ValueList{1, Value(), 3}), "[1,null,3]");
  const Type map = Type::map(list);
  EXPECT_EQ(shown(map, ValueMap{{"k", ValueList{1}}}), R"({"k":[1]})");
  EXPECT_EQ(shown(Type::of(TypeKind::binary), Binary{std::string("\x00\xff", 2)}), "00ff");
}

TEST(DocumentTest, WhatIsShownIsReadBack) {
  for (const auto& [type, cell] : std::vector<std::pair<Type, Value>>{
           {Type::media_time(), Decimal{-1'500'000'000}},
           {Type::of(TypeKind::float64), std::numeric_limits<double>::quiet_NaN()},
           {Type::of(TypeKind::float64), -std::numeric_limits<double>::infinity()},
           {Type::of(TypeKind::float32), static_cast<double>(0.1F)},
           {Type::of(TypeKind::uint64), std::uint64_t{UINT64_MAX}},
           {Type::of(TypeKind::date), Date{-719'162}},
           {Type::of(TypeKind::timestamp), Instant{-1}},
           {Type::of(TypeKind::binary), Binary{std::string("\x00\xff", 2)}},
           {Type::map(Type::list(Type::of(TypeKind::int8))),
            ValueMap{{"k", ValueList{1, Value()}}}}}) {
    const auto read = value_from_json(type, value_to_json(type, cell));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, cell) << shown(type, cell);
  }
}

TEST(DocumentTest, WhatDoesNotFitIsRefused) {
  const auto refused = [](const char* type, const char* value) {
    const auto read = value_from_json(*Type::parse(type), *json::parse(value));
    return read ? std::string("taken") : read.error().pointer() + " " + read.error().message();
  };
  EXPECT_NE(refused("decimal(4,2)", "\"123.4\""), "taken");
  EXPECT_NE(refused("decimal(4,2)", "\"1.234\""), "taken");
  EXPECT_NE(refused("decimal(4,2)", "\".5\""), "taken");
  EXPECT_NE(refused("date", "\"2026-02-30\""), "taken");
  EXPECT_NE(refused("date", "\"2026-02-3x\""), "taken");
  EXPECT_NE(refused("int8", "128"), "taken");
  EXPECT_NE(refused("int8", "1.5"), "taken");
  EXPECT_NE(refused("binary", "\"abc\""), "taken");
  EXPECT_EQ(refused("list<bool>", "[true,1]").substr(0, 3), "/1 ");
  EXPECT_EQ(refused("struct<a:date>", "{\"b\":1}"), " has no member 'b'");
}

}  // namespace
}  // namespace reel::store
