#include "sql/present.h"

#include <limits>

#include <gtest/gtest.h>

namespace reel::sql {
namespace {

using store::Type;
using store::TypeKind;
using store::Value;

std::string shown(const Type& type, const Value& cell) { return cell_text(to_json(type, cell)); }

TEST(PresentTest, DecimalsAreExactText) {
  const Type type = Type::media_time();
  EXPECT_EQ(shown(type, store::Decimal{0}), "0.000000000");
  EXPECT_EQ(shown(type, store::Decimal{1}), "0.000000001");
  EXPECT_EQ(shown(type, store::Decimal{-1}), "-0.000000001");
  EXPECT_EQ(shown(type, store::Decimal{-1'500'000'000}), "-1.500000000");
  EXPECT_EQ(shown(Type::decimal(5, 0), store::Decimal{-42}), "-42");
}

TEST(PresentTest, TheSmallestHugeIntegerHasItsDigits) {
  const store::Int128 smallest = static_cast<store::Int128>(1) << 127;
  EXPECT_EQ(shown(Type::decimal(28, 0), store::Decimal{smallest}),
            "-170141183460469231731687303715884105728");
}

TEST(PresentTest, NumbersOfJsonAreFinite) {
  const Type type = Type::of(TypeKind::float64);
  EXPECT_EQ(json::to_text(to_json(type, 0.1)), "0.1");
  EXPECT_EQ(json::to_text(to_json(type, std::numeric_limits<double>::infinity())), "\"inf\"");
  EXPECT_EQ(json::to_text(to_json(type, std::numeric_limits<double>::quiet_NaN())), "\"nan\"");
}

TEST(PresentTest, AFloatIsTheShortestTextThatReadsBack) {
  EXPECT_EQ(shown(Type::of(TypeKind::float32), static_cast<double>(0.1F)), "0.1");
}

TEST(PresentTest, DatesBeforeTheYear1000HaveFourDigits) {
  EXPECT_EQ(shown(Type::of(TypeKind::date), store::Date{0}), "1970-01-01");
  EXPECT_EQ(shown(Type::of(TypeKind::date), store::Date{-719'162}), "0001-01-01");
}

TEST(PresentTest, NestedCellsAreJson) {
  const Type list = Type::list(Type::of(TypeKind::int64));
  EXPECT_EQ(shown(list, store::ValueList{1, Value(), 3}), "[1,null,3]");
  const Type map = Type::map(list);
  EXPECT_EQ(shown(map, store::ValueMap{{"k", store::ValueList{1}}}), R"({"k":[1]})");
  EXPECT_EQ(shown(Type::of(TypeKind::binary), store::Binary{std::string("\x00\xff", 2)}), "00ff");
}

TEST(PresentTest, CsvTellsNullFromEmptyText) {
  std::string line;
  append_csv(line, {nullptr, "", "a,b", "say \"x\"", 5, json::Array{1, 2}});
  EXPECT_EQ(line, ",\"\",\"a,b\",\"say \"\"x\"\"\",5,\"[1,2]\"\r\n");
}

}  // namespace
}  // namespace reel::sql
