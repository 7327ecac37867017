#pragma once
//! Makes partitions of what is in the store.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/catalog.h"
#include "lake/coverage.h"
#include "lake/parquet_sink.h"

namespace reel::lake {

struct MaterializerOptions {
  //! Files that are written at one time; a pass over the table fills so many.
  std::size_t files_max = 24;
  //! Partitions in one request.
  std::size_t tiles_max = 100'000;
  //! A day's partitions are merged when they take no more than this.
  std::int64_t merge_bytes_max = std::int64_t{512} << 20;
  //! What this program takes the values of a table to mean; see ViewSchema.
  std::uint32_t semantics_version = 1;
  ParquetOptions parquet = {};
};

//! Told of each partition: one that is there now, or that needed nothing.
struct Progress {
  HourRange hours;
  std::int64_t rows = 0;
  bool written = false;  //!< false: it was up to date
};
using ProgressVisitor = std::function<void(const Progress&)>;

struct MaterializeRequest {
  std::string table;
  Instant begin;
  Instant end;  //!< exclusive
  std::chrono::seconds delta = std::chrono::hours(1);
  bool regenerate = false;  //!< also what is up to date
  std::string by;
};

//! Every partition is written from one snapshot with what the ledger says of its hours in that
//! snapshot. One that could not be read in full is never published. Thread-safe; two at work on
//! the same hours waste time, nothing else.
class Materializer {
 public:
  //! Both must outlive the materializer.
  Materializer(store::RowStore& store, Catalog& catalog, MaterializerOptions options)
      : store_(store), catalog_(catalog), options_(std::move(options)) {}

  //! Tiles the range, and writes each tile that no partition of up-to-date rows answers for. A tile
  //! that is part of a larger partition takes the tiles of the rest of it along. Errors:
  //! - invalid: a bound or `delta` is not on the hour, begin >= end, delta <= 0, it does not tile
  //!   the range, or an active partition is only partly in the range (it is named);
  //! - not_found: no such table; conflict: its schema was changed meanwhile.
  Status materialize(const MaterializeRequest& request, const ProgressVisitor& tell) const;

  //! Writes what is over and not settled: hours without a partition, and partitions that are
  //! outdated, at most so many, the newest first. How many it wrote; 0: everything is settled.
  Result<std::size_t> settle(std::string_view table, std::size_t partitions_max,
                             std::string_view by) const;
  //! Makes one partition of those of a day that is over, for at most so many days, the newest
  //! first. How many days it merged.
  Result<std::size_t> merge(std::string_view table, std::size_t days_max,
                            std::string_view by) const;
  //! Reads the files of all active partitions, and retires those that are not as they were
  //! written: their hours are live again.
  Result<std::vector<Partition>> verify(std::string_view table, std::string_view by) const;

 private:
  //! The table as registered, so that partitions of it may be published.
  struct Held {
    store::TableSchema schema;
    ViewSet view_set;
  };
  //! What has to be published together.
  using Unit = std::vector<HourRange>;
  class Pass;

  Result<Held> hold(std::string_view table) const;
  Status write_units(const Held& held, const std::vector<Unit>& units, std::string_view by,
                     const ProgressVisitor& tell) const;
  Status write_together(const Held& held, const Unit& tiles, std::string_view by,
                        const ProgressVisitor& tell) const;
  Result<std::vector<Partition>> write(const Held& held, const Unit& tiles) const;

  store::RowStore& store_;
  Catalog& catalog_;
  const MaterializerOptions options_;
};

}  // namespace reel::lake
