#pragma once
//! The next snapshot of a table, and the files written for it.

#include <string>
#include <vector>

#include "iceberg/table.h"

namespace reel::iceberg {

//! Manifests with fewer bytes are merged when there are many of them, so that a table with a commit
//! an hour does not take a file an hour to read.
inline constexpr std::int64_t kManifestBytesMin = 4 << 20;
inline constexpr std::size_t kSmallManifestsMax = 100;

//! Writes manifests and the manifest list as it goes; `written` tells which, also after an error.
class SnapshotDraft {
 public:
  //! `table` is the metadata to follow, with its schema as it shall be.
  SnapshotDraft(const TableMetadata& table, const Changes& changes, Instant now,
                std::vector<std::string>& written);

  //! Code::conflict names a file that is not there, or there already.
  Result<Snapshot> run();

 private:
  Status carry_over();
  Status take_removed(const ManifestFile& manifest, std::vector<ManifestEntry> entries);
  Status add_files();
  Status merge_small();
  Status write(const PartitionSpec& spec, const std::vector<ManifestEntry>& entries);
  Properties summarize() const;

  const TableMetadata& table_;
  const Changes& changes_;
  std::vector<std::string>& written_;
  Snapshot snapshot_;
  const Snapshot* parent_;
  std::set<std::string> removing_;  //!< not found yet
  std::set<std::string> adding_;
  std::vector<ManifestFile> manifests_;
  std::vector<DataFile> removed_files_;
};

}  // namespace reel::iceberg
