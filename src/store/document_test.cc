#include "store/document.h"

#include <limits>
#include <tuple>
#include <vector>

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

TEST(DocumentTest, DecimalsAreReadAsFarAsTheyFit) {
  const auto read = [](const Type& type, const std::string& text) {
    const auto value = value_from_json(type, json::Value(text));
    return value ? shown(type, *value) : "none";
  };
  const Type type = Type::decimal(5, 2);
  for (const char* text : {"0", "-0", "00.10", "999.99", "-999.99", "7.5", "0000000999"}) {
    EXPECT_NE(read(type, text), "none") << text;
  }
  EXPECT_EQ(read(type, "7.5"), "7.50");
  for (const std::string text : {"", "-", ".", "1.", ".5", "1000", "1.234", "--1", "1e2", "+1"}) {
    EXPECT_EQ(read(type, text), "none") << text;
  }
  for (const auto scale : {std::uint8_t{0}, std::uint8_t{9}, std::uint8_t{28}}) {
    EXPECT_EQ(read(Type::decimal(28, scale), std::string(60, '9')), "none");
    EXPECT_EQ(read(Type::decimal(28, scale), "0." + std::string(60, '9')), "none");
  }
  EXPECT_EQ(read(Type::decimal(28, 28), "1"), "none");
  EXPECT_EQ(read(Type::decimal(28, 0), std::string(28, '9')), std::string(28, '9'));
}

TEST(DocumentTest, DatesAreReadAsTheyAreWritten) {
  const Type type = Type::of(TypeKind::date);
  for (const std::int32_t days :
       {0, -1, 59, 146'096, 146'097, -146'098, 13'361'000, -719'529,
        std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}) {
    const auto read = value_from_json(type, value_to_json(type, Date{days}));
    ASSERT_TRUE(read) << days;
    EXPECT_EQ(*read, Value(Date{days}));
  }
  EXPECT_EQ(shown(type, Date{11'016}), "2000-02-29");
  EXPECT_EQ(shown(type, Date{13'361'021}), "38551-03-27");
  for (const char* wrong : {"40522-2-11", "2026-1-1", "2026-02-29", "2026-13-01", " 2026-01-01",
                            "+2026-01-01", "2026-01-01 ", "99999999-01-01", "026-01-01"}) {
    EXPECT_FALSE(value_from_json(type, json::Value(wrong))) << wrong;
  }
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

//! What a value becomes, as text; what is wrong if nothing.
std::string converted(const std::string& from, const std::string& to, const Value& value) {
  const Type wanted = *Type::parse(to);
  const auto result = convert_value(*Type::parse(from), wanted, value);
  return result ? shown(wanted, *result) : "! " + result.error().message();
}

TEST(DocumentTest, ValuesKeepTheirMeaningInAnotherType) {
  EXPECT_EQ(converted("string", "int32", "42"), "42");
  EXPECT_EQ(converted("string", "float64", "-1.5e3"), "-1500");
  EXPECT_EQ(converted("string", "float64", "NaN"), "NaN");
  EXPECT_EQ(converted("string", "decimal(24,9)", "12.5"), "12.500000000");
  EXPECT_EQ(converted("string", "bool", "true"), "true");
  EXPECT_EQ(converted("string", "list<int8>", "[1,2]"), "[1,2]");
  EXPECT_EQ(converted("string", "date", "2026-11-21"), "2026-11-21");
  EXPECT_EQ(converted("int64", "int8", 127), "127");
  EXPECT_EQ(converted("int64", "uint8", 255), "255");
  EXPECT_EQ(converted("int64", "decimal(5,2)", 7), "7.00");
  EXPECT_EQ(converted("int64", "string", -3), "-3");
  EXPECT_EQ(converted("int64", "bool", 1), "true");
  EXPECT_EQ(converted("bool", "int8", true), "1");
  EXPECT_EQ(converted("bool", "string", false), "false");
  EXPECT_EQ(converted("float64", "int64", 12.0), "12");
  EXPECT_EQ(converted("float64", "decimal(24,9)", 0.1), "0.100000000");
  EXPECT_EQ(converted("decimal(24,9)", "int64", Decimal{Int128{5} * 1'000'000'000}), "5");
  EXPECT_EQ(converted("decimal(24,9)", "decimal(5,1)", Decimal{1'500'000'000}), "1.5");
  EXPECT_EQ(converted("decimal(24,9)", "float64", Decimal{-500'000'000}), "-0.5");
  EXPECT_EQ(converted("date", "timestamp", Date{1}), "1970-01-02T00:00:00.000000Z");
  EXPECT_EQ(converted("list<int8>", "string", ValueList{1, 2}), "[1,2]");
  EXPECT_TRUE(convert_value(Type::of(TypeKind::string), Type::of(TypeKind::int8), {})->is_null());
}

TEST(DocumentTest, AValueWithoutACounterpartIsNotConverted) {
  for (const auto& [from, to, value] : std::vector<std::tuple<const char*, const char*, Value>>{
           {"string", "int32", "x"},
           {"string", "int32", "4.5"},
           {"string", "int8", "128"},
           {"string", "bool", "yes"},
           {"string", "float64", ""},
           {"string", "int32", "null"},
           {"string", "uuid", "1"},
           {"string", "decimal(3,1)", "100.5"},
           {"int64", "bool", 2},
           {"int64", "uint8", -1},
           {"float64", "int64", 1.5},
           {"float64", "int64", 1e300},
           {"decimal(24,9)", "int64", Decimal{1}},
           {"decimal(24,9)", "decimal(5,1)", Decimal{1}},
           {"uuid", "int64", Uuid()}}) {
    const std::string outcome = converted(from, to, value);
    EXPECT_EQ(outcome.substr(0, 2), "! ") << from << " to " << to << ": " << outcome;
    EXPECT_NE(outcome.find("cannot become"), std::string::npos) << outcome;
  }
}

}  // namespace
}  // namespace reel::store
