#include "sql/scan_shares.h"

#include <algorithm>
#include <array>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/test_store.h"

namespace reel::sql {
namespace {

using store::Binary;
using store::Date;
using store::Decimal;
using store::Key;
using store::Type;
using store::TypeKind;
using store::Value;
using ::testing::ElementsAre;
using ::testing::Ge;

Uuid uuid(std::uint8_t first, std::uint8_t last) {
  Uuid made;
  made.bytes[0] = first;
  made.bytes[15] = last;
  return made;
}

TEST(CutBetweenTest, LiesHalfWayInTheFirstColumnThatDiffers) {
  EXPECT_THAT(cut_between({1, 10}, {1, 20}), ElementsAre(1, 15));
  EXPECT_THAT(cut_between({1, 10}, {5, 0}), ElementsAre(3));
  EXPECT_THAT(cut_between({"a", 3}, {"a", 4}), ElementsAre("a", 4));
  EXPECT_THAT(cut_between({INT64_MIN}, {INT64_MAX}), ElementsAre(0));
  EXPECT_THAT(cut_between({std::uint64_t{0}}, {UINT64_MAX}), ElementsAre(std::uint64_t{1} << 63));
  EXPECT_THAT(cut_between({Decimal{-10}}, {Decimal{11}}), ElementsAre(Decimal{1}));
  EXPECT_THAT(cut_between({Instant{2}}, {Instant{4}}), ElementsAre(Instant{3}));
  EXPECT_THAT(cut_between({Date{2}}, {Date{9}}), ElementsAre(Date{6}));
  EXPECT_THAT(cut_between({false}, {true}), ElementsAre(true));
  EXPECT_THAT(cut_between({uuid(0, 0)}, {uuid(0x80, 0)}), ElementsAre(uuid(0x40, 0)));
  EXPECT_THAT(cut_between({uuid(0, 6)}, {uuid(0, 7)}), ElementsAre(uuid(0, 7)));
  EXPECT_THAT(cut_between({Value()}, {7}), ElementsAre(7));
}

TEST(CutBetweenTest, CutsTextBetweenWholeCharacters) {
  EXPECT_THAT(cut_between({"take 1"}, {"take 5"}), ElementsAre("take 3"));
  EXPECT_THAT(cut_between({"take"}, {"take 5"}), ElementsAre("take\x10"));
  EXPECT_THAT(cut_between({"1999"}, {"2"}), ElementsAre("2"));
  EXPECT_THAT(cut_between({"a"}, {"\u00e4b"}), ElementsAre("\u00e4b"));
  EXPECT_THAT(cut_between({Binary{"a\x10"}}, {Binary{"a\xf0z"}}), ElementsAre(Binary{"a\x80"}));
  EXPECT_THAT(cut_between({Binary{""}}, {Binary{std::string(1, '\0')}}),
              ElementsAre(Binary{std::string(1, '\0')}));
}

//! Rows (flow, start), and scans over them.
class Spans : public testing::TestSnapshot {
 public:
  explicit Spans(std::vector<std::pair<std::int64_t, std::int64_t>> rows) : rows_(std::move(rows)) {
    std::sort(rows_.begin(), rows_.end());
  }

  Status scan(const store::ScanSpec& spec, const store::RowVisitor& visit) override {
    std::size_t left = spec.limit;
    for (std::size_t i = 0; i < rows_.size() && left > 0; ++i) {
      const auto& [flow, start] = rows_[spec.reverse ? rows_.size() - 1 - i : i];
      const store::Row cells = {Value(), flow, start};
      if (spec.lower && !is_above(cells, *spec.lower)) continue;
      if (spec.upper && !is_below(cells, *spec.upper)) continue;
      --left;
      if (!visit({*schema(), cells})) break;
    }
    return {};
  }

  static std::shared_ptr<const store::TableSchema> schema() {
    static const auto made = [] {
      const store::TableDefinition definition{
          .name = "spans",
          .columns = {{.name = "flow", .type = Type::of(TypeKind::int64), .nullable = false},
                      {.name = "start", .type = Type::of(TypeKind::int64), .nullable = false}},
          .partition_key = {"flow"},
          .clustering_key = {"start"}};
      return std::make_shared<store::TableSchema>(*store::make_schema(3, definition));
    }();
    return made;
  }

  const std::vector<std::pair<std::int64_t, std::int64_t>>& rows() const { return rows_; }

