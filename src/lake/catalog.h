#pragma once
//! Which partitions there are, and every way in which that changes.

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/thread_annotations.h"
#include "lake/records.h"

namespace reel::lake {

struct CatalogOptions {
  //! Of the lake's files; their paths in the catalog are below it.
  std::string folder = {};
  //! Told in the registry of schemas and in the files.
  std::string build = {};
  //! How long what is retired can be brought back, at least.
  std::chrono::seconds undo{std::chrono::hours(24 * 7)};
  //! How long nobody may take between writing a file and naming it in the catalog; younger files
  //! are left alone, and so are younger staged partitions.
  std::chrono::seconds orphan_age{std::chrono::hours(24)};
  //! Both must outlive the catalog.
  const Clock* clock = &system_clock();
  Random* random = &system_random();
};

// Reading, all in one snapshot.

Result<std::vector<ViewSet>> view_sets(store::Snapshot& snapshot);
//! Code::not_found.
Result<ViewSet> view_set(store::Snapshot& snapshot, ViewSetId id);
//! The oldest first.
Result<std::vector<RegisteredSchema>> view_schemas(store::Snapshot& snapshot, ViewSetId id);
//! By name, those that ever had an active or staged partition.
Result<std::vector<std::string>> instances(store::Snapshot& snapshot, ViewSetId id);
//! Of one instance, by their begin; without statistics of the files.
Result<std::vector<Partition>> partitions(store::Snapshot& snapshot, ViewSetId id,
                                          std::string_view instance, PartitionState state);
//! Code::not_found.
Result<Partition> partition(store::Snapshot& snapshot, PartitionId id);
//! What is known of the columns of its file. Code::not_found.
Result<std::map<store::ColumnId, ColumnStatistics>> statistics(store::Snapshot& snapshot,
                                                               PartitionId id);
//! Those that a retirement retired, as long as it can be undone.
Result<std::vector<Partition>> partitions_of(store::Snapshot& snapshot, RetirementId id);
//! Code::not_found.
Result<Retirement> retirement(store::Snapshot& snapshot, RetirementId id);
//! The newest first.
Result<std::vector<Retirement>> retirements(store::Snapshot& snapshot);
Result<std::vector<Lease>> leases(store::Snapshot& snapshot);

//! Whether the table that a view set shows is still there.
bool source_exists(const store::Snapshot& snapshot, ViewSetId id);

struct RetireRequest {
  std::set<PartitionId> partitions = {};
  std::string by;
  std::string reason;
  //! Even where nothing can make the rows anew.
  bool force = false;
  //! Check and tell; change nothing.
  bool dry_run = false;
};

//! What expiry did, or would do.
struct ExpiryReport {
  std::vector<Retirement> retirements;
  std::vector<PartitionId> abandoned;  //!< staged, and never published
  std::vector<std::string> files;      //!< paths that went away
  std::int64_t size_bytes = 0;         //!< of these
};

//! Changes. INVARIANT: of one instance of a view set, no two active partitions share an hour,
//! whatever their schemas. Each change is one commit under the condition that nobody else changed
//! what is active in the instances it touches (their generation). Thread-safe.
class Catalog {
 public:
  //! Makes the tables if there are none. The store must outlive the catalog.
  static Result<std::unique_ptr<Catalog>> open(store::Store& store, CatalogOptions options);

  const CatalogOptions& options() const { return options_; }
  std::string absolute(const std::string& path) const { return options_.folder + "/" + path; }

  //! Registers the view set that shows a table, and its schema if that is another than the current
  //! one; what this program holds from then on. Code::forbidden when the lake knows a later
  //! semantics version: a newer program has been here.
  Result<ViewSet> hold(const store::TableSchema& table, std::uint32_t semantics_version);

  //! Adds partitions that nobody reads yet. Their files must be there.
  Status stage(const std::vector<Partition>& partitions);
  //! Makes fresh and staged partitions of one instance the active ones of their hours, and retires
  //! those that were. Errors, after which nothing has changed:
  //! - conflict: they share hours, or leave out hours of a partition that they would replace;
  //! - forbidden: this program does not hold the current schema;
  //! - not_found: one is not staged any more, or a file is not there.
  Status publish(const std::vector<Partition>& fresh, const std::set<PartitionId>& staged,
                 std::string_view by, std::string_view reason);

  //! The one way by which partitions retire: all of them or none; of an empty set nothing is
  //! recorded. Errors, naming the partition:
  //! - not_found; conflict: it is not active;
  //! - forbidden: it has a later schema than this program holds, or nothing could make its rows
  //!   anew and `force` is not set.
  Result<Retirement> retire(const RetireRequest& request);
  //! Makes them active again. Code::conflict when it is undone or expired already, or other
  //! partitions answer for the hours now; not_found, corrupt: a file is not there as it was.
  Result<Retirement> restore(RetirementId id, std::string_view by);

  //! From now on no file goes away that the reader may have seen in a snapshot it takes later.
  //! Leases are not prolonged: a reader that needs longer takes another one and looks again.
  Result<LeaseId> take_lease(std::string_view holder, std::chrono::seconds duration);
  Status release_lease(LeaseId id);

  //! Ends retirements whose time is over and that no lease holds back, then erases their files.
  Result<ExpiryReport> expire(std::string_view by, bool dry_run);
  //! Erases old files that no partition names: what a crash left. Idempotent.
  Result<ExpiryReport> sweep_orphans(bool dry_run);

  //! Whether the file of a partition is there as it was written. Code::not_found, corrupt.
  Status verify(const Partition& partition) const;

 private:
  Catalog(store::RowStore& store, CatalogOptions options);

  //! The schema of a view set that this program holds; nullopt: none.
  std::optional<RegisteredSchema> held(ViewSetId id) const;
  Status check_files(const std::vector<Partition>& fresh) const;
  Status check_fence(const Partition& partition, bool force) const;
  void erase_file(const Partition& partition, bool dry_run, ExpiryReport& report) const;
  Retirement new_retirement(std::string_view by, std::string_view reason) const;
  //! A batch that adds partitions of the current schema.
  Result<store::Batch> add(store::Snapshot& snapshot, const std::vector<Partition>& fresh,
                           PartitionState state) const;

  store::RowStore& store_;
  const CatalogOptions options_;
  mutable Mutex mutex_;
  std::map<ViewSetId, RegisteredSchema> held_ GUARDED_BY(mutex_);
};

}  // namespace reel::lake
