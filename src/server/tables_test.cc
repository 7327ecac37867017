//! Column management over the real engine.

#include "tables/tables.h"

#include <gtest/gtest.h>

#include "media/test_folder.h"
#include "store/document.h"
#include "store/sqlite/sqlite_store.h"
#include "tables/shapes.h"

namespace reel::tables {
namespace {

using std::chrono::seconds;
using store::Type;
using store::TypeKind;

json::Value parsed(const std::string& text) { return *json::parse(text); }

class TablesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto created = create_table(
        *store_, parsed(R"({"name":"cameras","columns":[{"name":"serial","type":"string"},
                   {"name":"lens","type":"string"},{"name":"age","type":"int32"}],
                   "primary_key":["serial"]})"),
        reason_);
    ASSERT_TRUE(created) << created.error().message();
  }

  Change change() { return {.table = "cameras", .now = clock_.now(), .reason = reason_}; }

  //! REQUIRES: the operations are allowed.
  json::Value migrate_as(const Change& change, const std::string& operations) {
    auto done = migrate(*store_, change, *parsed(operations).as_array());
    EXPECT_TRUE(done) << (done ? "" : done.error().message());
    if (!done) return {};
    EXPECT_TRUE(shape::outcome().check(*done));
    return *std::move(done);
  }
  std::vector<std::string> columns() { return *list_table_columns(*store_, "cameras"); }
  std::int64_t version() { return (*store_->catalog()->table("cameras"))->version; }
  void add_rows(int count) {
    store::Batch batch;
    for (int i = 0; i < count; ++i) {
      batch.insert("cameras", {std::to_string(i)}, {{"lens", "50 mm"}, {"age", i}});
    }
    ASSERT_TRUE(store_->commit(std::move(batch)));
  }

  const media::TestFolder folder_;
  ManualClock clock_;
  const std::unique_ptr<store::Store> store_ =
      *store::open_sqlite_store({.path = folder_ / "store.db", .clock = &clock_});
  const Reason reason_{.by = "ann", .comment = "because"};
};

TEST_F(TablesTest, ColumnsAreAddedRenamedAndDropped) {
  ASSERT_TRUE(add_columns(*store_, "cameras",
                          {{.name = "email", .type = Type::of(TypeKind::string)},
                           {.name = "active", .type = Type::of(TypeKind::boolean)}},
                          reason_));
  ASSERT_TRUE(rename_column(*store_, "cameras", "lens", "optics", reason_));
  ASSERT_TRUE(drop_columns(*store_, "cameras", {"email", "age"}, reason_));
  EXPECT_EQ(columns(), (std::vector<std::string>{"inserted_at", "serial", "optics", "active"}));
  EXPECT_TRUE(*column_exists(*store_, "cameras", "OPTICS"));
  EXPECT_FALSE(*column_exists(*store_, "cameras", "lens"));
  EXPECT_EQ(column_exists(*store_, "camera", "lens").error().message(),
            "there is no table 'camera' (the nearest is 'cameras')");
  EXPECT_EQ(version(), 4);
}

TEST_F(TablesTest, ColumnsTellWhoAddedThem) {
  clock_.advance(seconds(60));
  ASSERT_TRUE(add_columns(*store_, "cameras",
                          {{.name = "rate", .type = Type::decimal(6, 3), .doc = "per second"}},
                          {.by = "bob"}));
  ASSERT_TRUE(rename_column(*store_, "cameras", "rate", "fps", {.by = "eve"}));
  const auto info = get_column_info(*store_, "cameras", "fps");
  ASSERT_TRUE(info);
  EXPECT_TRUE(shape::column_info().check(*info));
  EXPECT_EQ(*info->find("type"), json::Value("decimal(6,3)"));
  EXPECT_EQ(*info->find("doc"), json::Value("per second"));
  EXPECT_EQ(*info->find("since_version"), json::Value(2));
  EXPECT_EQ(*info->find("created_by"), json::Value("bob"));
  EXPECT_EQ(*info->find("created"), json::Value(clock_.now().to_string()));
  EXPECT_EQ(get_column_info(*store_, "cameras", "fbs").error().message(),
            "table 'cameras': column 'fbs' does not exist (the nearest is 'fps')");
  ASSERT_TRUE(drop_columns(*store_, "cameras", {"fps"}, reason_));
  EXPECT_EQ(get_column_info(*store_, "cameras", "fps").error().message(),
            "table 'cameras': column 'fps' was dropped (its id is 5)");
}