 private:
  static int order(const store::Row& cells, const Key& prefix) {
    for (std::size_t i = 0; i < prefix.size(); ++i) {
      const auto a = cells[i + 1].get<std::int64_t>();
      const auto b = prefix[i].get<std::int64_t>();
      if (a != b) return a < b ? -1 : 1;
    }
    return 0;
  }
  static bool is_above(const store::Row& cells, const store::RangeBound& bound) {
    const int compared = order(cells, bound.prefix);
    return compared > 0 || (compared == 0 && bound.inclusive);
  }
  static bool is_below(const store::Row& cells, const store::RangeBound& bound) {
    const int compared = order(cells, bound.prefix);
    return compared < 0 || (compared == 0 && bound.inclusive);
  }

  std::vector<std::pair<std::int64_t, std::int64_t>> rows_;
};

//! A thread that reads in two steps, so that others may divide its share between them.
struct Reader {
  std::optional<ScanShares::Share> share;
  std::optional<store::ScanSpec> spec;
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  bool done = false;

  void step(ScanShares& shares, Spans& spans) {
    if (!share) {
      share = *shares.take(spans);
      done = !share;
      return;
    }
    if (!spec) {
      spec = shares.rest_of(*share);
      return;
    }
    std::size_t count = 0;
    EXPECT_TRUE(spans.scan(*spec, [&](const store::RowView& row) {
      ++count;
      seen.emplace_back(row[1].get<std::int64_t>(), row[2].get<std::int64_t>());
      return true;
    }));
    if (count < spec->limit) {
      shares.finish(*share);
      share.reset();
    } else {
      shares.advance(*share, {seen.back().first, seen.back().second});
    }
    spec.reset();
  }
};

//! Lets threads take steps in a random order until all are done.
std::vector<Reader> read_all(Spans& spans, std::size_t threads, std::uint32_t seed) {
  AccessPath path = choose_path(*Spans::schema(), {});
  path.spec.limit = 8;
  ScanShares shares(*Spans::schema(), std::move(path));
  std::vector<Reader> readers(threads);
  std::mt19937 random(seed);
  const auto all_done = [&] {
    return std::all_of(readers.begin(), readers.end(), [](const Reader& r) { return r.done; });
  };
  while (!all_done()) {
    Reader& reader = readers[random() % threads];
    if (!reader.done) reader.step(shares, spans);
  }
  return readers;
}

void expect_each_once(const std::vector<Reader>& readers, const Spans& spans) {
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  for (const Reader& reader : readers) {
    seen.insert(seen.end(), reader.seen.begin(), reader.seen.end());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, spans.rows());
}

TEST(ScanSharesTest, OneFlowIsDividedByTime) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::int64_t i = 0; i < 1500; ++i) rows.emplace_back(7, i * 1'000'000);
  Spans spans(std::move(rows));
  for (std::uint32_t seed = 0; seed < 3; ++seed) {
    const auto readers = read_all(spans, 2, seed);
    expect_each_once(readers, spans);
    for (const Reader& reader : readers) EXPECT_THAT(reader.seen.size(), Ge(500U));
  }
}

TEST(ScanSharesTest, EveryRowIsReadOnceWhateverTheKeys) {
  std::mt19937_64 random(1);
  for (std::uint32_t round = 0; round < 30; ++round) {
    std::vector<std::pair<std::int64_t, std::int64_t>> rows;
    const std::size_t count = random() % 500;
    for (std::size_t i = 0; i < count; ++i) {
      // Many flows, few, or one; times evenly, or ever farther apart.
      const auto flow =
          static_cast<std::int64_t>(random() % std::array<std::size_t, 3>{1000, 1, 2}[round % 3]);
      const auto start = static_cast<std::int64_t>(random() >> (random() % 63));
      rows.emplace_back(flow, start);
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    Spans spans(std::move(rows));
    expect_each_once(read_all(spans, 1 + round % 4, round), spans);
  }
}

TEST(ScanSharesTest, ALargeFlowBesideManySmallOnesIsDividedToo) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::int64_t flow = 0; flow < 200; ++flow) rows.emplace_back(flow * 1'000'000'007, 0);
  for (std::int64_t i = 0; i < 1500; ++i) rows.emplace_back(5, i);
  Spans spans(std::move(rows));
  const auto readers = read_all(spans, 2, 3);
  expect_each_once(readers, spans);
  for (const Reader& reader : readers) EXPECT_THAT(reader.seen.size(), Ge(500U));
}

}  // namespace
}  // namespace reel::sql
