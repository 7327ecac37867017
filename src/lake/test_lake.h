#pragma once
//! For tests: a store with one table, and a lake over it.

#include <memory>
#include <string>
#include <vector>

#include "lake/materializer.h"
#include "lake/test_folder.h"
#include "store/sqlite/sqlite_store.h"

namespace reel::lake::testing {

//! 2026-11-20T00:00Z, where the days of the tests begin.
inline constexpr std::int64_t kDay = std::int64_t{20'777} * 24;

inline store::TableDefinition takes_table() {
  using store::Type;
  using store::TypeKind;
  return {.name = "takes",
          .columns = {{.name = "id", .type = Type::of(TypeKind::int64), .nullable = false},
                      {.name = "label", .type = Type::of(TypeKind::string)}},
          .partition_key = {"id"}};
}

struct LakeFixture {
  TemporaryFolder temporary = {};
  std::string root = {};  //!< of store and lake
  ManualClock clock{start_of_hour(kDay + 48)};
  std::unique_ptr<store::Store> store = {};
  std::unique_ptr<Catalog> catalog = {};

  explicit LakeFixture(const std::string& in = {}) : root(in.empty() ? temporary.path() : in) {
    open();
  }

  //! Again, as after a crash.
  void open() {
    catalog.reset();
    store.reset();
    store = value_of(store::open_sqlite_store({.path = root + "/store.db", .clock = &clock}));
    if (!store->catalog()->tables.contains("takes")) {
      value_of(store->create_table(takes_table(), {}));
    }
    catalog = value_of(Catalog::open(*store, options()));
  }
  //! The files have the machine's time, of which the clock knows nothing: none of them is old.
  CatalogOptions options() const {
    return {.folder = root + "/lake",
            .build = "test",
            .orphan_age = std::chrono::years(1'000),
            .clock = &clock};
  }
  Materializer materializer(MaterializerOptions with = {}) {
    return {*store, *catalog, std::move(with)};
  }
  std::unique_ptr<store::Snapshot> snapshot() const { return value_of(store->snapshot()); }

  //! A row that was inserted in this hour of the first day.
  void put(std::int64_t id, std::int64_t hour, std::string label = "x") {
    store::Batch batch;
    batch.insert("takes", {id},
                 {{"inserted_at", start_of_hour(kDay + hour)}, {"label", std::move(label)}});
    EXPECT_OK(store->commit(std::move(batch)));
  }
  void erase(std::int64_t id) {
    store::Batch batch;
    batch.erase("takes", {id});
    EXPECT_OK(store->commit(std::move(batch)));
  }
  //! Hours of the first day.
  Status materialize(std::int64_t begin, std::int64_t end, std::int64_t delta = 1) {
    return materializer().materialize({.table = "takes",
                                       .begin = start_of_hour(kDay + begin),
                                       .end = start_of_hour(kDay + end),
                                       .delta = std::chrono::hours(delta),
                                       .by = "test"},
                                      [](const Progress&) {});
  }
  std::vector<Partition> all(PartitionState state) const {
    const auto now = snapshot();
    const auto table = value_of(now->catalog().table("takes"));
    return value_of(partitions(*now, table->id, kGlobal, state));
  }
  std::vector<Partition> active() const { return all(PartitionState::active); }
  Coverage coverage() const { return value_of(settled(*snapshot(), "takes", 1)); }
  std::int64_t live_rows() const {
    std::int64_t rows = 0;
    for (const auto& entry : coverage().live) rows += entry.rows;
    return rows;
  }
};

}  // namespace reel::lake::testing
