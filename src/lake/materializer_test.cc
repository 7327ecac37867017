#include "lake/materializer.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "lake/read_back_test_support.h"
#include "lake/test_lake.h"

namespace reel::lake {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::kDay;
using testing::LakeFixture;
using testing::read_back;
using testing::text_of;
using testing::value_of;

class MaterializerTest : public ::testing::Test, protected LakeFixture {
 protected:
  void fill() {
    for (std::int64_t hour = 0; hour < 24; ++hour) put(hour, hour);
  }
  std::vector<Progress> progress_of(MaterializeRequest request) {
    std::vector<Progress> told;
    request.table = "takes";
    request.by = "test";
    EXPECT_OK(
        materializer().materialize(request, [&](const Progress& one) { told.push_back(one); }));
    return told;
  }
  static MaterializeRequest hours(std::int64_t begin, std::int64_t end, std::int64_t delta = 1) {
    return {.table = "takes",
            .begin = start_of_hour(kDay + begin),
            .end = start_of_hour(kDay + end),
            .delta = std::chrono::hours(delta),
            .by = "test"};
  }
  Status run(const MaterializeRequest& request) {
    return materializer().materialize(request, [](const Progress&) {});
  }
};

TEST_F(MaterializerTest, a_partition_has_the_rows_of_its_hours_and_says_what_it_is) {
  put(5, 1, "b");
  put(3, 1, "a");
  put(4, 2, "c");
  put(9, 6);
  ASSERT_OK(materialize(0, 4, 2));
  const auto partitions = active();
  ASSERT_EQ(partitions.size(), 2U);
  EXPECT_EQ(partitions[0].rows(), 2);
  EXPECT_EQ(partitions[0].source.size(), 1U);
  EXPECT_EQ(partitions[0].source[0].rows, 2);
  EXPECT_THAT(partitions[0].file->path,
              ::testing::MatchesRegex("takes/global/2026-11-20/00-00-00_.*\\.parquet"));
  const auto table = value_of(snapshot()->catalog().table("takes"));
  const auto read = read_back(catalog->absolute(partitions[0].file->path), *table);
  ASSERT_EQ(read.rows.size(), 2U);
  const store::Row first = {start_of_hour(kDay + 1), 3, "a"};
  EXPECT_EQ(read.rows[0], first);
  EXPECT_EQ(read.metadata.at("reelhouse.view_set"), "takes");
  EXPECT_EQ(read.metadata.at("reelhouse.schema_hash"), to_hex(schema_hash(*table)));
  EXPECT_EQ(read.metadata.at("reelhouse.partition_id"), partitions[0].id.to_string());
  const auto statistics = value_of(lake::statistics(*snapshot(), partitions[0].id));
  EXPECT_EQ(statistics.at(table->find("id")->id).lower, store::Value(3));
  EXPECT_EQ(statistics.at(table->find("id")->id).upper, store::Value(5));
}

TEST_F(MaterializerTest, hours_without_rows_are_recorded_as_done) {
  ASSERT_OK(materialize(0, 4));
  EXPECT_EQ(active().size(), 4U);
  EXPECT_FALSE(active()[0].file);
  EXPECT_FALSE(progress_of(hours(0, 4))[0].written);
}

TEST_F(MaterializerTest, an_hour_that_changed_is_live_until_it_is_written_again) {
  fill();
  EXPECT_EQ(live_rows(), 24);
  ASSERT_OK(materialize(0, 24));
  EXPECT_EQ(live_rows(), 0);
  put(100, 5);
  EXPECT_EQ(live_rows(), 2);
  EXPECT_EQ(coverage().served.size(), 23U);
  erase(7);
  EXPECT_EQ(live_rows(), 2);  // hour 7 has no rows
  EXPECT_EQ(coverage().served.size(), 22U);
  ASSERT_OK(materialize(0, 24));
  EXPECT_EQ(live_rows(), 0);
  EXPECT_EQ(all(PartitionState::retired).size(), 2U);
}

TEST_F(MaterializerTest, of_a_large_partition_the_other_hours_still_answer) {
  fill();
  ASSERT_OK(materialize(0, 24, 24));
  put(100, 5);
  const Coverage now = coverage();
  EXPECT_EQ(live_rows(), 2);
  ASSERT_EQ(now.served.size(), 1U);
  EXPECT_EQ(now.served[0].hours.size(), 23U);
  EXPECT_FALSE(now.served[0].whole);
}

TEST_F(MaterializerTest, late_rows_of_an_hour_that_had_none_are_live) {
  put(1, 0);
  ASSERT_OK(materialize(0, 24, 24));
  put(2, 3);
  EXPECT_EQ(live_rows(), 1);
  EXPECT_TRUE(coverage().served[0].whole);
  EXPECT_EQ(coverage().outdated.size(), 1U);
  EXPECT_TRUE(progress_of(hours(0, 24, 24))[0].written);
  EXPECT_EQ(live_rows(), 0);
}

TEST_F(MaterializerTest, what_is_up_to_date_is_left_alone) {
  fill();
  ASSERT_OK(materialize(0, 24));
  put(100, 5);
  const auto told = progress_of(hours(0, 24));
  EXPECT_EQ(std::ranges::count(told, true, &Progress::written), 1);
  auto again = hours(0, 24);
  again.regenerate = true;
  EXPECT_EQ(std::ranges::count(progress_of(again), true, &Progress::written), 24);
}

TEST_F(MaterializerTest, a_larger_partition_is_divided_as_a_whole) {
  fill();
  ASSERT_OK(materialize(0, 12, 12));
  EXPECT_FALSE(progress_of(hours(0, 12))[3].written);  // fresh: nothing to do
  put(100, 5);
  ASSERT_OK(materialize(0, 14));
  EXPECT_EQ(active().size(), 14U);
  EXPECT_EQ(live_rows(), 10);
}

TEST_F(MaterializerTest, a_division_that_takes_several_passes_is_swapped_in_at_once) {
  fill();
  ASSERT_OK(materialize(0, 24, 24));
  put(100, 5);
  ASSERT_OK(materializer({.files_max = 5}).materialize(hours(0, 24), [](const Progress&) {}));
  EXPECT_EQ(active().size(), 24U);
  EXPECT_TRUE(all(PartitionState::staged).empty());
  EXPECT_EQ(live_rows(), 0);
}

TEST_F(MaterializerTest, bad_ranges_are_named_and_change_nothing) {
  fill();
  ASSERT_OK(materialize(0, 6, 6));
  const auto refused = [&](MaterializeRequest request) { return text_of(run(request)); };
  EXPECT_EQ(refused(hours(4, 4)),
            "invalid: the range begins at 2026-11-20T04:00:00.000000Z and "
            "must end later, not at 2026-11-20T04:00:00.000000Z");
  EXPECT_THAT(refused(hours(5, 4)), HasSubstr("must end later"));
  EXPECT_EQ(refused(hours(0, 4, 0)), "invalid: a partition is a number of hours long, not 0 s");
  EXPECT_THAT(refused(hours(0, 4, -1)), HasSubstr("not -3600 s"));
  EXPECT_EQ(refused(hours(0, 7, 2)),
            "invalid: partitions of 2 h do not tile [2026-11-20T00:00:00.000000Z, "
            "2026-11-20T07:00:00.000000Z)");
  auto off_the_hour = hours(0, 4);
  off_the_hour.begin.micros += 1;
  EXPECT_THAT(refused(off_the_hour), HasSubstr("on the hour, which 2026-11-20T00:00:00.000001Z"));
  EXPECT_THAT(refused(hours(4, 8)), HasSubstr("is only partly in"));
  EXPECT_THAT(refused(hours(0, 2'000'000)), HasSubstr("too_large"));
  auto unknown = hours(0, 4);
  unknown.table = "nowhere";
  EXPECT_THAT(refused(unknown), HasSubstr("not_found"));
  EXPECT_EQ(active().size(), 1U);
}

TEST_F(MaterializerTest, a_schema_change_is_no_outage) {
  fill();
  ASSERT_OK(materialize(0, 24));
  const auto migrate = [&](store::Operation operation) {
    value_of(store->migrate({.table = "takes", .operations = {std::move(operation)}}, {}));
  };
  migrate(store::AddColumn{{.name = "take", .type = store::Type::of(store::TypeKind::int64)}});
  migrate(store::RenameColumn{"label", "title"});
  EXPECT_EQ(live_rows(), 0);
  EXPECT_EQ(coverage().served[0].compatibility, Compatibility::readable_with_defaults);
  const auto title = value_of(snapshot()->catalog().table("takes"))->find_named("title")->id;
  migrate(store::DropColumn{"title"});
  EXPECT_EQ(live_rows(), 0);
  ASSERT_OK(run({.table = "takes",
                 .begin = start_of_hour(kDay),
                 .end = start_of_hour(kDay + 12),
                 .regenerate = true,
                 .by = "test"}));
  EXPECT_EQ(live_rows(), 0);
  // Files of the time without the column do not have its cells: those hours are read live.
  migrate(store::UndropColumn{title, "title"});
  EXPECT_EQ(live_rows(), 12);
  EXPECT_EQ(value_of(materializer().settle("takes", 100, "test")), 12U);
  EXPECT_EQ(live_rows(), 0);
}

TEST_F(MaterializerTest, another_meaning_of_the_same_columns_is_read_live) {
  fill();
  ASSERT_OK(materialize(0, 24));
  const Coverage now = value_of(settled(*snapshot(), "takes", 2));
  EXPECT_TRUE(now.served.empty());
  EXPECT_EQ(now.live.size(), 24U);
  EXPECT_EQ(now.outdated[0].verdict.compatibility, Compatibility::recompute);
}

TEST_F(MaterializerTest, settling_takes_the_newest_first_and_not_the_current_hour) {
  fill();
  clock.advance(-std::chrono::hours(24 + 1));  // it is 23:00 of the first day
  EXPECT_EQ(value_of(materializer().settle("takes", 3, "test")), 3U);
  ASSERT_EQ(active().size(), 3U);
  EXPECT_EQ(active()[0].hours.begin, kDay + 20);
  EXPECT_EQ(value_of(materializer().settle("takes", 100, "test")), 20U);
  EXPECT_EQ(value_of(materializer().settle("takes", 100, "test")), 0U);
  EXPECT_EQ(live_rows(), 1);
  put(100, 5);
  EXPECT_EQ(value_of(materializer().settle("takes", 100, "test")), 1U);
  EXPECT_EQ(live_rows(), 1);
}

TEST_F(MaterializerTest, a_day_that_is_over_becomes_one_partition) {
  fill();
  put(100, 30);
  ASSERT_OK(materialize(0, 24));
  ASSERT_OK(materialize(24, 31));
  EXPECT_EQ(value_of(materializer({.merge_bytes_max = 100}).merge("takes", 9, "test")), 0U);
  clock.advance(-std::chrono::hours(1));  // the second day is not over
  EXPECT_EQ(value_of(materializer().merge("takes", 9, "test")), 1U);
  EXPECT_EQ(active().size(), 1U + 7U);
  EXPECT_EQ(active()[0].rows(), 24);
  EXPECT_EQ(live_rows(), 0);
  EXPECT_EQ(value_of(materializer().merge("takes", 9, "test")), 0U);
  const auto undone = value_of(retirements(*snapshot()));
  ASSERT_EQ(undone.size(), 1U);
  EXPECT_EQ(undone[0].partitions, 24);
}

TEST_F(MaterializerTest, a_file_that_is_gone_or_changed_is_quarantined_and_its_hours_are_live) {
  fill();
  ASSERT_OK(materialize(0, 24));
  const auto before = active();
  fs::remove(catalog->absolute(before[2].file->path));
  {
    std::fstream file(catalog->absolute(before[4].file->path),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);
    file.put('\x7f');
  }
  EXPECT_EQ(live_rows(), 0);
  const auto broken = value_of(materializer().verify("takes", "test"));
  ASSERT_EQ(broken.size(), 2U);
  EXPECT_EQ(broken[0].id, before[2].id);
  EXPECT_EQ(broken[1].id, before[4].id);
  EXPECT_EQ(live_rows(), 2);
  for (const auto& retirement : value_of(retirements(*snapshot()))) {
    EXPECT_THAT(retirement.reason,
                HasSubstr("quarantined: the file " + catalog->absolute("takes/")));
  }
  EXPECT_TRUE(value_of(materializer().verify("takes", "test")).empty());
}

//! A store whose scans of a table end early, as if part of it could not be read.
class HalfReadStore final : public store::RowStore {
 public:
  enum class Fault : std::uint8_t { error, missing_row };
  HalfReadStore(store::RowStore& store, Fault fault) : store_(store), fault_(fault) {}

