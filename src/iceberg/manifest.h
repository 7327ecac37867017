#pragma once
//! Manifests, which list data files, and manifest lists, which list the manifests of a snapshot.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "iceberg/partition.h"
#include "iceberg/schema.h"

namespace reel::iceberg {

using SnapshotId = std::int64_t;
using SequenceNumber = std::int64_t;

enum class FileContent : std::uint8_t { data = 0, position_deletes = 1, equality_deletes = 2 };

//! A file of rows and what is known of its columns, nested leaves included, by field id.
struct DataFile {
  FileContent content = FileContent::data;
  std::string location = {};  //!< see file.h
  std::string format = "PARQUET";
  std::vector<store::Value> partition = {};  //!< in the order of the spec's fields
  std::int64_t record_count = 0;
  std::int64_t size_bytes = 0;
  std::map<FieldId, std::int64_t> column_sizes = {};  //!< bytes in the file
  std::map<FieldId, std::int64_t> value_counts = {};  //!< nulls and NaNs included
  std::map<FieldId, std::int64_t> null_counts = {};
  std::map<FieldId, std::int64_t> nan_counts = {};
  std::map<FieldId, std::string> lower_bounds = {};  //!< single_value.h
  std::map<FieldId, std::string> upper_bounds = {};
  std::optional<std::string> key_metadata = {};
  std::vector<std::int64_t> split_offsets = {};  //!< where row groups begin, ascending
  std::vector<FieldId> equality_ids = {};        //!< of equality deletes
  std::optional<std::int32_t> sort_order_id = {};

  friend bool operator==(const DataFile&, const DataFile&) = default;
};

//! What a writer knows of one column of a file.
struct ColumnMetrics {
  std::optional<std::int64_t> size_bytes = {};
  std::optional<std::int64_t> values = {};
  std::optional<std::int64_t> nulls = {};
  std::optional<std::int64_t> nans = {};
  store::Value smallest = {};  //!< of those that are neither null nor NaN; null: not known
  store::Value largest = {};
};

//! Code::invalid when a bound is no value of the column.
Status set_metrics(DataFile& file, const Field& column, const ColumnMetrics& metrics);

enum class EntryStatus : std::uint8_t { existing = 0, added = 1, deleted = 2 };

struct ManifestEntry {
  EntryStatus status = EntryStatus::added;
  //! That added the file, or deleted it. After read_manifest() never empty.
  std::optional<SnapshotId> snapshot_id = {};
  //! Of the rows, and of the file; empty in what is written for an added file: inherited.
  std::optional<SequenceNumber> sequence_number = {};
  std::optional<SequenceNumber> file_sequence_number = {};
  DataFile file = {};

  bool is_live() const { return status != EntryStatus::deleted; }
};

//! The values of one partition field in a manifest.
struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan = {};
  std::optional<std::string> lower = {};
  std::optional<std::string> upper = {};
  friend bool operator==(const FieldSummary&, const FieldSummary&) = default;
};

//! A manifest as its list describes it.
struct ManifestFile {
  std::string location;
  std::int64_t size_bytes = 0;
  SpecId spec_id = 0;
  bool of_deletes = false;  //!< lists delete files, not data files
  SequenceNumber sequence_number = 0;
  SequenceNumber min_sequence_number = 0;  //!< of the rows of live files
  SnapshotId added_snapshot_id = 0;
  struct Count {
    std::int64_t files = 0;
    std::int64_t rows = 0;
    friend bool operator==(const Count&, const Count&) = default;
  };
  Count added = {};
  Count existing = {};
  Count deleted = {};
  std::vector<FieldSummary> partitions = {};
  std::optional<std::string> key_metadata = {};

  bool has_live_files() const { return added.files + existing.files > 0; }
  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

//! What all entries of a manifest share.
struct ManifestContext {
  const Schema* schema = nullptr;
  const PartitionSpec* spec = nullptr;
  std::vector<Field> partition_types = {};  //!< PartitionSpec::types()
};

//! The bytes of a manifest of data files. REQUIRES: the partition of each entry has a value for
//! each field of the spec. Code::invalid when one is none of the field's type.
Result<std::string> write_manifest(const ManifestContext& context,
                                   const std::vector<ManifestEntry>& entries);
//! How a list is to describe a manifest with these entries that a snapshot adds.
Result<ManifestFile> describe_manifest(const ManifestContext& context,
                                       const std::vector<ManifestEntry>& entries,
                                       SnapshotId snapshot_id, SequenceNumber sequence_number);
//! Entries with what they inherit from the manifest filled in. Manifests of format version 1 are
//! read too. Code::corrupt names the manifest and the entry.
Result<std::vector<ManifestEntry>> read_manifest(std::string_view bytes,
                                                 const ManifestFile& manifest,
                                                 const std::vector<Field>& partition_types);

struct ManifestListContext {
  SnapshotId snapshot_id = 0;
  std::optional<SnapshotId> parent_id = {};
  SequenceNumber sequence_number = 0;
};
std::string write_manifest_list(const ManifestListContext& context,
                                const std::vector<ManifestFile>& manifests);
//! Code::corrupt names the list by `location`.
Result<std::vector<ManifestFile>> read_manifest_list(std::string_view bytes,
                                                     std::string_view location);

}  // namespace reel::iceberg
