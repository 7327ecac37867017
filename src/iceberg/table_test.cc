#include "iceberg/table.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "base/test_seed.h"
#include "iceberg/file.h"
#include "iceberg/snapshot_draft_internal.h"
#include "iceberg/test_table.h"

namespace reel::iceberg {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

//! The names of a snapshot's files: "a" for file:///data/a.parquet.
Names names_in(const Table& table, const Snapshot& snapshot) {
  const auto files = live_files(table.metadata(), snapshot);
  EXPECT_TRUE(files) << files.error().message();
  Names names;
  for (const ManifestEntry& entry : *files) {
    EXPECT_TRUE(names.insert(fs::path(entry.file.location).stem()).second);
  }
  return names;
}

Names names_now(const Table& table) {
  const Snapshot* current = table.metadata().current_snapshot();
  return current == nullptr ? Names() : names_in(table, *current);
}

class TableTest : public testing::Test {
 protected:
  TableTest() : catalog_(*open_directory_catalog(folder_.path())) {}

  Table create(NewTable table = {.location = "", .schema = test_schema()}) {
    return *Table::create(*catalog_, name_, std::move(table), {.clock = &clock_});
  }
  Table load() { return *Table::load(*catalog_, name_, {.clock = &clock_}); }

  //! What is in the table's metadata folder, but for the current metadata and the hint.
  Names metadata_files() {
    Names files;
    for (const auto& entry : fs::directory_iterator(folder_.path() + "/reel/t/metadata")) {
      files.insert("file://" + entry.path().native());
    }
    files.erase("file://" + folder_.path() + "/reel/t/metadata/version-hint.text");
    files.erase(*catalog_->current(name_));
    return files;
  }
  static Names metadata_of(const FileSet& reachable) {
    Names files = reachable.metadata;
    files.insert(reachable.manifests.begin(), reachable.manifests.end());
    files.insert(reachable.manifest_lists.begin(), reachable.manifest_lists.end());
    return files;
  }

