#include "lake/data_file.h"

#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "base/percent.h"
#include "base/test_seed.h"

namespace reel::lake {
namespace {

using store::TypeKind;
using store::Value;

ColumnStatistics bounds_of(TypeKind kind, const std::vector<Value>& values) {
  BoundsCollector collector(kind);
  for (const Value& value : values) collector.add(value);
  ColumnStatistics statistics;
  collector.write_to(statistics);
  return statistics;
}

TEST(BoundsTest, nulls_and_nans_are_no_bounds) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto some = bounds_of(TypeKind::float64, {nan, 2.5, {}, -1.0, nan});
  EXPECT_EQ(some.lower, Value(-1.0));
  EXPECT_EQ(some.upper, Value(2.5));
  EXPECT_EQ(some.nans, 2);
  const auto none = bounds_of(TypeKind::float32, {nan, {}});
  EXPECT_TRUE(none.lower.is_null());
  EXPECT_TRUE(none.upper.is_null());
  EXPECT_EQ(none.nans, 1);
}

TEST(BoundsTest, long_text_is_cut_to_whole_characters_and_rounded_up) {
  std::string text(kBoundBytesMax - 1, 'a');
  text += "\u00e9tail";  // é would be cut in two
  const auto bounds = bounds_of(TypeKind::string, {text});
  EXPECT_EQ(bounds.lower, Value(std::string(kBoundBytesMax - 1, 'a')));
  EXPECT_EQ(bounds.upper, Value(std::string(kBoundBytesMax - 2, 'a') + "b"));
  const auto exact = bounds_of(TypeKind::string, {std::string(kBoundBytesMax, 'z')});
  EXPECT_EQ(exact.upper, Value(std::string(kBoundBytesMax, 'z')));
}

TEST(BoundsTest, what_has_nothing_above_it_has_no_upper_bound) {
  const std::string bytes(kBoundBytesMax + 1, '\xff');
  const auto bounds = bounds_of(TypeKind::binary, {store::Binary{bytes}});
  EXPECT_EQ(bounds.lower, Value(store::Binary{std::string(kBoundBytesMax, '\xff')}));
  EXPECT_TRUE(bounds.upper.is_null());
  std::string last;
  while (last.size() <= kBoundBytesMax) last += "\U0010FFFF";
  EXPECT_TRUE(bounds_of(TypeKind::string, {last}).upper.is_null());
  // The surrogates are no characters: the one before them is followed by the one behind them.
  const auto skipped = bounds_of(TypeKind::string, {"\uD7FF" + last});
  EXPECT_EQ(skipped.upper, Value("\uE000"));
}

TEST(BoundsTest, every_value_is_within_them) {
  std::mt19937_64 random(test_seed());
  constexpr std::array<std::string_view, 5> kPieces = {"a", "\x7f", "\u07ff", "\uffff",
                                                       "\U0010FFFF"};
  for (int round = 0; round < 300; ++round) {
    std::vector<Value> values;
    for (auto count = 1 + random() % 4; count > 0; --count) {
      std::string text;
      for (auto size = random() % 40; size > 0; --size) text += kPieces.at(random() % 5);
      values.emplace_back(text);
    }
    const auto bounds = bounds_of(TypeKind::string, values);
    EXPECT_LE(bounds.lower.get<std::string>().size(), kBoundBytesMax);
    EXPECT_TRUE(is_utf8(bounds.lower.get<std::string>()));
    for (const Value& value : values) {
      EXPECT_TRUE(compare(bounds.lower, value) <= 0);
      if (bounds.upper.is_null()) continue;
      EXPECT_TRUE(compare(value, bounds.upper) <= 0);
      EXPECT_TRUE(is_utf8(bounds.upper.get<std::string>()));
    }
  }
}

}  // namespace
}  // namespace reel::lake
