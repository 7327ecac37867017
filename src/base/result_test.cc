#include "base/result.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace reel {
namespace {

static_assert(sizeof(Result<int>) == 16);
static_assert(sizeof(Error) == sizeof(void*));
static_assert(sizeof(Status) == 16);

Result<int> half(int number) {
  if (number % 2 != 0) return invalid("{} is odd", number);
  return number / 2;
}

Result<int> quarter(int number) {
  REEL_ASSIGN(const int once, half(number));
  REEL_ASSIGN(const int twice, half(once));
  return twice;
}

Status only_multiples_of_four(int number) {
  REEL_TRY(quarter(number));
  return {};
}

Result<std::unique_ptr<int>> owned(bool works) {
  if (!works) return not_found("nothing");
  return std::make_unique<int>(7);
}

Result<int> unwrapped(bool works) {
  REEL_ASSIGN(const std::unique_ptr<int> number, owned(works));
  return *number;
}

TEST(Result, AssignTakesTheValueOrLeaves) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(3).error().message(), "3 is odd");
  EXPECT_EQ(quarter(6).error().message(), "3 is odd");
  EXPECT_EQ(*unwrapped(true), 7);
  EXPECT_EQ(unwrapped(false).error().code(), Code::not_found);
}

TEST(Result, TryLeavesWithTheError) {
  EXPECT_TRUE(only_multiples_of_four(8));
  EXPECT_EQ(only_multiples_of_four(6).error().code(), Code::invalid);
}

TEST(Error, RemembersTheLineThatMadeIt) {
  const int line = __LINE__ + 1;
  const Result<int> failed = conflict("row {} exists", 3);
  EXPECT_EQ(failed.error().origin(), "result_test.cc:" + std::to_string(line));
  EXPECT_EQ(failed.error().code(), Code::conflict);
  EXPECT_EQ(failed.error().message(), "row 3 exists");
  EXPECT_EQ(failed.error().pointer(), "");
}

TEST(Error, NamesThePlaceInTheInput) {
  const Result<int> failed = at("/tags/x", invalid("not a string"));
  EXPECT_EQ(failed.error().pointer(), "/tags/x");
}

TEST(Error, TellsWhatWasBeingDone) {
  auto failed = half(5);
  const Error error = std::move(failed).error().while_doing("halving");
  EXPECT_EQ(error.message(), "halving: 5 is odd");
}

TEST(Error, CloneIsDeep) {
  const Result<int> failed = at("?limit", too_large("{} > {}", 5, 4));
  const Error copy = failed.error().clone();
  EXPECT_EQ(copy.code(), Code::too_large);
  EXPECT_EQ(copy.message(), "5 > 4");
  EXPECT_EQ(copy.pointer(), "?limit");
  EXPECT_EQ(copy.origin(), failed.error().origin());
  EXPECT_NE(&copy.message(), &failed.error().message());
}

TEST(Code, NamesAreStable) {
  EXPECT_EQ(code_name(Code::invalid), "invalid");
  EXPECT_EQ(code_name(Code::shutting_down), "shutting_down");
  EXPECT_EQ(code_name(Code::unknown_outcome), "unknown_outcome");
  EXPECT_EQ(code_name(Code::internal), "internal");
}

TEST(CheckDeathTest, AbortsWithExpressionAndPlace) {
  const int one = 1;
  REEL_CHECK(one == 1);
  EXPECT_DEATH(REEL_CHECK(one == 2), "result_test.cc:[0-9]+: check failed: one == 2");
}

}  // namespace
}  // namespace reel