  TestFolder folder_;
  std::unique_ptr<Catalog> catalog_;
  TableName name_{.space = "reel", .name = "t"};
  ManualClock clock_;
};

TEST_F(TableTest, AppendsAndSums) {
  Table table = create();
  EXPECT_EQ(names_now(table), Names());
  const auto first = table.commit({.added = {test_file("a", 10)}, .summary = {{"job", "1"}}});
  ASSERT_TRUE(first) << first.error().message();
  clock_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(table.commit({.added = {test_file("b", 5), test_file("c", 1)}}));

  const Table again = load();
  EXPECT_EQ(names_now(again), (Names{"a", "b", "c"}));
  const Snapshot& now = *again.metadata().current_snapshot();
  EXPECT_EQ(now.summary.at("operation"), "append");
  EXPECT_EQ(now.summary.at("added-data-files"), "2");
  EXPECT_EQ(now.summary.at("added-records"), "6");
  EXPECT_EQ(now.summary.at("total-data-files"), "3");
  EXPECT_EQ(now.summary.at("total-records"), "16");
  EXPECT_EQ(now.summary.at("total-files-size"), "1600");
  EXPECT_FALSE(now.summary.contains("job"));
  EXPECT_EQ(now.sequence_number, 2);
  EXPECT_EQ(now.parent_id, first->snapshot_id);
  EXPECT_EQ(now.timestamp_ms, clock_.now().micros / 1000);

  const Snapshot& before = *again.metadata().snapshot_at(now.timestamp_ms - 1);
  EXPECT_EQ(before.id, first->snapshot_id);
  EXPECT_EQ(before.summary.at("job"), "1");
  EXPECT_EQ(names_in(again, before), Names{"a"});
  EXPECT_EQ(metadata_files(), metadata_of(*reachable_files(again.metadata())));
}

TEST_F(TableTest, OverwritesDeletesAndRemembers) {
  Table table = create();
  ASSERT_TRUE(table.commit({.added = {test_file("a", 10), test_file("b", 10)}}));
  ASSERT_TRUE(table.commit({.added = {test_file("c", 10)}}));
  const Snapshot before = *table.metadata().current_snapshot();
  ASSERT_TRUE(table.commit({.added = {test_file("d", 3)}, .removed = {test_file("b").location}}));
  EXPECT_EQ(names_now(table), (Names{"a", "c", "d"}));
  const Snapshot overwrite = *table.metadata().current_snapshot();
  EXPECT_EQ(overwrite.summary.at("operation"), "overwrite");
  EXPECT_EQ(overwrite.summary.at("deleted-data-files"), "1");
  EXPECT_EQ(overwrite.summary.at("deleted-records"), "10");
  EXPECT_EQ(overwrite.summary.at("total-records"), "23");
  EXPECT_EQ(names_in(table, before), (Names{"a", "b", "c"}));

  // The rewritten manifest keeps what "a" inherited, and says who deleted "b".
  const auto manifests = *load_manifests(overwrite);
  ASSERT_EQ(manifests.size(), 3U);
  const auto rewritten = std::find_if(manifests.begin(), manifests.end(), [](const auto& manifest) {
    return manifest.deleted.files == 1;
  });
  const auto entries = *load_entries(table.metadata(), *rewritten);
  EXPECT_EQ(rewritten->min_sequence_number, 1);
  EXPECT_EQ(entries.at(0).status, EntryStatus::existing);
  EXPECT_EQ(entries.at(0).sequence_number, 1);
  EXPECT_EQ(entries.at(1).status, EntryStatus::deleted);
  EXPECT_EQ(entries.at(1).snapshot_id, overwrite.id);

  ASSERT_TRUE(table.commit({.added = {test_file("e", 13)},
                            .removed = {test_file("a").location, test_file("d").location},
                            .same_rows = true}));
  EXPECT_EQ(table.metadata().current_snapshot()->summary.at("operation"), "replace");
  ASSERT_TRUE(table.commit({.removed = {test_file("c").location, test_file("e").location}}));
  EXPECT_EQ(table.metadata().current_snapshot()->summary.at("operation"), "delete");
  EXPECT_EQ(table.metadata().current_snapshot()->summary.at("total-records"), "0");
  EXPECT_EQ(names_now(table), Names());
  // Manifests of nothing but deleted files are not carried on.
  ASSERT_TRUE(table.commit({.added = {test_file("f")}}));
  EXPECT_EQ(load_manifests(*table.metadata().current_snapshot())->size(), 1U);
}

TEST_F(TableTest, WhatDoesNotFitChangesNothing) {
  Table table = create();
  ASSERT_TRUE(table.commit({.added = {test_file("a")}}));
  const std::string location = table.metadata_location();
  const auto code = [&](Changes changes) {
    const auto result = table.commit(std::move(changes));
    return result ? std::string("done") : std::string(code_name(result.error().code()));
  };
  EXPECT_EQ(code({.removed = {"file:///data/x.parquet"}}), "conflict");
  EXPECT_EQ(code({.added = {test_file("a")}}), "conflict");
  EXPECT_EQ(code({.added = {test_file("b"), test_file("b")}}), "invalid");
  EXPECT_EQ(code({.added = {{.location = "s3://b/c", .record_count = 1, .size_bytes = 1}}}),
            "unsupported");
  EXPECT_EQ(code({.added = {{.location = "file:///a#b", .record_count = 1, .size_bytes = 1}}}),
            "invalid");
  EXPECT_EQ(code({.added = {{.location = "file:///c", .record_count = 1, .size_bytes = 0}}}),
            "invalid");
  DataFile partitioned = test_file("p");
  partitioned.partition = {store::Value(1)};
  EXPECT_EQ(code({.added = {partitioned}}), "invalid");
  EXPECT_EQ(code({.summary = {{"operation", "append"}}}), "invalid");
  EXPECT_EQ(code({.added = {test_file("b")}, .same_rows = true}), "invalid");
  Schema narrower = test_schema();
  narrower.fields[0].type = Type::of(TypeKind::string);
  EXPECT_EQ(code({.schema = narrower, .added = {test_file("b")}}), "conflict");

  EXPECT_EQ(*catalog_->current(name_), location);
  EXPECT_EQ(names_now(load()), Names{"a"});
  EXPECT_EQ(metadata_files(), metadata_of(*reachable_files(table.metadata())));
}

TEST_F(TableTest, IsCreatedOnceAndFoundByName) {
  Table table = create();
  const auto twice = Table::create(*catalog_, name_, {.location = "", .schema = test_schema()});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), Code::conflict);
  EXPECT_EQ(Table::load(*catalog_, {.space = "reel", .name = "u"}).error().code(), Code::not_found);
  for (const char* name : {"", "a/b", "..", ".hidden", "a\nb"}) {
    EXPECT_EQ(Table::load(*catalog_, {.space = "reel", .name = name}).error().code(),
              Code::invalid);
  }
  EXPECT_EQ(Table::create(*catalog_, {.space = "reel", .name = "u"},
                          {.location = "file:///elsewhere", .schema = test_schema()})
                .error()
                .code(),
            Code::invalid);
  EXPECT_EQ(open_directory_catalog("relative").error().code(), Code::invalid);
}

