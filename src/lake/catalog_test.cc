#include "lake/catalog.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "lake/test_lake.h"

namespace reel::lake {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::kDay;
using testing::LakeFixture;
using testing::text_of;
using testing::value_of;

class CatalogTest : public ::testing::Test, protected LakeFixture {
 protected:
  //! The first day in partitions of so many hours, with a row in each of its hours.
  void fill(std::int64_t delta = 1) {
    for (std::int64_t hour = 0; hour < 24; ++hour) put(hour, hour);
    ASSERT_OK(materialize(0, 24, delta));
  }
  RetireRequest request(const std::vector<Partition>& retired) const {
    RetireRequest wanted{.by = "operator", .reason = "test"};
    for (const Partition& one : retired) wanted.partitions.insert(one.id);
    return wanted;
  }
  Result<Retirement> retire(const std::vector<Partition>& retired) {
    return catalog->retire(request(retired));
  }
  store::TableSchema table() const { return *value_of(snapshot()->catalog().table("takes")); }
  void migrate(std::vector<store::Operation> operations) {
    value_of(store->migrate({.table = "takes", .operations = std::move(operations)}, {}));
  }
  //! A partition of the current schema without rows.
  Partition empty(std::int64_t begin, std::int64_t end) {
    const ViewSet set = value_of(catalog->hold(table(), 1));
    return {.id = PartitionId::random(),
            .view_set = set.id,
            .hours = {.begin = kDay + begin, .end = kDay + end},
            .schema = set.schema};
  }
  void later(std::chrono::seconds by) { clock.advance(by); }
  //! From the machine's time on, files grow old in a day.
  void let_files_grow_old() {
    clock.advance(std::chrono::microseconds(system_clock().now().micros - clock.now().micros));
    CatalogOptions ageing = options();
    ageing.orphan_age = hours(24);
    catalog = value_of(Catalog::open(*store, ageing));
  }
  std::size_t file_count() const {
    std::size_t count = 0;
    for (const auto& file : fs::recursive_directory_iterator(catalog->options().folder)) {
      count += file.is_regular_file() ? 1 : 0;
    }
    return count;
  }
};

TEST_F(CatalogTest, a_schema_is_registered_once_and_again_when_it_changes) {
  const ViewSet first = value_of(catalog->hold(table(), 1));
  EXPECT_EQ(first.id, ViewSetId{table().id});
  EXPECT_EQ(first.schema, 1);
  EXPECT_EQ(value_of(catalog->hold(table(), 1)).schema, 1);
  migrate({store::RenameColumn{"label", "title"}});
  EXPECT_EQ(value_of(catalog->hold(table(), 1)).schema, 1);  // a name is display only
  migrate({store::DropColumn{"title"}});
  EXPECT_EQ(value_of(catalog->hold(table(), 1)).schema, 2);
  EXPECT_EQ(value_of(catalog->hold(table(), 2)).schema, 3);
  const auto schemas = value_of(view_schemas(*snapshot(), first.id));
  ASSERT_EQ(schemas.size(), 3U);
  EXPECT_NE(schemas[0].hash, schemas[1].hash);
  EXPECT_EQ(schemas[1].hash, schemas[2].hash);
  EXPECT_EQ(schemas[2].view.semantics_version, 2U);
  EXPECT_EQ(schemas[0].build, "test");
}

TEST_F(CatalogTest, an_older_program_is_told_that_a_newer_one_was_here) {
  const store::TableSchema before = table();
  migrate({store::DropColumn{"label"}});
  ASSERT_TRUE(catalog->hold(table(), 2));
  for (const auto& held : {catalog->hold(before, 2), catalog->hold(table(), 1)}) {
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code(), Code::forbidden);
  }
}

TEST_F(CatalogTest, partitions_that_share_hours_are_refused) {
  EXPECT_OK(catalog->publish({empty(0, 4)}, {}, "test", ""));
  EXPECT_OK(catalog->publish({empty(4, 5)}, {}, "test", ""));
  const auto shared = catalog->publish({empty(6, 8), empty(7, 9)}, {}, "test", "");
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().code(), Code::conflict);
  const auto cut = catalog->publish({empty(0, 2)}, {}, "test", "");
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().message(), ::testing::HasSubstr("nothing covers its hour "
                                                          "2026-11-20T02:00:00.000000Z"));
  EXPECT_EQ(active().size(), 2U);
}

