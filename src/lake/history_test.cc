//! Random histories: at every moment the lake and the store together answer with each row once.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test_seed.h"
#include "lake/read_back_test_support.h"
#include "lake/test_lake.h"

namespace reel::lake {
namespace {

using testing::kDay;
using testing::LakeFixture;
using testing::value_of;

constexpr std::int64_t kHours = 48;
constexpr store::ColumnId kLabel = 3;  // of takes_table()

class History : protected LakeFixture {
 public:
  //! Goes on with the history in this folder; empty: in one of its own.
  explicit History(std::uint64_t seed, const std::string& in = {})
      : LakeFixture(in), random_(seed) {
    clock.advance(std::chrono::years(100));  // every file is old
    EXPECT_OK(snapshot()->scan({.table = "takes"}, [&](const store::RowView& row) {
      next_ = row[1].get<std::int64_t>() + 1;
      return true;
    }));
  }

  void step() {
    using Step = void (History::*)();
    constexpr std::array<Step, 13> kSteps = {
        &History::insert,        &History::insert,  &History::erase_row, &History::update,
        &History::cover,         &History::cover,   &History::settle,    &History::merge,
        &History::retire,        &History::restore, &History::pass_time, &History::crash,
        &History::change_columns};
    (this->*kSteps.at(below(kSteps.size())))();
  }

  bool failed() const { return ::testing::Test::HasFailure(); }