TEST_F(TableTest, SchemaAndPropertiesEvolve) {
  Table table = create();
  ASSERT_TRUE(table.commit({.added = {test_file("a")}, .properties = {{"k", "v"}, {"l", "w"}}}));
  Schema wider = test_schema();
  wider.fields[0].type = Type::of(TypeKind::int64);
  wider.fields[1].name = "renamed";
  wider.fields.push_back(test_field(3, TypeKind::uuid));
  ASSERT_TRUE(table.commit({.schema = wider, .removed_properties = {"l"}}));
  EXPECT_EQ(table.metadata().snapshots.size(), 1U);
  // What changes nothing is no new state.
  const std::string location = table.metadata_location();
  ASSERT_TRUE(table.commit({.schema = wider, .properties = {{"k", "v"}}}));
  EXPECT_EQ(table.metadata_location(), location);
  ASSERT_TRUE(table.commit({.schema = wider, .added = {test_file("b")}}));

  const Table again = load();
  EXPECT_EQ(again.metadata().schemas.size(), 2U);
  EXPECT_EQ(again.metadata().schema().find(2)->name, "renamed");
  EXPECT_EQ(again.metadata().last_column_id, 3);
  EXPECT_EQ(again.metadata().snapshots[0].schema_id, 0);
  EXPECT_EQ(again.metadata().snapshots[1].schema_id, 1);
  EXPECT_EQ(again.metadata().properties, (Properties{{"k", "v"}}));
}

TEST_F(TableTest, ThePartitionColumnStays) {
  Table table = create(
      {.location = "",
       .schema = test_schema(),
       .partition = {{.source_id = 2, .name = "p", .transform = *Transform::parse("identity")}}});
  DataFile file = test_file("a");
  file.partition = {store::Value("x")};
  ASSERT_TRUE(table.commit({.added = {file}}));
  EXPECT_EQ(live_files(table.metadata(), *table.metadata().current_snapshot())->at(0).file, file);
  Schema without = test_schema();
  without.fields.pop_back();
  EXPECT_EQ(table.commit({.schema = without}).error().code(), Code::conflict);
}