TEST_F(CatalogTest, a_cover_is_swapped_in_when_it_is_complete) {
  EXPECT_OK(catalog->publish({empty(0, 4)}, {}, "test", ""));
  const std::vector<Partition> halves = {empty(0, 2), empty(2, 4)};
  EXPECT_OK(catalog->stage(halves));
  EXPECT_EQ(all(PartitionState::staged).size(), 2U);
  EXPECT_FALSE(catalog->publish({}, {halves[0].id}, "test", ""));
  EXPECT_EQ(active().size(), 1U);
  EXPECT_OK(catalog->publish({}, {halves[0].id, halves[1].id}, "test", "finer"));
  EXPECT_EQ(active().size(), 2U);
  EXPECT_EQ(all(PartitionState::retired).size(), 1U);
  const auto audit = value_of(retirements(*snapshot()));
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit[0].reason, "finer");
  EXPECT_FALSE(catalog->publish({}, {halves[0].id}, "test", ""));  // not staged any more
}

TEST_F(CatalogTest, retiring_is_a_state_that_can_be_undone) {
  fill();
  const auto before = active();
  ASSERT_EQ(before.size(), 24U);
  const auto retirement = value_of(retire({before[3], before[4]}));
  EXPECT_EQ(retirement.partitions, 2);
  EXPECT_EQ(retirement.size_bytes, before[3].size_bytes() + before[4].size_bytes());
  EXPECT_EQ(active().size(), 22U);
  EXPECT_EQ(live_rows(), 2);
  EXPECT_EQ(file_count(), 24U);
  EXPECT_OK(catalog->restore(retirement.id, "operator"));
  EXPECT_EQ(active().size(), 24U);
  EXPECT_EQ(live_rows(), 0);
  const auto audit = value_of(retirements(*snapshot()));
  EXPECT_EQ(audit[0].state, RetirementState::restored);
  EXPECT_EQ(audit[0].by, "operator");
  EXPECT_EQ(text_of(catalog->restore(retirement.id, "operator")),
            "conflict: retirement " + retirement.id.to_string() + " is restored already");
}

TEST_F(CatalogTest, all_of_them_retire_or_none) {
  fill();
  const auto before = active();
  value_of(retire({before[0]}));
  const auto again = retire({before[0], before[1]});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message(),
            "partition " + before[0].id.to_string() + " is retired, not active");
  EXPECT_EQ(active().size(), 23U);
  auto unknown = request({before[2]});
  unknown.partitions.insert(PartitionId::random());
  EXPECT_EQ(catalog->retire(unknown).error().code(), Code::not_found);
  EXPECT_EQ(active().size(), 23U);
}

TEST_F(CatalogTest, a_dry_run_tells_and_changes_nothing) {
  fill();
  auto wanted = request(active());
  wanted.dry_run = true;
  EXPECT_EQ(value_of(catalog->retire(wanted)).partitions, 24);
  EXPECT_EQ(active().size(), 24U);
  EXPECT_TRUE(value_of(retirements(*snapshot())).empty());
}

//! The peer retires a range of time, whatever the partitions in it are.
TEST_F(CatalogTest, only_the_named_partitions_retire_of_those_in_the_same_hours) {
  fill();
  const auto old = active();
  migrate({store::DropColumn{"label"}});
  for (std::int64_t hour = 0; hour < 4; ++hour) {
    value_of(retire({old[static_cast<std::size_t>(hour)]}));
  }
  ASSERT_OK(materialize(0, 4));  // of the new schema, where the retired ones were
  ASSERT_EQ(active().size(), 24U);
  const auto first = active()[0];
  EXPECT_GT(first.schema, old[0].schema);
  EXPECT_FALSE(retire({old[0]}));  // of the same hours, but it is another partition
  EXPECT_EQ(active()[0].id, first.id);
}

