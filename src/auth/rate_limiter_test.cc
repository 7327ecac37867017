#include "auth/rate_limiter.h"

#include <gtest/gtest.h>

namespace reel::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const RateLimiter::TimePoint kStart{seconds(1000)};

TEST(RateLimiterTest, AllowsABurstAndThenTheRate) {
  RateLimiter limiter({.per_second = 2, .burst_s = 3});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(limiter.take("a", kStart), seconds(0)) << i;
  EXPECT_EQ(limiter.take("a", kStart), seconds(1));
  EXPECT_EQ(limiter.take("a", kStart + milliseconds(499)), seconds(1));
  EXPECT_EQ(limiter.take("a", kStart + milliseconds(500)), seconds(0));
  EXPECT_EQ(limiter.take("a", kStart + milliseconds(501)), seconds(1));
}

TEST(RateLimiterTest, KeysDoNotMindEachOther) {
  RateLimiter limiter({.per_second = 1, .burst_s = 1});
  EXPECT_EQ(limiter.take("a", kStart), seconds(0));
  EXPECT_EQ(limiter.take("b", kStart), seconds(0));
  EXPECT_EQ(limiter.take("a", kStart), seconds(1));
}

TEST(RateLimiterTest, WaitLooksWithoutTaking) {
  RateLimiter limiter({.per_second = 1, .burst_s = 1});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.wait("a", kStart), seconds(0));
  EXPECT_EQ(limiter.take("a", kStart), seconds(0));
  EXPECT_EQ(limiter.wait("a", kStart), seconds(1));
  EXPECT_EQ(limiter.wait("a", kStart + seconds(1)), seconds(0));
}

TEST(RateLimiterTest, ZeroIsNoLimit) {
  RateLimiter limiter({});
  EXPECT_FALSE(limiter.enabled());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.take("a", kStart), seconds(0));
}

TEST(RateLimiterTest, AClockThatGoesBackGivesNothing) {
  RateLimiter limiter({.per_second = 1, .burst_s = 1});
  EXPECT_EQ(limiter.take("a", kStart), seconds(0));
  EXPECT_EQ(limiter.take("a", kStart - seconds(100)), seconds(1));
}

TEST(RateLimiterTest, ManyKeysTakeBoundedMemoryAndALimitedOneStaysLimited) {
  RateLimiter limiter({.per_second = 1, .burst_s = 1});
  // Buckets that have filled again are forgotten first, so this one survives the crowd before it.
  for (std::size_t i = 0; i < 2 * RateLimiter::kKeysMax; ++i) {
    EXPECT_EQ(limiter.take(std::to_string(i), kStart), seconds(0));
  }
  const auto later = kStart + seconds(10);
  EXPECT_EQ(limiter.take("limited", later), seconds(0));
  for (std::size_t i = 0; i < RateLimiter::kKeysMax / 2; ++i) {
    EXPECT_EQ(limiter.take("x" + std::to_string(i), later), seconds(0));
  }
  EXPECT_EQ(limiter.take("limited", later), seconds(1));
}

TEST(AddressKeyTest, AnIpv6ClientIsANetwork) {
  EXPECT_EQ(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:2:ffff::9"));
  EXPECT_NE(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:3::1"));
  EXPECT_NE(address_key("10.0.0.1"), address_key("10.0.0.2"));
  EXPECT_EQ(address_key("unix"), "unix");
}

}  // namespace
}  // namespace reel::auth