TEST_F(TableTest, WritersWhoDoNotKnowOfEachOtherBothSucceed) {
  Table one = create();
  Table two = load();
  ASSERT_TRUE(one.commit({.added = {test_file("a")}}));
  ASSERT_TRUE(two.commit({.added = {test_file("b")}}));
  ASSERT_TRUE(one.commit({.added = {test_file("c")}, .removed = {test_file("b").location}}));
  const auto late = two.commit({.removed = {test_file("b").location}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::conflict);
  EXPECT_EQ(names_now(load()), (Names{"a", "c"}));
}

TEST_F(TableTest, ManyWritersAtOnceLoseNothing) {
  create();
  constexpr int kWriters = 4;
  constexpr int kCommits = 8;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      Table table = *Table::load(*catalog_, name_, {.attempts_max = 1000});
      for (int n = 0; n < kCommits; ++n) {
        const auto done = table.commit({.added = {test_file(fmt::format("{}-{}", writer, n))}});
        EXPECT_TRUE(done) << done.error().message();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const Table table = load();
  EXPECT_EQ(names_now(table).size(), std::size_t{kWriters * kCommits});
  EXPECT_EQ(table.metadata().last_sequence_number, kWriters * kCommits);
  EXPECT_EQ(metadata_files(), metadata_of(*reachable_files(table.metadata())));
}

//! Answers as it is told after, or instead of, doing what it was asked.
class UnreliableCatalog final : public Catalog {
 public:
  explicit UnreliableCatalog(Catalog& real) : real_(real) {}
  Result<std::string> default_location(const TableName& table) const override {
    return real_.default_location(table);
  }
  Result<std::string> current(const TableName& table) override { return real_.current(table); }
  Result<std::string> replace(const TableName& table, const TableMetadata& next,
                              const std::string& base) override {
    if (before) before();
    if (fail_without_doing) return io("not done");
    auto done = real_.replace(table, next, base);
    if (lose_answer) return unknown_outcome("who knows");
    return done;
  }
  bool lose_answer = false;
  bool fail_without_doing = false;
  std::function<void()> before;

 private:
  Catalog& real_;
};

TEST_F(TableTest, ALostAnswerIsAskedForAgainByTheCommitsName) {
  create();
  UnreliableCatalog unreliable(*catalog_);
  Table table = *Table::load(unreliable, name_);
  const Changes changes{.added = {test_file("a")}, .commit_id = "job 7, range 3"};
  unreliable.lose_answer = true;
  EXPECT_EQ(table.commit(changes).error().code(), Code::unknown_outcome);
  unreliable.lose_answer = false;
  const auto again = table.commit(changes);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_TRUE(again->was_done);
  EXPECT_EQ(again->snapshot_id, table.metadata().current_snapshot()->id);
  EXPECT_EQ(names_now(load()), Names{"a"});
  EXPECT_EQ(load().metadata().snapshots.size(), 1U);

  // Also long after, and by a process that knows nothing of it.
  ASSERT_TRUE(table.commit({.added = {test_file("b")}}));
  EXPECT_TRUE(load().commit(changes)->was_done);
}

TEST_F(TableTest, AFailureLeavesNoFiles) {
  create();
  UnreliableCatalog unreliable(*catalog_);
  Table table = *Table::load(unreliable, name_);
  unreliable.fail_without_doing = true;
  EXPECT_EQ(table.commit({.added = {test_file("a")}}).error().code(), Code::io);
  EXPECT_EQ(metadata_files(), Names());
}

TEST_F(TableTest, WhoIsNeverFastEnoughGivesUp) {
  create();
  UnreliableCatalog unreliable(*catalog_);
  Table table = *Table::load(unreliable, name_, {.attempts_max = 3});
  int others = 0;
  unreliable.before = [&] {
    ASSERT_TRUE(load().commit({.added = {test_file(fmt::format("other{}", others++))}}));
  };
  const auto result = table.commit({.added = {test_file("a")}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::conflict);
  EXPECT_EQ(others, 3);
  EXPECT_EQ(metadata_files(), metadata_of(*reachable_files(load().metadata())));
}

TEST_F(TableTest, ManySmallManifestsBecomeOne) {
  Table table = create();
  const int count = static_cast<int>(kSmallManifestsMax) + 20;
  Names expected;
  for (int n = 0; n < count; ++n) {
    expected.insert(std::to_string(n));
    ASSERT_TRUE(table.commit({.added = {test_file(std::to_string(n))}, .added_are_new = true}));
  }
  EXPECT_EQ(names_now(table), expected);
  EXPECT_LT(load_manifests(*table.metadata().current_snapshot())->size(), 30U);
  const auto files = *live_files(table.metadata(), *table.metadata().current_snapshot());
  for (const ManifestEntry& entry : files) {
    EXPECT_EQ(std::to_string(*entry.sequence_number - 1), fs::path(entry.file.location).stem());
  }
  EXPECT_LE(table.metadata().metadata_log.size(), 100U);
}

TEST_F(TableTest, TheMetadataLogHasItsLength) {
  Table table = create({.location = "",
                        .schema = test_schema(),
                        .properties = {{"write.metadata.previous-versions-max", "2"}}});
  FileSet old;
  for (int n = 0; n < 4; ++n) {
    const auto done = table.commit({.properties = {{"n", std::to_string(n)}}});
    old.metadata.insert(done->unreachable.metadata.begin(), done->unreachable.metadata.end());
  }
  EXPECT_EQ(table.metadata().metadata_log.size(), 2U);
  EXPECT_EQ(old.metadata.size(), 2U);
  ASSERT_TRUE(remove_files(old));
  EXPECT_EQ(names_now(load()), Names());
  EXPECT_EQ(metadata_files(), table.metadata().metadata_log.size() == 2
                                  ? Names({table.metadata().metadata_log[0].location,
                                           table.metadata().metadata_log[1].location})
                                  : Names());
}

TEST_F(TableTest, AgeCountAndReferencesKeepSnapshots) {
  TableMetadata table = *make_metadata({.location = "file:///t", .schema = test_schema()}, {});
  for (SnapshotId id = 1; id <= 6; ++id) {
    table.snapshots.push_back(
        {.id = id, .timestamp_ms = id * 100, .manifest_list = "", .summary = {}});
    if (id > 1) table.snapshots.back().parent_id = id - 1;
    table.snapshot_log.push_back({.timestamp_ms = id * 100, .snapshot_id = id});
  }
  table.references["main"] = {.snapshot_id = 6};
  const auto expired = [&](std::int64_t age, std::int64_t least) {
    return find_expired(table, {.snapshot_age_ms_max = age, .snapshots_min = least}, 600).snapshots;
  };
  using Ids = std::set<SnapshotId>;
  EXPECT_EQ(expired(1000, 1), Ids());
  EXPECT_EQ(expired(200, 1), (Ids{1, 2, 3}));
  EXPECT_EQ(expired(0, 1), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(expired(-1, 0), (Ids{1, 2, 3, 4, 5}));  // never the head
  EXPECT_EQ(expired(0, 4), (Ids{1, 2}));
  table.references["tag"] = {.snapshot_id = 2, .is_branch = false, .reference_age_ms_max = 450};
  EXPECT_EQ(expired(0, 1), (Ids{1, 3, 4, 5}));
  table.references["main"].snapshots_min = 3;
  EXPECT_EQ(expired(0, 1), (Ids{1, 3}));

  const Expiry late = find_expired(table, {.snapshot_age_ms_max = 0}, 651);
  EXPECT_EQ(late.references, std::set<std::string>{"tag"});
  EXPECT_EQ(late.snapshots, (Ids{1, 2, 3}));
  apply(late, table);
  EXPECT_EQ(table.snapshots.size(), 3U);
  EXPECT_EQ(table.snapshot_log.front().snapshot_id, 4);
  EXPECT_FALSE(table.references.contains("tag"));
}

// Random histories: what a snapshot that is still there needs is still there, and nothing else is.
TEST_F(TableTest, ExpiryRemovesWhatNothingNeedsAndOnlyThat) {
  std::mt19937_64 random(test_seed());
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  Table table = create();
  std::map<SnapshotId, Names> model;
  Names now;
  int next = 0;
  const std::string data = folder_.path() + "/data/";
  const auto file_of = [&](const std::string& name) {
    DataFile file = test_file(name);
    file.location = "file://" + data + name;
    return file;
  };
  for (int step = 0; step < 150; ++step) {
    clock_.advance(std::chrono::seconds(1));
    Changes changes;
    for (auto count = below(3); count > 0 && !now.empty(); --count) {
      const auto victim = std::next(now.begin(), static_cast<std::ptrdiff_t>(below(now.size())));
      changes.removed.push_back(file_of(*victim).location);
      now.erase(victim);
    }
    for (auto count = below(4); count > 0; --count) {
      const std::string name = std::to_string(next++);
      ASSERT_TRUE(write_new_file("file://" + data + name, "x"));
      changes.added.push_back(file_of(name));
      now.insert(name);
    }
    if (below(5) == 0) {
      changes.expire = {.snapshot_age_ms_max = static_cast<std::int64_t>(below(10)) * 1000,
                        .snapshots_min = static_cast<std::int64_t>(below(4))};
    }
    const auto done = table.commit(changes);
    ASSERT_TRUE(done) << done.error().message();
    if (done->snapshot_id) model[*done->snapshot_id] = now;
    ASSERT_TRUE(remove_files(done->unreachable));
    std::erase_if(model, [&](const auto& entry) {
      return table.metadata().find_snapshot(entry.first) == nullptr;
    });
    ASSERT_EQ(model.size(), table.metadata().snapshots.size());
  }
  Names needed;
  for (const auto& [id, names] : model) {
    const Snapshot* snapshot = table.metadata().find_snapshot(id);
    EXPECT_EQ(names_in(table, *snapshot), names);
    needed.insert(names.begin(), names.end());
  }
  Names there;
  for (const auto& entry : fs::directory_iterator(data)) there.insert(entry.path().filename());
  // Files of the first commits of a run without expiry are all needed; else only some.
  EXPECT_EQ(there, needed);
  EXPECT_EQ(metadata_files(), metadata_of(*reachable_files(table.metadata())));
}

TEST_F(TableTest, AMissingFileOfASnapshotThatStaysStopsExpiry) {
  Table table = create();
  ASSERT_TRUE(table.commit({.added = {test_file("a")}}));
  clock_.advance(std::chrono::seconds(10));
  ASSERT_TRUE(table.commit({.added = {test_file("b")}}));
  const auto manifests = *load_manifests(*table.metadata().current_snapshot());
  ASSERT_TRUE(remove_file(manifests.back().location));
  const auto result = table.commit({.expire = RetentionPolicy{.snapshot_age_ms_max = 0}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::not_found);
  EXPECT_EQ(load().metadata().snapshots.size(), 2U);
}

TEST_F(TableTest, DeleteFilesOfOthersAreNotPassedOver) {
  Table table = create();
  ASSERT_TRUE(table.commit({.added = {test_file("a")}}));
  Snapshot snapshot = *table.metadata().current_snapshot();
  auto manifests = *load_manifests(snapshot);
  DataFile deletes = test_file("deletes");
  deletes.content = FileContent::position_deletes;
  const ManifestContext context{.schema = &table.metadata().schema(),
                                .spec = &table.metadata().spec()};
  const std::vector<ManifestEntry> entries = {{.snapshot_id = snapshot.id, .file = deletes}};
  ManifestFile manifest = *describe_manifest(context, entries, snapshot.id, 1);
  manifest.of_deletes = true;
  manifest.location = table.metadata().location + "/metadata/deletes.avro";
  ASSERT_TRUE(write_new_file(manifest.location, *write_manifest(context, entries)));
  manifests.push_back(manifest);
  snapshot.manifest_list = table.metadata().location + "/metadata/list.avro";
  ASSERT_TRUE(write_new_file(snapshot.manifest_list, write_manifest_list({}, manifests)));
  const auto files = live_files(table.metadata(), snapshot);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().code(), Code::unsupported);
  EXPECT_THAT(files.error().message(), testing::HasSubstr("deletes.parquet"));
}

TEST(VersionHint, TheNewestFileCountsWhateverTheHintSays) {
  TestFolder folder;
  const auto catalog = *open_directory_catalog(folder.path() + "/");
  const TableName name{.space = "a.b", .name = "t"};
  Table table = *Table::create(*catalog, name, {.location = "", .schema = test_schema()});
  ASSERT_TRUE(table.commit({.properties = {{"a", "b"}}}));
  const std::string hint = folder.path() + "/a.b/t/metadata/version-hint.text";
  EXPECT_EQ(*read_file(hint, 100), "2");
  ASSERT_TRUE(write_version_hint(table.metadata().location, "1"));
  std::ofstream(folder.path() + "/a.b/t/metadata/v007.metadata.json") << "{}";
  std::ofstream(folder.path() + "/a.b/t/metadata/vx.metadata.json") << "{}";
  EXPECT_THAT(*catalog->current(name), testing::EndsWith("/v2.metadata.json"));
}

TEST(File, LocationsAreOfThisMachine) {
  EXPECT_EQ(*location_of("/a b/c"), "file:///a b/c");
  EXPECT_EQ(*path_of("file:///a b/c"), "/a b/c");
  EXPECT_EQ(*path_of("file:/a"), "/a");
  EXPECT_EQ(*path_of("/a"), "/a");
  for (const char* path : {"a", "", "/a?b", "/a#b", "/a\nb"}) {
    EXPECT_EQ(location_of(path).error().code(), Code::invalid) << path;
  }
  for (const char* location : {"s3://a/b", "file://host/a", "a", "hdfs:/a"}) {
    EXPECT_EQ(path_of(location).error().code(), Code::unsupported) << location;
  }
  TestFolder folder;
  const std::string location = "file://" + folder.path() + "/new/file";
  EXPECT_EQ(read_file(location, 10).error().code(), Code::not_found);
  ASSERT_TRUE(write_new_file(location, "twelve bytes"));
  EXPECT_EQ(write_new_file(location, "again").error().code(), Code::conflict);
  EXPECT_EQ(*read_file(location, 12), "twelve bytes");
  EXPECT_EQ(read_file(location, 11).error().code(), Code::too_large);
  EXPECT_EQ(read_file(folder.path(), 11).error().code(), Code::invalid);
  ASSERT_TRUE(remove_file(location));
  EXPECT_TRUE(remove_file(location));
}

}  // namespace
}  // namespace reel::iceberg
