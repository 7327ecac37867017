#include <gtest/gtest.h>
#include <sys/mman.h>

#include <string>

#include "sql/memory_guard_internal.h"

namespace reel::sql {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kHuge = 1024 * kMiB;  // address space: nobody touches it

//! Asks as allocators do.
bool is_refused(std::size_t bytes) {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return true;
  ::munmap(memory, bytes);
  return false;
}

class MemoryGuardTest : public testing::Test {
 protected:
  void SetUp() override {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "sanitizers have allocators of their own";
#endif
  }
};

TEST_F(MemoryGuardTest, AThreadOfSqlGetsNoMoreThanStatementsMayHave) {
  const MemoryUse use(256 * kMiB);
  const SqlThread here;
  EXPECT_TRUE(is_refused(kHuge));
  EXPECT_FALSE(is_refused(16 * kMiB));
}

TEST_F(MemoryGuardTest, WhatWasTakenBeforeCounts) {
  const MemoryUse use(64 * kMiB);
  const SqlThread here;
  const std::string taken(40 * kMiB, 'x');
  EXPECT_TRUE(is_refused(40 * kMiB));
  EXPECT_EQ(taken.back(), 'x');
}

TEST_F(MemoryGuardTest, OtherThreadsAreNotConcerned) {
  const MemoryUse use(64 * kMiB);
  EXPECT_FALSE(is_refused(kHuge));
}

TEST_F(MemoryGuardTest, NothingIsRefusedWhileNoStatementRuns) {
  {
    const MemoryUse use(64 * kMiB);
  }
  const SqlThread here;
  EXPECT_FALSE(is_refused(kHuge));
}

TEST_F(MemoryGuardTest, TheLargestLimitCounts) {
  const MemoryUse small(64 * kMiB);
  const MemoryUse large(2 * kHuge);
  const SqlThread here;
  EXPECT_FALSE(is_refused(kHuge));
}

TEST_F(MemoryGuardTest, GrowthIsNoticedWhereverItCameFrom) {
  const MemoryUse use(32 * kMiB);
  EXPECT_FALSE(memory_exceeded());
  {
    const std::string taken(64 * kMiB, 'x');
    EXPECT_TRUE(memory_exceeded());
    EXPECT_EQ(taken.back(), 'x');
  }
  release_memory();
  EXPECT_FALSE(memory_exceeded());
}

}  // namespace
}  // namespace reel::sql