TEST_F(TablesTest, SchemasCanBeSeenAsTheyWere) {
  const Instant created = clock_.now();
  clock_.advance(seconds(60));
  migrate_as(change(), R"([{"op":"rename_column","column":"lens","name":"optics"}])");
  clock_.advance(seconds(60));
  ASSERT_TRUE(drop_table(*store_, "cameras", reason_, 7));
  const Instant dropped = clock_.now();
  clock_.advance(seconds(60));
  ASSERT_TRUE(undrop_table(*store_, 1, "", reason_));
  const auto lens_at = [&](When when) {
    const auto schema = get_table_columns(*store_, "cameras", when);
    EXPECT_TRUE(schema) << schema.error().message();
    if (!schema) return std::string();
    EXPECT_TRUE(shape::schema().check(*schema));
    return *(*schema->find("columns")->as_array())[2].find("name")->as_string();
  };
  EXPECT_EQ(lens_at({}), "optics");
  EXPECT_EQ(lens_at({.version = 1}), "lens");
  EXPECT_EQ(lens_at({.version = 2}), "optics");
  EXPECT_EQ(lens_at({.as_of = created}), "lens");
  EXPECT_EQ(lens_at({.as_of = Instant{created.micros + 59'999'999}}), "lens");
  EXPECT_EQ(lens_at({.as_of = clock_.now()}), "optics");
  const auto refusal = [&](When when) {
    return get_table_columns(*store_, "cameras", when).error().message();
  };
  EXPECT_EQ(refusal({.version = 9}), "table 'cameras' has no version 9: it has versions 1 to 4");
  EXPECT_EQ(refusal({.as_of = dropped}), "table 'cameras' was dropped at that moment");
  EXPECT_NE(refusal({.as_of = Instant{created.micros - 1}}).find("was created later"),
            std::string::npos);
}

TEST_F(TablesTest, ADryRunSaysWhatWouldHappenAndWhatItCosts) {
  add_rows(5);
  Change dry = change();
  dry.dry_run = true;
  const auto plan = migrate_as(dry, R"([{"op":"set_nullable","column":"lens","nullable":false},
               {"op":"set_nullable","column":"age","nullable":false},
               {"op":"drop_column","column":"age"}])");
  EXPECT_EQ(*plan.find("dry_run"), json::Value(true));
  EXPECT_EQ(*plan.find("rows_to_read"), json::Value(5));
  EXPECT_EQ(plan.find("operations")->as_array()->size(), 3U);
  EXPECT_EQ(*plan.find("schema")->find("version"), json::Value(2));
  EXPECT_EQ(version(), 1);
  EXPECT_EQ(*migrate_as(dry, R"([{"op":"drop_column","column":"age"}])").find("rows_to_read"),
            json::Value(0));
  ASSERT_TRUE(create_table(*store_,
                           parsed(R"({"name":"taken","columns":[{"name":"k","type":"uuid"}],
                                      "primary_key":["k"]})"),
                           reason_));
  const auto taken =
      migrate(*store_, dry, *parsed(R"([{"op":"rename_table","name":"taken"}])").as_array());
  EXPECT_EQ(taken.error().code(), Code::conflict);
}

TEST_F(TablesTest, EveryReasonAgainstAMigrationIsToldAtOnce) {
  const auto refused = migrate(*store_, change(),
                               *parsed(R"([{"op":"drop_column","column":"lense"},
                                           {"op":"drop_column","column":"serial"},
                                           {"op":"add_column","name":"age","type":"int8"}])")
                                    .as_array());
  ASSERT_FALSE(refused);
  const std::string& message = refused.error().message();
  for (const char* reason : {"the nearest is 'lens'", "belongs to the key", "exists already"}) {
    EXPECT_NE(message.find(reason), std::string::npos) << message;
  }
  const auto bad_type = migrate(*store_, change(),
                                *parsed(R"([{"op":"drop_column","column":"age"},
                          {"op":"add_column","name":"x","type":"number"}])")
                                     .as_array());
  EXPECT_EQ(bad_type.error().pointer(), "/operations/1/type");
  Change expecting = change();
  expecting.expected_version = 2;
  const auto stale =
      migrate(*store_, expecting, *parsed(R"([{"op":"drop_column","column":"age"}])").as_array());
  EXPECT_EQ(stale.error().code(), Code::conflict);
  EXPECT_EQ(version(), 1);
}

