#include "time/timestamp.h"

#include <random>

#include <gtest/gtest.h>

#include "base/test_seed.h"
#include "time/test_printing.h"

namespace reel::time {
namespace {

Timestamp ns(std::int64_t nanoseconds) { return Timestamp::from_nanoseconds(nanoseconds); }

//! A timestamp whose order of magnitude is random too, so that small ones and limits both occur.
Timestamp random_timestamp(std::mt19937_64& random) {
  const unsigned bits = std::uniform_int_distribution<unsigned>(0, 78)(random);
  Int128 value = (Int128{random() >> 1} << 16) ^ Int128 { random() };
  value &= (Int128{1} << bits) - 1;
  if (value > Timestamp::max().nanoseconds()) value = Timestamp::max().nanoseconds();
  return Timestamp::from_nanoseconds(random() % 2 == 0 ? value : -value);
}

TEST(Timestamp, ReadsSecondsAndNanoseconds) {
  EXPECT_EQ(*Timestamp::parse("0:0"), ns(0));
  EXPECT_EQ(*Timestamp::parse("1:40000000"), ns(1'040'000'000));
  EXPECT_EQ(*Timestamp::parse("1694429247:999999999"), ns(1'694'429'247'999'999'999));
}

TEST(Timestamp, SignCoversTheWholeValue) {
  EXPECT_EQ(*Timestamp::parse("-1:5"), ns(-1'000'000'005));
  EXPECT_EQ(*Timestamp::parse("-0:5"), ns(-5));
  EXPECT_EQ(*Timestamp::parse("-0:0"), ns(0));
  EXPECT_EQ(ns(-1'000'000'005).to_string(), "-1:5");
  EXPECT_EQ(ns(-5).to_string(), "-0:5");
  EXPECT_EQ(Timestamp::parse("-0:0")->to_string(), "0:0");
}

TEST(Timestamp, RefusesWhatThePatternRefuses) {
  for (const char* text : {"",      ":",    "1",     "1:",           ":1",           "01:0",
                           "1:00",  "1:01", "-01:0", "1:0000000000", "1:1000000000", "+1:0",
                           "--1:0", "1:-1", "1.5",   "1:0 ",         " 1:0",         "1:0x",
                           "1 :0",  "-",    "-:",    "1:0:0"}) {
    const auto parsed = Timestamp::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Code::invalid) << text;
  }
  EXPECT_FALSE(Timestamp::parse(std::string_view("1:0\0", 4)));
}

TEST(Timestamp, EndsWithThePtpRange) {
  EXPECT_EQ(*Timestamp::parse("281474976710655:999999999"), Timestamp::max());
  EXPECT_EQ(*Timestamp::parse("-281474976710655:999999999"), Timestamp::min());
  for (const char* text :
       {"281474976710656:0", "-281474976710656:0", "999999999999999:0", "1000000000000000:0",
        "18446744073709551616:0", "184467440737095516160000000000000000000000000:0"}) {
    const auto parsed = Timestamp::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message().find("2^48"), std::string::npos) << text;
  }
  EXPECT_TRUE(Timestamp::checked(Timestamp::max().nanoseconds()));
  EXPECT_TRUE(Timestamp::checked(Timestamp::min().nanoseconds()));
  EXPECT_FALSE(Timestamp::checked(Timestamp::max().nanoseconds() + 1));
  EXPECT_FALSE(Timestamp::checked(Timestamp::min().nanoseconds() - 1));
}

TEST(Timestamp, AddsUpToTheLimits) {
  EXPECT_EQ(*add(ns(3), ns(-5)), ns(-2));
  EXPECT_EQ(*subtract(ns(3), ns(-5)), ns(8));
  EXPECT_EQ(*add(Timestamp::max(), Timestamp::min()), ns(0));
  EXPECT_FALSE(add(Timestamp::max(), ns(1)));
  EXPECT_FALSE(subtract(Timestamp::min(), ns(1)));
  EXPECT_FALSE(subtract(Timestamp::min(), Timestamp::max()));
}

TEST(Timestamp, DecimalSeconds) {
  EXPECT_EQ(*Timestamp::parse_decimal_seconds("12.345"), ns(12'345'000'000));
  EXPECT_EQ(*Timestamp::parse_decimal_seconds("-3"), ns(-3'000'000'000));
  EXPECT_EQ(*Timestamp::parse_decimal_seconds("-0.000000001"), ns(-1));
  EXPECT_EQ(*Timestamp::parse_decimal_seconds("007.50"), ns(7'500'000'000));
  EXPECT_EQ(*Timestamp::parse_decimal_seconds("281474976710655.999999999"), Timestamp::max());
  for (const char* text : {"", "-", ".", "1.", ".5", "+1", "1e3", "0.0000000001", "1.5.5", " 1",
                           "281474976710656", "-281474976710656.0", "1,5", "0x1"}) {
    EXPECT_FALSE(Timestamp::parse_decimal_seconds(text)) << text;
  }
  EXPECT_EQ(ns(-5).to_decimal_seconds(), "-0.000000005");
  EXPECT_EQ(ns(12'345'000'000).to_decimal_seconds(), "12.345000000");
  EXPECT_DOUBLE_EQ(ns(-1'500'000'000).to_seconds(), -1.5);
}

TEST(Timestamp, KeyIsBigEndianAroundTwoToThe95) {
  EXPECT_EQ(ns(0).key(), (TimestampKey{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ns(0x0102).key(), (TimestampKey{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}));
  EXPECT_EQ(ns(-1).key(),
            (TimestampKey{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
}

TEST(TimestampProperty, EveryTextFormReadsBackAndKeysOrderAsTime) {
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp a = random_timestamp(random);
    const Timestamp b =
        i % 4 == 0 ? Timestamp::checked(a.nanoseconds() + 1).value_or(a) : random_timestamp(random);
    ASSERT_EQ(*Timestamp::parse(a.to_string()), a);
    ASSERT_EQ(*Timestamp::parse_decimal_seconds(a.to_decimal_seconds()), a);
    ASSERT_EQ(Timestamp::from_key(a.key()), a);
    ASSERT_EQ(a <=> b, a.key() <=> b.key()) << a.to_string() << ' ' << b.to_string();
  }
}

TEST(TimestampProperty, LimitsKeepTheirKeysInOrder) {
  EXPECT_LT(Timestamp::min().key(), ns(0).key());
  EXPECT_LT(ns(0).key(), Timestamp::max().key());
  EXPECT_EQ(Timestamp::from_key(Timestamp::min().key()), Timestamp::min());
  EXPECT_EQ(Timestamp::from_key(Timestamp::max().key()), Timestamp::max());
}

}  // namespace
}  // namespace reel::time
