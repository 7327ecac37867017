#pragma once
//! What files a snapshot is made of, read from its manifests; and which files nothing needs any
//! more.

#include <set>
#include <string>
#include <vector>

#include "iceberg/metadata.h"

namespace reel::iceberg {

//! The manifests of a snapshot. Errors name the file.
Result<std::vector<ManifestFile>> load_manifests(const Snapshot& snapshot);
//! All entries of a manifest, deleted ones too.
Result<std::vector<ManifestEntry>> load_entries(const TableMetadata& table,
                                                const ManifestFile& manifest);
//! The data files of a snapshot. Code::unsupported when it has delete files as well: some rows of
//! its data files are deleted then.
Result<std::vector<ManifestEntry>> live_files(const TableMetadata& table, const Snapshot& snapshot);

//! Locations of files of a table.
struct FileSet {
  std::set<std::string> data;  //!< delete files too
  std::set<std::string> manifests;
  std::set<std::string> manifest_lists;
  std::set<std::string> metadata;

  bool empty() const {
    return data.empty() && manifests.empty() && manifest_lists.empty() && metadata.empty();
  }
};

//! Every file that some snapshot of the table needs, and the metadata files of its log: what is in
//! the table's folder and not here may be removed once it is older than any commit under way.
Result<FileSet> reachable_files(const TableMetadata& table);

//! Files that only the `expired` snapshots of `before` need, and no other snapshot of it. A file of
//! an expired snapshot that is gone already is passed over; one of a snapshot that stays is an
//! error.
Result<FileSet> unreachable_files(const TableMetadata& before, const std::set<SnapshotId>& expired);

//! Removes all of them, the data last. The first error, after trying all.
Status remove_files(const FileSet& files);

//! When snapshots expire. A branch or tag may have limits of its own (Reference).
struct RetentionPolicy {
  std::int64_t snapshot_age_ms_max = std::int64_t{5} * 24 * 3600 * 1000;
  std::int64_t snapshots_min = 1;  //!< of each branch
};

//! The snapshots that the rules let go, seen at `now_ms`, and references that are too old. Never
//! the head of a branch or tag that stays.
struct Expiry {
  std::set<SnapshotId> snapshots;
  std::set<std::string> references;
};
Expiry find_expired(const TableMetadata& table, const RetentionPolicy& policy, std::int64_t now_ms);
//! Takes them out of the metadata.
void apply(const Expiry& expiry, TableMetadata& table);

}  // namespace reel::iceberg
