#include "time/time_range.h"

#include <bit>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_seed.h"
#include "time/test_printing.h"

namespace reel::time {
namespace {

Timestamp ns(Int128 nanoseconds) { return Timestamp::from_nanoseconds(nanoseconds); }

TimeRange range(std::string_view text) {
  auto parsed = TimeRange::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : TimeRange::never();
}

std::string normal(std::string_view text) { return range(text).to_string(); }

TEST(TimeRangeParse, BothBounds) {
  const TimeRange half_open = range("[0:0_10:0)");
  EXPECT_EQ(half_open.start(), (TimeRange::Bound{ns(0), true}));
  EXPECT_EQ(half_open.end(), (TimeRange::Bound{ns(10'000'000'000), false}));
  EXPECT_EQ(half_open, TimeRange::half_open(ns(0), ns(10'000'000'000)));
  for (const char* text : {"[0:0_1:0]", "(0:0_1:0]", "[0:0_1:0)", "(0:0_1:0)", "(-1:5_-0:7]"}) {
    EXPECT_EQ(normal(text), text);
  }
}

TEST(TimeRangeParse, OmittedBoundsAreOpen) {
  EXPECT_TRUE(range("_").is_eternity());
  EXPECT_EQ(normal("_"), "_");
  EXPECT_EQ(normal("(5:0_"), "(5:0_");
  EXPECT_EQ(normal("_5:0)"), "_5:0)");
  EXPECT_FALSE(range("[5:0_").end());
  EXPECT_FALSE(range("_5:0]").start());
}

TEST(TimeRangeParse, MarkerBesideAnOmittedTimestampIsIgnored) {
  for (const char* text : {"[_", "(_", "_]", "_)", "(_)", "[_]", "(_]", "[_)"}) {
    EXPECT_EQ(normal(text), "_") << text;
  }
  EXPECT_EQ(normal("[_1:0)"), "_1:0)");
  EXPECT_EQ(normal("(_1:0]"), "_1:0]");
  EXPECT_EQ(normal("(1:0_)"), "(1:0_");
  EXPECT_EQ(normal("[1:0_]"), "[1:0_");
}

TEST(TimeRangeParse, MissingMarkersAreInclusive) {
  EXPECT_EQ(normal("0:0_1:0"), "[0:0_1:0]");
  EXPECT_EQ(normal("0:0_1:0)"), "[0:0_1:0)");
  EXPECT_EQ(normal("(0:0_1:0"), "(0:0_1:0]");
  EXPECT_EQ(normal("5:0_"), "[5:0_");
  EXPECT_EQ(normal("_5:0"), "_5:0]");
}

TEST(TimeRangeParse, NoTimestampAndNoUnderscoreIsNever) {
  for (const char* text : {"", "()", "[]", "(]", "[)", "(", "[", ")", "]"}) {
    EXPECT_TRUE(range(text).is_never()) << text;
    EXPECT_EQ(normal(text), "()");
  }
}

TEST(TimeRangeParse, Instants) {
  for (const char* text : {"[5:0]", "5:0", "[5:0", "5:0]", "[5:0_5:0]", "5:0_5:0"}) {
    EXPECT_EQ(normal(text), "[5:0]") << text;
    EXPECT_EQ(range(text), TimeRange::instant(ns(5'000'000'000)));
  }
}

TEST(TimeRangeParse, InstantsCannotBeExclusive) {
  for (const char* text : {"(0:0)", "[0:0)", "(0:0]", "(0:0", "0:0)"}) {
    EXPECT_FALSE(TimeRange::parse(text)) << text;
  }
}

TEST(TimeRangeParse, EmptyRangesAreNever) {
  for (const char* text :
       {"[5:0_1:0)", "[5:0_1:0]", "[0:0_0:0)", "(0:0_0:0]", "(0:0_0:0)", "[0:1_0:0]", "[0:0_-0:1]",
        "(0:0_0:1)", "(281474976710655:999999999_", "_-281474976710655:999999999)"}) {
    EXPECT_TRUE(range(text).is_never()) << text;
  }
}

TEST(TimeRangeParse, RefusesWhatThePatternRefuses) {
  for (const char* text : {"0:0_1:0_2:0", "[[0:0]", "[0:0]]",    "__",
                           "[0:0 _1:0)",  " [0:0]", "[0:0] ",    "[0:0-1:0)",
                           "-",           "_-",     "[-_",       "[01:0_2:0)",
                           "[1:00_2:0)",  "[1_2)",  "[1:_2:0)",  "[1:0_2:1000000000)",
                           "never",       "()()",   "[1:0,2:0)", "{1:0}",
                           ")_(",         "](",     "_0:0_"}) {
    const auto parsed = TimeRange::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::invalid) << text;
  }
  EXPECT_FALSE(TimeRange::parse(std::string_view("[0:0]\0", 6)));
}

TEST(TimeRangeParse, RefusesWhatPtpCannotHold) {
  EXPECT_TRUE(TimeRange::parse("[-281474976710655:999999999_281474976710655:999999999]"));
  EXPECT_FALSE(TimeRange::parse("[0:0_281474976710656:0)"));
  EXPECT_FALSE(TimeRange::parse("[-281474976710656:0_0:0)"));
  EXPECT_FALSE(TimeRange::parse("18446744073709551616:0"));
}

TEST(TimeRange, OrderHonoursClusivity) {
  EXPECT_TRUE(range("[1:0_2:0)").precedes(range("[2:0]")));
  EXPECT_FALSE(range("[1:0_2:0)").overlaps(range("[2:0]")));
  EXPECT_TRUE(range("[1:0_2:0)").touches(range("[2:0]")));
  EXPECT_TRUE(range("[1:0_2:0)").overlaps(range("[0:0_1:0]")));
  EXPECT_FALSE(range("[0:0_1:0]").precedes(range("[1:0_2:0)")));
  EXPECT_FALSE(range("[0:0_1:0)").touches(range("(1:0_2:0)")));
}

TEST(TimeRange, SetEqualityIgnoresSpelling) {
  EXPECT_EQ(range("[0:0_0:9]"), range("[0:0_0:10)"));
  EXPECT_EQ(range("(0:0_"), range("[0:1_"));
  EXPECT_EQ(range("[5:0_5:1)"), range("[5:0]"));
  EXPECT_NE(TimeRange::make(TimeRange::Bound{Timestamp::min()}, TimeRange::Bound{Timestamp::max()}),
            TimeRange::eternity());
  EXPECT_NE(TimeRange::never(), TimeRange::eternity());
}

TEST(TimeRange, NeverIsNowhere) {
  const TimeRange never = TimeRange::never();
  const TimeRange some = range("[1:0_2:0)");
  EXPECT_TRUE(some.covers(never));
  EXPECT_TRUE(never.covers(never));
  EXPECT_FALSE(never.covers(some));
  EXPECT_FALSE(never.overlaps(TimeRange::eternity()));
  EXPECT_FALSE(never.precedes(some));
  EXPECT_FALSE(some.precedes(never));
  EXPECT_FALSE(never.is_bounded());
  EXPECT_EQ(never.extent_with(some), some);
  EXPECT_EQ(*some.unite(never), some);
  EXPECT_EQ(*never.shift(ns(5)), never);
}

TEST(TimeRange, ResultsKeepTheSpellingOfTheirBounds) {
  EXPECT_EQ(range("[0:0_10:0]").intersect(range("(5:0_20:0)")).to_string(), "(5:0_10:0]");
  EXPECT_EQ(range("[0:0_1:0]").extent_with(range("(5:0_6:0)")).to_string(), "[0:0_6:0)");
  EXPECT_EQ(range("[0:0_1:0)").unite(range("[1:0_2:0]"))->to_string(), "[0:0_2:0]");
  EXPECT_EQ(range("(0:0_1:0]").shift(*Timestamp::parse("-10:0"))->to_string(), "(-10:0_-9:0]");
}

TEST(TimeRange, UniteRefusesAHole) {
  const auto united = range("[0:0_1:0)").unite(range("(1:0_2:0)"));
  ASSERT_FALSE(united);
  EXPECT_EQ(united.error().message(), "there is a hole between [0:0_1:0) and (1:0_2:0)");
}

TEST(TimeRange, ShiftStopsAtThePtpRange) {
  EXPECT_TRUE(TimeRange::instant(Timestamp::max()).shift(ns(0)));
  EXPECT_FALSE(TimeRange::instant(Timestamp::max()).shift(ns(1)));
  EXPECT_FALSE(range("_0:0]").shift(Timestamp::max())->shift(ns(1)));
  EXPECT_TRUE(TimeRange::eternity().shift(Timestamp::max()));
  EXPECT_TRUE(TimeRange::make(TimeRange::Bound{Timestamp::max(), false}, {}).is_never());
}

TEST(TimeRange, PastLastMayLieBeyondTheLastTimestamp) {
  EXPECT_EQ(TimeRange::instant(Timestamp::max()).past_last_nanoseconds(),
            Timestamp::max().nanoseconds() + 1);
  EXPECT_EQ(range("(0:5_").first(), ns(6));
  EXPECT_EQ(range("_").first(), std::nullopt);
  EXPECT_EQ(range("_").past_last_nanoseconds(), std::nullopt);
}

//! The reference: a range as a set of the nanoseconds -kReach…kReach around a base, one bit each.
//! Bounds stay within ±kBound, so an open end is one whose last bits are set.
constexpr int kReach = 8;
constexpr int kBound = 2;
using Moments = std::uint32_t;

struct Sample {
  TimeRange range;
  Moments moments;
};

bool inside(const std::optional<TimeRange::Bound>& start,
            const std::optional<TimeRange::Bound>& end, Timestamp at) {
  if (start && (start->inclusive ? at < start->at : at <= start->at)) return false;
  return !end || (end->inclusive ? at <= end->at : at < end->at);
}

//! Every range whose bounds lie within ±kBound of `base`.
std::vector<Sample> all_ranges(Int128 base) {
  std::vector<std::optional<TimeRange::Bound>> bounds = {std::nullopt};
  for (int at = -kBound; at <= kBound; ++at) {
    bounds.emplace_back(TimeRange::Bound{ns(base + at), true});
    bounds.emplace_back(TimeRange::Bound{ns(base + at), false});
  }
  std::vector<Sample> samples = {{TimeRange::never(), 0}};
  for (const auto& start : bounds) {
    for (const auto& end : bounds) {
      Moments moments = 0;
      for (int at = -kReach; at <= kReach; ++at) {
        if (inside(start, end, ns(base + at))) moments |= Moments{1} << (at + kReach);
      }
      samples.push_back({TimeRange::make(start, end), moments});
    }
  }
  return samples;
}

int lowest(Moments moments) { return std::countr_zero(moments); }
int highest(Moments moments) { return 31 - std::countl_zero(moments); }

//! Every bit between the lowest and the highest.
Moments filled(Moments moments) {
  if (moments == 0) return 0;
  return (Moments{2} << highest(moments)) - (Moments{1} << lowest(moments));
}

class TimeRangeModel : public testing::TestWithParam<int> {
 protected:
  //! Zero, a second's edge on either side of it, or anywhere in the PTP range.
  static Int128 choose_base() {
    if (GetParam() < 3) return Int128{GetParam() - 1} * 1'000'000'000;
    std::mt19937_64 random(test_seed() + static_cast<std::uint64_t>(GetParam()));
    return (Int128{static_cast<std::int64_t>(random())} << 14) ^ Int128 { random() >> 2 };
  }

  Moments moments_of(const TimeRange& range) const {
    Moments moments = 0;
    for (int at = -kReach; at <= kReach; ++at) {
      if (range.contains(ns(base_ + at))) moments |= Moments{1} << (at + kReach);
    }
    return moments;
  }

  const Int128 base_ = choose_base();
};

TEST_P(TimeRangeModel, OfOneRange) {
  for (const auto& [range, moments] : all_ranges(base_)) {
    SCOPED_TRACE(range.to_string());
    ASSERT_EQ(moments_of(range), moments);
    ASSERT_EQ(range.is_never(), moments == 0);
    const auto parsed = TimeRange::parse(range.to_string());
    ASSERT_TRUE(parsed);
    ASSERT_EQ(*parsed, range);
    ASSERT_EQ(parsed->to_string(), range.to_string());
    if (range.is_never()) continue;
    if (range.first()) {
      ASSERT_EQ(range.first(), ns(base_ + lowest(moments) - kReach));
    } else {
      ASSERT_EQ(lowest(moments), 0);
    }
    if (range.past_last_nanoseconds()) {
      ASSERT_EQ(range.past_last_nanoseconds(), base_ + highest(moments) - kReach + 1);
    } else {
      ASSERT_EQ(highest(moments), 2 * kReach);
    }
  }
}

TEST_P(TimeRangeModel, OfTwoRanges) {
  const auto samples = all_ranges(base_);
  for (const auto& [a, a_moments] : samples) {
    for (const auto& [b, b_moments] : samples) {
      SCOPED_TRACE(a.to_string() + " and " + b.to_string());
      const Moments common = a_moments & b_moments;
      const Moments either = a_moments | b_moments;
      const bool gapless = either == filled(either);
      ASSERT_EQ(a == b, a_moments == b_moments);
      ASSERT_EQ(a.covers(b), (b_moments & ~a_moments) == 0);
      ASSERT_EQ(a.overlaps(b), common != 0);
      ASSERT_EQ(a.precedes(b),
                a_moments != 0 && b_moments != 0 && highest(a_moments) < lowest(b_moments));
      ASSERT_EQ(a.touches(b), gapless);
      ASSERT_EQ(moments_of(a.intersect(b)), common);
      ASSERT_EQ(moments_of(a.extent_with(b)), filled(either));
      ASSERT_EQ(a.extent_with(b), b.extent_with(a));
      ASSERT_EQ(a.intersect(b), b.intersect(a));
      const auto united = a.unite(b);
      ASSERT_EQ(united.has_value(), gapless);
      if (united) ASSERT_EQ(moments_of(*united), either);
    }
  }
}

TEST_P(TimeRangeModel, OfItsHalfOpenBounds) {
  for (const auto& [range, moments] : all_ranges(base_)) {
    if (range.is_never()) continue;
    const auto first = range.first();
    const auto again = TimeRange::from_nanoseconds(
        first ? std::optional(first->nanoseconds()) : std::nullopt, range.past_last_nanoseconds());
    ASSERT_TRUE(again);
    ASSERT_EQ(*again, range);
  }
}

TEST_P(TimeRangeModel, OfAShift) {
  for (const auto& [range, moments] : all_ranges(base_)) {
    for (int by = -kBound; by <= kBound; ++by) {
      const auto shifted = range.shift(ns(by));
      ASSERT_TRUE(shifted);
      for (int at = -kReach; at <= kReach; ++at) {
        ASSERT_EQ(shifted->contains(ns(base_ + at + by)), range.contains(ns(base_ + at)))
            << range.to_string() << " by " << by;
      }
    }
  }
}

TEST(TimeRange, FromNanoseconds) {
  EXPECT_EQ(TimeRange::from_nanoseconds(5, 10)->to_string(), "[0:5_0:10)");
  EXPECT_EQ(TimeRange::from_nanoseconds({}, {})->to_string(), "_");
  EXPECT_TRUE(TimeRange::from_nanoseconds(5, 5)->is_never());
  EXPECT_TRUE(TimeRange::from_nanoseconds(10, 5)->is_never());
  const Int128 last = Timestamp::max().nanoseconds();
  EXPECT_EQ(*TimeRange::from_nanoseconds(last, last + 1), TimeRange::instant(Timestamp::max()));
  EXPECT_FALSE(TimeRange::from_nanoseconds({}, last + 2));
  EXPECT_FALSE(TimeRange::from_nanoseconds(-last - 1, {}));
}

INSTANTIATE_TEST_SUITE_P(Bases, TimeRangeModel, testing::Range(0, 6));

}  // namespace
}  // namespace reel::time