//! The peer cannot retire a partition that has no file.
TEST_F(CatalogTest, empty_partitions_retire_like_others) {
  EXPECT_OK(catalog->publish({empty(0, 4)}, {}, "test", ""));
  const auto retirement = value_of(retire(active()));
  EXPECT_TRUE(active().empty());
  EXPECT_OK(catalog->restore(retirement.id, "test"));
  EXPECT_EQ(active().size(), 1U);
}

TEST_F(CatalogTest, a_program_with_an_older_schema_retires_nothing_newer) {
  fill();
  auto old_program = value_of(Catalog::open(*store, options()));
  ASSERT_TRUE(old_program->hold(table(), 1));
  const auto before = active();
  migrate({store::DropColumn{"label"}});
  ASSERT_TRUE(catalog->hold(table(), 1));
  ASSERT_OK(materializer().materialize({.table = "takes",
                                        .begin = start_of_hour(kDay),
                                        .end = start_of_hour(kDay + 1),
                                        .regenerate = true,
                                        .by = "test"},
                                       [](const Progress&) {}));
  const auto now = active();
  ASSERT_GT(now[0].schema, before[0].schema);
  auto wanted = request({now[0], now[1]});
  wanted.force = true;
  const auto refused = old_program->retire(wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::forbidden);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("later than 1 of this program"));
  EXPECT_EQ(active().size(), now.size());
  EXPECT_TRUE(old_program->retire(request({now[1]})));  // of its own schema
  const Partition its_own{.id = PartitionId::random(),
                          .view_set = before[0].view_set,
                          .hours = {.begin = kDay + 30, .end = kDay + 31},
                          .schema = before[0].schema};
  EXPECT_EQ(text_of(old_program->publish({its_own}, {}, "old", "")),
            "forbidden: partition " + its_own.id.to_string() +
                " has schema 1 of view set takes, whose current one is 2");
}

TEST_F(CatalogTest, what_cannot_be_rebuilt_retires_by_force_only) {
  fill();
  const auto before = active();
  ASSERT_OK(store->drop_table("takes", {}));
  const auto refused = retire({before[0]});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::forbidden);
  auto wanted = request({before[0]});
  wanted.force = true;
  EXPECT_TRUE(catalog->retire(wanted));
}

