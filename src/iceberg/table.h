#pragma once
//! A table: its state, and changes to it that are committed as a whole.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "iceberg/catalog.h"
#include "iceberg/snapshot_files.h"

namespace reel::iceberg {

//! What one commit does. Written down as wishes, so that it can be applied to whatever state
//! another writer leaves.
struct Changes {
  //! The fields that the table is to have, by their ids: see evolve(). Its schema id is ignored.
  std::optional<Schema> schema = {};
  //! Partition values are those of the table's default spec.
  std::vector<DataFile> added = {};
  //! Files that leave the table, by their locations as the table has them; each must be in it.
  std::vector<std::string> removed = {};
  //! The caller knows that no added file is in the table, because their names are made anew: the
  //! table's manifests are not read to find out.
  bool added_are_new = false;
  //! The added files have the same rows as the removed ones: a compaction.
  bool same_rows = false;
  //! More for the snapshot's summary. Keys of Iceberg's own are refused.
  Properties summary = {};
  //! Table properties to set, and to take away.
  Properties properties = {};
  std::vector<std::string> removed_properties = {};
  //! Snapshots to let go, after the rest of the commit.
  std::optional<RetentionPolicy> expire = {};
  //! Names this commit in the snapshot's summary. Whoever commits under a name again, after a crash
  //! or a lost answer, commits nothing: exactly once, for as long as the snapshot is kept. Empty: a
  //! random one.
  std::string commit_id = {};

  bool makes_snapshot() const { return !added.empty() || !removed.empty() || !summary.empty(); }
};

//! The key in a snapshot's summary.
inline constexpr std::string_view kCommitIdKey = "reelhouse.commit-id";

struct CommitResult {
  std::optional<SnapshotId> snapshot_id;  //!< that holds the change; empty when it needed none
  bool was_done = false;                  //!< by an earlier commit of the same name
  //! What nothing needs any more: remove_files(), now or later. Readers that loaded the table
  //! earlier may still be at them.
  FileSet unreachable;
};

struct TableOptions {
  const Clock* clock = nullptr;  //!< nullptr: the machine's
  int attempts_max = 20;         //!< of a commit, when others commit as well
};

//! Not thread-safe; two objects of one table are, like two processes.
class Table {
 public:
  using Options = TableOptions;

  //! A new table without data. An empty location in `table` means the catalog's default.
  //! Code::conflict when the catalog has the name.
  static Result<Table> create(Catalog& catalog, TableName name, NewTable table,
                              const Options& options = {});
  //! Code::not_found when there is none, Code::corrupt when its metadata is not readable.
  static Result<Table> load(Catalog& catalog, TableName name, const Options& options = {});

  const TableName& name() const { return name_; }
  const TableMetadata& metadata() const { return metadata_; }
  const std::string& metadata_location() const { return metadata_location_; }

  //! Looks whether others have committed.
  Status refresh();

  //! Applies the changes to the newest state and makes the result current, if it differs; again
  //! when another writer was faster. What was written for an attempt that failed is removed.
  //! Code::conflict when the changes do not fit the newest state: a removed file is not in the
  //! table, an added one is, the schema cannot follow; or when others were faster every time.
  //! Code::unknown_outcome when the catalog cannot tell: commit again under the same `commit_id`.
  Result<CommitResult> commit(Changes changes);

 private:
  Table(Catalog& catalog, TableName name, const Options& options);
  Result<std::optional<CommitResult>> attempt(const Changes& changes);
  //! The result, when the table has a snapshot of this name.
  std::optional<CommitResult> find_commit(const std::string& commit_id) const;

  Catalog* catalog_;
  TableName name_;
  Options options_;
  TableMetadata metadata_;
  std::string metadata_location_;
};

}  // namespace reel::iceberg
