#pragma once
//! The metadata file of a table: schemas, specs, snapshots, references (format version 2).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "iceberg/manifest.h"

namespace reel::iceberg {

using Properties = std::map<std::string, std::string>;

struct Snapshot {
  SnapshotId id = 0;
  std::optional<SnapshotId> parent_id = {};
  SequenceNumber sequence_number = 0;
  std::int64_t timestamp_ms = 0;
  std::string manifest_list;
  Properties summary;  //!< `operation` included
  std::optional<SchemaId> schema_id = {};
};

//! A branch or a tag. Ages and counts override the table's when snapshots expire.
struct Reference {
  SnapshotId snapshot_id = 0;
  bool is_branch = true;
  std::optional<std::int64_t> snapshots_min = {};
  std::optional<std::int64_t> snapshot_age_ms_max = {};
  std::optional<std::int64_t> reference_age_ms_max = {};
};

inline constexpr std::string_view kMainBranch = "main";

struct TableMetadata {
  std::string uuid;
  std::string location;
  SequenceNumber last_sequence_number = 0;
  std::int64_t last_updated_ms = 0;
  FieldId last_column_id = 0;
  std::vector<Schema> schemas;
  SchemaId current_schema_id = 0;
  std::vector<PartitionSpec> specs;
  SpecId default_spec_id = 0;
  FieldId last_partition_id = kFirstPartitionFieldId - 1;
  //! As they are in the file: we write tables without a sort order and keep those of others.
  json::Array sort_orders;
  std::int64_t default_sort_order_id = 0;
  Properties properties;
  std::vector<Snapshot> snapshots;
  std::map<std::string, Reference> references;
  struct LogEntry {
    std::int64_t timestamp_ms = 0;
    SnapshotId snapshot_id = 0;
  };
  std::vector<LogEntry> snapshot_log;  //!< which snapshot was current from when on
  struct MetadataLogEntry {
    std::int64_t timestamp_ms = 0;
    std::string location;
  };
  std::vector<MetadataLogEntry> metadata_log;  //!< earlier metadata files
  //! Members that we do not know, like statistics: kept as they are.
  json::Object others;

  const Schema& schema() const;
  const PartitionSpec& spec() const;
  //! nullptr when there is none.
  const Schema* find_schema(SchemaId id) const;
  const PartitionSpec* find_spec(SpecId id) const;
  const Snapshot* find_snapshot(SnapshotId id) const;
  //! The head of the main branch; nullptr before the first commit of data.
  const Snapshot* current_snapshot() const;
  //! The snapshot that was current then; nullptr before the first one.
  const Snapshot* snapshot_at(std::int64_t timestamp_ms) const;
  //! The snapshot and those before it, newest first, as far as they are still there.
  std::vector<const Snapshot*> ancestry(SnapshotId id) const;
  Result<std::vector<Field>> partition_types(const PartitionSpec& spec) const {
    return spec.types(schemas, current_schema_id);
  }

  std::string to_text() const;
  //! Code::corrupt names the place (a JSON pointer); Code::unsupported another format version.
  static Result<TableMetadata> parse(std::string_view text);
};

struct NewTable {
  std::string location;
  Schema schema;
  std::vector<PartitionField> partition = {};  //!< ids are assigned
  Properties properties = {};
};

//! The metadata of a table without data. Code::invalid when a partition field is of a column that
//! is not there, or its transform not for it.
Result<TableMetadata> make_metadata(const NewTable& table, Instant now,
                                    Random& random = system_random());

}  // namespace reel::iceberg