TEST_F(CatalogTest, partitions_that_others_answer_for_are_not_restored) {
  fill();
  const auto retirement = value_of(retire(active()));
  ASSERT_OK(materialize(0, 2));
  const auto refused = catalog->restore(retirement.id, "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::conflict);
  EXPECT_EQ(active().size(), 2U);
}

TEST_F(CatalogTest, a_file_that_is_not_as_it_was_is_not_restored) {
  fill();
  const auto partition = active()[0];
  const auto retirement = value_of(retire({partition}));
  std::ofstream(catalog->absolute(partition.file->path), std::ios::app) << "x";
  EXPECT_EQ(catalog->restore(retirement.id, "test").error().code(), Code::corrupt);
  fs::remove(catalog->absolute(partition.file->path));
  EXPECT_EQ(catalog->restore(retirement.id, "test").error().code(), Code::not_found);
}

TEST_F(CatalogTest, what_retired_goes_away_when_its_time_is_over) {
  fill();
  const auto retirement = value_of(retire({active()[0], active()[1]}));
  later(hours(24 * 7) - std::chrono::seconds(1));
  EXPECT_TRUE(value_of(catalog->expire("gc", false)).retirements.empty());
  later(std::chrono::seconds(1));
  const auto planned = value_of(catalog->expire("gc", true));
  EXPECT_EQ(planned.files.size(), 2U);
  EXPECT_EQ(planned.size_bytes, retirement.size_bytes);
  EXPECT_EQ(file_count(), 24U);
  const auto done = value_of(catalog->expire("gc", false));
  EXPECT_EQ(done.files, planned.files);
  EXPECT_EQ(file_count(), 22U);
  EXPECT_TRUE(all(PartitionState::retired).empty());
  EXPECT_EQ(value_of(retirements(*snapshot()))[0].state, RetirementState::expired);
  EXPECT_TRUE(value_of(catalog->expire("gc", false)).retirements.empty());
  EXPECT_EQ(catalog->restore(retirement.id, "test").error().code(), Code::conflict);
}

TEST_F(CatalogTest, a_reader_holds_back_what_it_may_have_seen) {
  fill();
  const auto lease = value_of(catalog->take_lease("export", hours(24 * 30)));
  const auto retirement = value_of(retire({active()[0]}));
  EXPECT_EQ(retirement.delete_after.micros,
            clock.now().micros + std::chrono::microseconds(hours(24 * 30)).count());
  later(hours(24 * 29));
  EXPECT_TRUE(value_of(catalog->expire("gc", false)).files.empty());
  later(hours(24));
  EXPECT_EQ(value_of(catalog->expire("gc", false)).files.size(), 1U);
  EXPECT_TRUE(value_of(leases(*snapshot())).empty());  // it was over
  // Later readers do not see what is retired: they hold back nothing.
  value_of(retire({active()[0]}));
  later(hours(1));
  const auto late = value_of(catalog->take_lease("export", hours(24 * 30)));
  later(hours(24 * 8));
  EXPECT_EQ(value_of(catalog->expire("gc", false)).files.size(), 1U);
  EXPECT_OK(catalog->release_lease(late));
  EXPECT_OK(catalog->release_lease(lease));  // gone already
  EXPECT_FALSE(catalog->take_lease("export", hours(0)));
}

TEST_F(CatalogTest, what_a_crash_left_is_swept_when_it_is_old) {
  fill();
  const std::string folder = catalog->options().folder;
  for (const char* name : {"/takes/a.parquet", "/takes/b.parquet.part", "/takes/readme.txt"}) {
    std::ofstream(folder + name) << "half";
  }
  let_files_grow_old();
  EXPECT_TRUE(value_of(catalog->sweep_orphans(false)).files.empty());  // somebody may be at it
  later(hours(25));
  EXPECT_EQ(value_of(catalog->sweep_orphans(true)).files.size(), 2U);
  EXPECT_EQ(file_count(), 27U);
  EXPECT_EQ(value_of(catalog->sweep_orphans(false)).size_bytes, 8);
  EXPECT_EQ(file_count(), 25U);  // what is named, and what is none of ours
  EXPECT_TRUE(value_of(catalog->sweep_orphans(false)).files.empty());
}

TEST_F(CatalogTest, staged_partitions_that_nobody_published_go_away) {
  let_files_grow_old();
  EXPECT_OK(catalog->stage({empty(0, 2)}));
  later(hours(23));
  EXPECT_TRUE(value_of(catalog->expire("gc", false)).abandoned.empty());
  later(hours(2));
  EXPECT_EQ(value_of(catalog->expire("gc", true)).abandoned.size(), 1U);
  EXPECT_EQ(value_of(catalog->expire("gc", false)).abandoned.size(), 1U);
  EXPECT_TRUE(all(PartitionState::staged).empty());
}

TEST_F(CatalogTest, a_file_that_a_sweep_may_take_is_not_published) {
  let_files_grow_old();
  Partition partition = empty(0, 1);
  partition.file = DataFile{.path = "takes/a.parquet", .size_bytes = 4, .rows = 1};
  EXPECT_EQ(catalog->publish({partition}, {}, "test", "").error().code(), Code::not_found);
  fs::create_directories(catalog->absolute("takes"));
  std::ofstream(catalog->absolute("takes/a.parquet")) << "PAR";
  EXPECT_EQ(catalog->publish({partition}, {}, "test", "").error().code(), Code::corrupt);
  std::ofstream(catalog->absolute("takes/a.parquet")) << "PAR1";
  later(hours(13));
  EXPECT_EQ(catalog->publish({partition}, {}, "test", "").error().code(), Code::conflict);
  EXPECT_TRUE(active().empty());
}

}  // namespace
}  // namespace reel::lake
