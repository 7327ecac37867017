#include "analytics/summary.h"

#include <random>

#include <gtest/gtest.h>

#include "analytics/summary_tree.h"
#include "base/test_seed.h"

namespace reel::analytics {
namespace {

struct Piece {
  Int128 start;
  Int128 end;
  std::int64_t bytes;
};

//! Segments in order, some of which adjoin.
std::vector<Piece> random_timeline(std::mt19937_64& random, std::size_t count) {
  std::vector<Piece> pieces;
  Int128 at = -Int128(random() % 1'000'000'000'000);
  for (std::size_t i = 0; i < count; ++i) {
    if (random() % 3 == 0) at += Int128(1 + random() % 100'000'000'000);
    const Int128 end = at + 1 + Int128(random() >> (24 + random() % 40));
    pieces.push_back({at, end, static_cast<std::int64_t>(random() % 1000)});
    at = end;
  }
  return pieces;
}

Summary summary_of(const std::vector<Piece>& pieces, std::size_t from, std::size_t to) {
  Summary summary;
  for (std::size_t i = from; i < to; ++i) {
    summary.append(Summary::of(pieces[i].start, pieces[i].end, pieces[i].bytes));
  }
  return summary;
}

//! By definition, without merging.
Summary plain_summary(const std::vector<Piece>& pieces) {
  Summary summary;
  if (pieces.empty()) return summary;
  summary.first = pieces.front().start;
  summary.last = pieces.back().end;
  summary.shortest = summary.longest = pieces[0].end - pieces[0].start;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Int128 duration = pieces[i].end - pieces[i].start;
    ++summary.segments;
    summary.duration += duration;
    summary.shortest = std::min(summary.shortest, duration);
    summary.longest = std::max(summary.longest, duration);
    summary.media_bytes += pieces[i].bytes;
    std::size_t kind = 0;
    for (const Int128 bound : kDurationBounds) kind += duration >= bound ? 1 : 0;
    ++summary.durations[kind];
    const Int128 gap = i == 0 ? Int128{0} : pieces[i].start - pieces[i - 1].end;
    if (gap == 0) continue;
    ++summary.gaps;
    summary.gap_time += gap;
    summary.longest_gap = std::max(summary.longest_gap, gap);
  }
  return summary;
}

TEST(Summary, OfTwoPiecesIsThatOfBothWhereverTheyAreCut) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 200; ++round) {
    const auto pieces = random_timeline(random, random() % 30);
    const Summary whole = plain_summary(pieces);
    const std::size_t a = random() % (pieces.size() + 1);
    const std::size_t b = a + random() % (pieces.size() - a + 1);
    Summary left = summary_of(pieces, 0, a);
    Summary right = summary_of(pieces, a, b);
    const Summary end = summary_of(pieces, b, pieces.size());
    Summary joined_right = right;
    joined_right.append(end);
    Summary right_first = left;
    right_first.append(joined_right);
    left.append(right);
    left.append(end);
    ASSERT_EQ(left, whole);
    ASSERT_EQ(right_first, whole);
  }
}

TEST(Summary, OfTwoTimelinesHasNoGapBetweenThem) {
  const Summary one = Summary::of(0, 10, 1);
  Summary both = one;
  both.join(Summary::of(1000, 1010, 2));
  EXPECT_EQ(both.gaps, 0);
  EXPECT_EQ(both.segments, 2);
  EXPECT_EQ(both.first, 0);
  EXPECT_EQ(both.last, 1010);
  EXPECT_EQ(both.media_bytes, 3);
  Summary other_way = Summary::of(1000, 1010, 2);
  other_way.join(one);
  EXPECT_EQ(other_way, both);
  other_way.join(Summary());
  EXPECT_EQ(other_way, both);
}

TEST(Summary, ADurationAtABoundBeginsTheNextClass) {
  for (std::size_t i = 0; i < kDurationBounds.size(); ++i) {
    EXPECT_EQ(class_of(kDurationBounds[i] - 1, kDurationBounds), i);
    EXPECT_EQ(class_of(kDurationBounds[i], kDurationBounds), i + 1);
  }
}

TEST(Summary, SurvivesTheTable) {
  store::TableDefinition definition{.name = "t",
                                    .columns = summary_columns(),
                                    .partition_key = {"segments"},
                                    .clustering_key = {},
                                    .indexes = {}};
  const auto schema = store::make_schema(1, definition);
  ASSERT_TRUE(schema);
  std::mt19937_64 random(test_seed());
  const Summary summary = plain_summary(random_timeline(random, 20));
  store::Row row(schema->columns.size());
  for (const auto& [name, value] : summary_cells(summary)) {
    const std::size_t position = schema->position(name);
    EXPECT_TRUE(store::check_value(schema->columns[position].type, value)) << name;
    row[position] = value;
  }
  EXPECT_EQ(SummaryColumns(*schema).read(row), summary);
}

TEST(SummaryTree, HasALeafForEveryMomentOfPtpTime) {
  const Int128 first = time::Timestamp::min().nanoseconds();
  const Int128 last = time::Timestamp::max().nanoseconds();
  EXPECT_GE(leaf_of(first), 0);
  EXPECT_LT(leaf_of(last), std::int64_t{1} << 42);
  EXPECT_EQ(leaf_of(0), leaf_of((Int128{1} << 37) - 1));
  EXPECT_EQ(leaf_of(-1) + 1, leaf_of(0));
}

}  // namespace
}  // namespace reel::analytics