  Result<std::unique_ptr<store::Snapshot>> snapshot() override {
    REEL_ASSIGN(auto snapshot, store_.snapshot());
    return std::make_unique<View>(std::move(snapshot), fault_);
  }
  Status commit(store::Batch batch) override { return store_.commit(std::move(batch)); }

 private:
  class View final : public store::Snapshot {
   public:
    View(std::unique_ptr<store::Snapshot> under, Fault fault)
        : under_(std::move(under)), fault_(fault) {}
    const store::Catalog& catalog() const override { return under_->catalog(); }
    Result<std::optional<store::Row>> get(std::string_view table, const store::Key& key,
                                          const std::vector<std::string>& columns) override {
      return under_->get(table, key, columns);
    }
    Status get_each(std::string_view table, const std::vector<store::Key>& keys,
                    const std::vector<std::string>& columns,
                    const store::KeyVisitor& visit) override {
      return under_->get_each(table, keys, columns, visit);
    }
    Status scan(const store::ScanSpec& spec, const store::RowVisitor& visit) override {
      if (spec.table != "takes") return under_->scan(spec, visit);
      int rows = 0;
      REEL_TRY(
          under_->scan(spec, [&](const store::RowView& row) { return ++rows < 20 && visit(row); }));
      return fault_ == Fault::error ? Status(io("a block cannot be read")) : Status();
    }
    Status scan_all(std::string_view table, std::size_t part, std::size_t parts,
                    const store::RowVisitor& visit) override {
      return under_->scan_all(table, part, parts, visit);
    }
    Status search(const store::SearchSpec& spec, const store::RowVisitor& visit) override {
      return under_->search(spec, visit);
    }
    Result<std::vector<store::LedgerEntry>> ledger(std::string_view table) override {
      return under_->ledger(table);
    }

   private:
    std::unique_ptr<store::Snapshot> under_;
    Fault fault_;
  };

  store::RowStore& store_;
  Fault fault_;
};

//! The peer marks such a partition as complete.
TEST_F(MaterializerTest, a_source_that_cannot_be_read_makes_no_partition) {
  fill();
  using Fault = HalfReadStore::Fault;
  for (const auto& [fault, message] :
       {std::pair(Fault::error, "io: a block cannot be read"),
        std::pair(Fault::missing_row,
                  "corrupt: table takes has 0 rows of "
                  "2026-11-20T19:00:00.000000Z where its ledger has 1")}) {
    HalfReadStore half(*store, fault);
    const Materializer broken(half, *catalog, {});
    EXPECT_EQ(text_of(broken.materialize(hours(0, 24), [](const Progress&) {})), message);
    EXPECT_TRUE(active().empty());
  }
}

}  // namespace
}  // namespace reel::lake