TEST_F(TablesTest, ARollbackSaysWhatItCannotBringBack) {
  add_rows(3);
  migrate_as(change(), R"([{"op":"drop_column","column":"lens"},
                           {"op":"rename_column","column":"age","name":"years"},
                           {"op":"alter_type","column":"years","type":"int64"},
                           {"op":"add_column","name":"note","type":"string"}])");
  Change dry = change();
  dry.dry_run = true;
  const auto plan = rollback(*store_, dry, 1);
  ASSERT_TRUE(plan);
  EXPECT_EQ(version(), 2);
  const auto done = rollback(*store_, change(), 1);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_TRUE(shape::outcome().check(*done));
  EXPECT_EQ(*done->find("operations"), *plan->find("operations"));
  EXPECT_EQ(done->find("not_restored")->as_array()->size(), 1U) << json::to_text(*done);
  EXPECT_EQ(columns(), (std::vector<std::string>{"inserted_at", "serial", "lens", "age"}));
  const auto row = *(*store_->snapshot())->get("cameras", {"1"}, {"lens"});
  EXPECT_EQ((*row)[2], store::Value("50 mm"));
  EXPECT_EQ(version(), 3);
  // A second time there is nothing to do but what cannot be done.
  EXPECT_TRUE(rollback(*store_, change(), 1)->find("operations")->as_array()->empty());
  EXPECT_EQ(version(), 3);
  EXPECT_EQ(rollback(*store_, change(), 7).error().code(), Code::not_found);
}

TEST_F(TablesTest, TheHistoryTellsWhoDidWhat) {
  migrate_as(change(), R"([{"op":"set_default","column":"age","default":5}])");
  const auto all = history(*store_, "cameras");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->as_array()->size(), 2U);
  const json::Value& last = all->as_array()->back();
  EXPECT_TRUE(shape::version().check(last));
  EXPECT_EQ(*last.find("by"), json::Value("ann"));
  EXPECT_EQ(*last.find("comment"), json::Value("because"));
  EXPECT_EQ(*last.find("operations"),
            parsed(R"([{"op":"set_default","column":"age","default":5}])"));
}