  //! What every reader relies on.
  void check() {
    const auto now = snapshot();
    const auto table = value_of(now->catalog().table("takes"));
    std::vector<store::Row> truth;
    EXPECT_OK(now->scan({.table = "takes"}, [&](const store::RowView& row) {
      truth.push_back(row.cells);
      return true;
    }));
    const bool equal = through_the_lake(*now, *table) == truth;
    EXPECT_TRUE(equal);
    const auto answering = active();
    for (std::size_t i = 1; i < answering.size(); ++i) {
      EXPECT_LE(answering[i - 1].hours.end, answering[i].hours.begin);
    }
    for (const auto state : {PartitionState::active, PartitionState::retired}) {
      for (const Partition& one : all(state)) EXPECT_OK(catalog->verify(one));
    }
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::int64_t some_id() {
    return static_cast<std::int64_t>(below(static_cast<std::uint64_t>(next_) + 1));
  }
  std::int64_t some_hour() { return static_cast<std::int64_t>(below(kHours)); }

  void insert() {
    for (auto count = 1 + below(4); count > 0; --count) {
      store::Batch batch;
      batch.insert("takes", {next_++},
                   {{"inserted_at", Instant{start_of_hour(kDay + some_hour()).micros +
                                            static_cast<std::int64_t>(below(1'000'000))}},
                    {"label", std::to_string(below(9))}});
      const Status done = store->commit(std::move(batch));
      if (!done) label_is_dropped(done);
    }
  }
  //! What fails because nobody sees the column just now is no failure.
  void label_is_dropped(const Status& status) {
    EXPECT_FALSE(has_label()) << status.error().message();
  }
  bool has_label() const {
    return value_of(snapshot()->catalog().table("takes"))->find_named("label") != nullptr;
  }
  void erase_row() { erase(some_id()); }
  void update() {
    if (!has_label()) return;
    store::Batch batch;
    batch.update("takes", {some_id()}, {{"label", "changed " + std::to_string(random_())}});
    const Status done = store->commit(std::move(batch));
    EXPECT_TRUE(done || done.error().code() == Code::not_found);
  }

  void cover() {
    constexpr std::array<std::int64_t, 5> kDeltas = {1, 2, 4, 12, 24};
    const std::int64_t delta = kDeltas.at(below(kDeltas.size()));
    const std::int64_t begin = some_hour() / delta * delta;
    const auto tiles = 1 + static_cast<std::int64_t>(below(3));
    const Status done = materializer({.files_max = 1 + below(4)})
                            .materialize({.table = "takes",
                                          .begin = start_of_hour(kDay + begin),
                                          .end = start_of_hour(kDay + begin + tiles * delta),
                                          .delta = std::chrono::hours(delta),
                                          .regenerate = below(4) == 0,
                                          .by = "test"},
                                         [](const Progress&) {});
    EXPECT_TRUE(done || done.error().message().find("only partly") != std::string::npos)
        << done.error().message();
  }
  void settle() { value_of(materializer().settle("takes", below(9), "test")); }
  void merge() { value_of(materializer().merge("takes", 2, "test")); }

  void retire() {
    RetireRequest request{.by = "test", .reason = "random", .dry_run = below(8) == 0};
    for (const Partition& one : active()) {
      if (below(4) == 0) request.partitions.insert(one.id);
    }
    const auto done = catalog->retire(request);
    EXPECT_TRUE(done || done.error().code() == Code::forbidden);  // before anything is held
  }
  void restore() {
    const auto all = value_of(retirements(*snapshot()));
    if (all.empty()) return;
    const auto done = catalog->restore(all[below(all.size())].id, "test");
    EXPECT_TRUE(done || done.error().code() == Code::conflict) << done.error().message();
  }
  void pass_time() {
    if (below(3) == 0) value_of(catalog->take_lease("test", std::chrono::hours(1 + below(300))));
    clock.advance(std::chrono::hours(below(24 * 5)));
    CatalogOptions hasty = options();
    hasty.orphan_age = {};  // nobody is writing just now
    const auto janitor = value_of(Catalog::open(*store, hasty));
    value_of(janitor->expire("test", false));
    value_of(janitor->sweep_orphans(false));
    EXPECT_EQ(files(), named_files());
  }

  std::set<std::string> files() const {
    std::set<std::string> paths;
    const std::string& in = catalog->options().folder;
    if (!std::filesystem::exists(in)) return paths;
    for (const auto& file : std::filesystem::recursive_directory_iterator(in)) {
      if (file.is_regular_file()) paths.insert(file.path().lexically_relative(in));
    }
    return paths;
  }
  std::set<std::string> named_files() const {
    std::set<std::string> paths;
    for (const auto state :
         {PartitionState::staged, PartitionState::active, PartitionState::retired}) {
      for (const Partition& one : all(state)) {
        if (one.file) paths.insert(one.file->path);
      }
    }
    return paths;
  }

  //! A file without a row, a staged partition without its cover; then the program starts again.
  void crash() {
    const auto table = value_of(snapshot()->catalog().table("takes"));
    if (below(2) == 0) {
      const auto sink = value_of(ParquetSink::create(
          catalog->options().folder, "takes/" + PartitionId::random().to_string() + ".parquet",
          *table, {}));
      if (below(2) == 0) EXPECT_TRUE(sink->finish());
    }
    const ViewSet set = value_of(catalog->hold(*table, 1));
    EXPECT_OK(catalog->stage({{.id = PartitionId::random(),
                               .view_set = set.id,
                               .hours = {.begin = kDay + some_hour(), .end = kDay + kHours + 1},
                               .schema = set.schema}}));
    open();
  }

  void change_columns() {
    const auto table = value_of(snapshot()->catalog().table("takes"));
    std::vector<store::Operation> operations;
    if (has_label()) {
      operations.emplace_back(store::DropColumn{"label"});
    } else {
      operations.emplace_back(store::UndropColumn{kLabel, "label"});
    }
    if (below(3) == 0) {
      operations.assign(1, store::AddColumn{{.name = fmt::format("c{}", table->next_column_id),
                                             .type = store::Type::of(store::TypeKind::int64),
                                             .nullable = false,
                                             .default_value = static_cast<int>(below(100))}});
    }
    value_of(store->migrate({.table = "takes", .operations = std::move(operations)}, {}));
  }

  //! Every row as a reader of partitions and live hours gets it.
  std::vector<store::Row> through_the_lake(store::Snapshot& now, const store::TableSchema& table) {
    const Coverage coverage = value_of(settled(now, "takes", 1));
    std::vector<store::Row> rows;
    std::set<std::int64_t> hours;
    for (const Served& served : coverage.served) {
      for (const std::int64_t hour : served.hours) EXPECT_TRUE(hours.insert(hour).second);
      const auto read = testing::read_back(catalog->absolute(served.partition.file->path), table);
      for (const store::Row& row : read.rows) {
        const bool wanted =
            std::ranges::binary_search(served.hours, hour_of(row[0].get<Instant>()));
        EXPECT_TRUE(wanted || !served.whole);
        if (wanted) rows.push_back(row);
      }
    }
    for (const store::LedgerEntry& live : coverage.live) {
      EXPECT_TRUE(hours.insert(live.hour).second);
      const store::ScanSpec spec{
          .table = "takes",
          .where = {{"inserted_at", store::Predicate::Op::greater_equal, start_of_hour(live.hour)},
                    {"inserted_at", store::Predicate::Op::less, start_of_hour(live.hour + 1)}}};
      EXPECT_OK(now.scan(spec, [&](const store::RowView& row) {
        rows.push_back(row.cells);
        return true;
      }));
    }
    std::ranges::sort(
        rows, [](const store::Row& a, const store::Row& b) { return compare(a[1], b[1]) < 0; });
    return rows;
  }

  std::mt19937_64 random_;
  std::int64_t next_ = 0;
};

int count_of(const char* variable, int otherwise) {
  const char* wanted = std::getenv(variable);
  return wanted == nullptr ? otherwise : std::atoi(wanted);
}

TEST(HistoryTest, no_row_is_lost_or_doubled) {
  const int histories = count_of("REELHOUSE_LAKE_HISTORIES", 6);
  for (int i = 0; i < histories; ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    History history(seed);
    for (int step = 0; step < 60 && !history.failed(); ++step) {
      history.step();
      history.check();
    }
    ASSERT_FALSE(history.failed()) << "REELHOUSE_SEED=" << seed;
  }
}

constexpr char kWorkFolder[] = "REELHOUSE_LAKE_WORK_FOLDER";

//! What the next test kills: a process that makes history until then.
TEST(HistoryTest, DISABLED_worker) {
  const char* folder = std::getenv(kWorkFolder);
  if (folder == nullptr) GTEST_SKIP() << "it is started by another test";
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (History history(test_seed(), folder); !history.failed();) history.step();
}

pid_t start_worker(const std::string& folder, std::uint64_t seed) {
  const pid_t worker = ::fork();
  if (worker != 0) return worker;
  ::setenv(kWorkFolder, folder.c_str(), 1);
  ::setenv("REELHOUSE_SEED", std::to_string(seed).c_str(), 1);
  ::execl("/proc/self/exe", "lake_test", "--gtest_also_run_disabled_tests", "--gtest_brief=1",
          "--gtest_filter=HistoryTest.DISABLED_worker", nullptr);
  ::_exit(1);
}

TEST(HistoryTest, what_is_killed_at_any_moment_is_whole_afterwards) {
  const testing::TemporaryFolder folder;
  std::mt19937_64 random(test_seed());
  const int kills = count_of("REELHOUSE_LAKE_KILLS", 8);
  for (int i = 0; i < kills; ++i) {
    const pid_t worker = start_worker(folder.path(), random());
    ASSERT_GT(worker, 0);
    // Any moment will do: there is nothing to wait for.
    std::this_thread::sleep_for(std::chrono::microseconds(50'000 + random() % 400'000));
    ASSERT_EQ(::kill(worker, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(worker, &status, 0), worker);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended before that";
    History(random(), folder.path()).check();
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace reel::lake