TEST_F(TablesTest, TablesAreListedDroppedAndBroughtBack) {
  add_rows(4);
  const auto all = list_tables(*store_);
  ASSERT_EQ(all->as_array()->size(), 1U);
  EXPECT_TRUE(shape::table_summary().check(all->as_array()->front()));
  EXPECT_EQ(*all->as_array()->front().find("rows"), json::Value(4));
  const auto stats = get_table_stats(*store_, "cameras");
  EXPECT_TRUE(shape::stats().check(*stats));
  EXPECT_EQ(*stats->find("rows"), json::Value(4));
  EXPECT_EQ(stats->find("hours")->as_array()->size(), 1U);
  EXPECT_EQ(*stats->find("hours")->as_array()->front().find("hour"),
            json::Value("2023-11-14T22:00:00.000000Z"));
  const auto dropped = drop_table(*store_, "cameras", reason_, 7);
  ASSERT_TRUE(dropped);
  EXPECT_TRUE(shape::dropped_table().check(*dropped));
  EXPECT_EQ(*dropped->find("expires"),
            json::Value(Instant{clock_.now().micros + 7 * 86'400'000'000}.to_string()));
  EXPECT_EQ(list_dropped_tables(*store_, 7)->as_array()->front(), *dropped);
  EXPECT_EQ(get_table_stats(*store_, "cameras").error().code(), Code::not_found);
  const auto back = undrop_table(*store_, 1, "old_cameras", reason_);
  ASSERT_TRUE(back);
  EXPECT_TRUE(shape::schema().check(*back));
  EXPECT_EQ(*get_table_stats(*store_, "old_cameras")->find("rows"), json::Value(4));
  EXPECT_TRUE(list_dropped_tables(*store_, 7)->as_array()->empty());
}

TEST_F(TablesTest, SchemasAreListedCreatedAndDroppedWithTheirTables) {
  const auto listed = [&] { return json::to_text(list_schemas(*store_)); };
  EXPECT_EQ(listed(), R"([{"name":"main","product":true,"tables":1}])");
  const auto created = create_schema(*store_, "lab");
  ASSERT_TRUE(created);
  EXPECT_TRUE(shape::schema_summary().check(*created));
  EXPECT_EQ(create_schema(*store_, "lab").error().code(), Code::conflict);
  ASSERT_TRUE(create_table(*store_,
                           parsed(R"({"name":"lab.cameras","columns":[{"name":"k","type":"uuid"}],
                                      "primary_key":["k"]})"),
                           reason_));
  const json::Value table = list_tables(*store_)->as_array()->back();
  EXPECT_TRUE(shape::table_summary().check(table));
  EXPECT_EQ(*table.find("name"), json::Value("lab.cameras"));
  EXPECT_EQ(*table.find("schema"), json::Value("lab"));
  EXPECT_EQ(listed(), R"([{"name":"lab","product":false,"tables":1},)"
                      R"({"name":"main","product":true,"tables":1}])");
  Change dry = change();
  dry.dry_run = true;
  EXPECT_EQ(migrate(*store_, dry, *parsed(R"([{"op":"rename_table","name":"lap.x"}])").as_array())
                .error()
                .message(),
            "there is no schema 'lap' (the nearest is 'lab')");
  EXPECT_EQ(drop_schema(*store_, "lab", false, reason_, 7).error().code(), Code::conflict);
  const auto dropped = drop_schema(*store_, "lab", true, reason_, 7);
  ASSERT_TRUE(dropped);
  ASSERT_EQ(dropped->as_array()->size(), 1U);
  EXPECT_TRUE(shape::dropped_table().check(dropped->as_array()->front()));
  EXPECT_EQ(listed(), R"([{"name":"main","product":true,"tables":1}])");
}

//! The page that describes column management elsewhere: new columns, one with another name, one
//! less, as three calls. Here it is one migration.
TEST_F(TablesTest, ASchemaGoesFromVersionOneToTwoInOneMigration) {
  ASSERT_TRUE(create_table(*store_,
                           parsed(R"({"name":"films","columns":[{"name":"id","type":"uuid"},
                 {"name":"old_name","type":"string"},{"name":"unused_column","type":"string"}],
                 "primary_key":["id"]})"),
                           reason_));
  const Uuid id = *Uuid::parse("2f1a2d3c-4b5a-4c6d-8e7f-001122334455");
  ASSERT_TRUE(store_->commit(
      store::Batch().insert("films", {id}, {{"old_name", "kept"}, {"unused_column", "gone"}})));
  const std::string to_v2 = R"([{"op":"add_column","name":"version","type":"string"},
      {"op":"add_column","name":"encryption_enabled","type":"bool"},
      {"op":"add_column","name":"replication_factor","type":"int32"},
      {"op":"rename_column","column":"old_name","name":"new_name"},
      {"op":"drop_column","column":"unused_column"}])";
  Change films{.table = "films", .expected_version = 1, .now = clock_.now(), .reason = reason_};
  // All of it or nothing: with one operation that cannot be done, nothing is.
  std::string wrong = to_v2;
  wrong.insert(wrong.size() - 1, R"(,{"op":"drop_column","column":"no_column"})");
  EXPECT_EQ(migrate(*store_, films, *parsed(wrong).as_array()).error().code(), Code::invalid);
  EXPECT_EQ(*list_table_columns(*store_, "films"),
            (std::vector<std::string>{"inserted_at", "id", "old_name", "unused_column"}));
  const json::Value done = migrate_as(films, to_v2);
  EXPECT_EQ(*done.find("schema")->find("version"), json::Value(2));
  EXPECT_EQ(*list_table_columns(*store_, "films"),
            (std::vector<std::string>{"inserted_at", "id", "new_name", "version",
                                      "encryption_enabled", "replication_factor"}));
  EXPECT_EQ(history(*store_, "films")->as_array()->size(), 2U);
  const auto row = *(*store_->snapshot())->get("films", {id}, {"new_name", "version"});
  EXPECT_EQ((*row)[2], store::Value("kept"));
  EXPECT_TRUE((*row)[3].is_null());
  EXPECT_EQ(migrate(*store_, films, *parsed(to_v2).as_array()).error().code(), Code::conflict);
  films.expected_version.reset();
  ASSERT_TRUE(rollback(*store_, films, 1));
  EXPECT_EQ((*(*(*store_->snapshot())->get("films", {id}))).size(), 4U);
  EXPECT_EQ((*(*(*store_->snapshot())->get("films", {id})))[3], store::Value("gone"));
}

TEST_F(TablesTest, AChangeThatIsOvertakenIsThoughtOverAgain) {
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 5; ++i) {
        const json::Value operations = parsed(
            fmt::format(R"([{{"op":"add_column","name":"c{}_{}","type":"int8"}}])", thread, i));
        if (!migrate(*store_, change(), *operations.as_array())) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(version(), 21);
}

}  // namespace
}  // namespace reel::tables
