#include <algorithm>

#include "lake/catalog.h"
#include "lake/tables.h"

namespace reel::lake {
namespace {

using store::RowView;
using store::Snapshot;

//! Everything of a partition but what takes long to read.
const std::vector<std::string> kPartitionColumns = {
    "id",        "view_set_id", "instance",    "begin_insert_time", "end_insert_time",
    "state",     "schema_id",   "source",      "num_rows",          "created",
    "file_path", "file_size",   "file_sha256", "retirement_id"};

template <class Record>
Result<std::vector<Record>> read_all(Snapshot& snapshot, const store::ScanSpec& spec,
                                     Result<Record> (*read)(const RowView&)) {
  std::vector<Record> records;
  Status status;
  REEL_TRY(snapshot.scan(spec, [&](const RowView& row) {
    auto record = read(row);
    if (!record) {
      status = Failure(std::move(record).error().while_doing("reading the lake's catalog"));
      return false;
    }
    records.push_back(*std::move(record));
    return true;
  }));
  REEL_TRY(std::move(status));
  return records;
}

//! Rows of an index whose leading columns are these.
store::ScanSpec rows_with(std::string_view table, std::string index, const store::Key& values) {
  return {.table = std::string(table),
          .index = std::move(index),
          .lower = store::RangeBound{.prefix = values},
          .upper = store::RangeBound{.prefix = values}};
}

}  // namespace

Result<std::vector<ViewSet>> view_sets(Snapshot& snapshot) {
  return read_all<ViewSet>(
      snapshot, {.table = std::string(table::kViewSets)},
      [](const RowView& row) -> Result<ViewSet> { return read_view_set(row); });
}

Result<ViewSet> view_set(Snapshot& snapshot, ViewSetId id) {
  REEL_ASSIGN(const auto all, view_sets(snapshot));
  const auto found = std::ranges::find(all, id, &ViewSet::id);
  if (found == all.end()) return not_found("the lake has no view set {}", id);
  return *found;
}

Result<std::vector<RegisteredSchema>> view_schemas(Snapshot& snapshot, ViewSetId id) {
  return read_all<RegisteredSchema>(
      snapshot, {.table = std::string(table::kViewSchemas), .partition = {id}}, read_schema);
}

Result<std::vector<std::string>> instances(Snapshot& snapshot, ViewSetId id) {
  return read_all<std::string>(snapshot,
                               {.table = std::string(table::kInstances), .partition = {id}},
                               [](const RowView& row) -> Result<std::string> {
                                 return row[row.schema.position("instance")].get<std::string>();
                               });
}

Result<std::vector<Partition>> partitions(Snapshot& snapshot, ViewSetId id,
                                          std::string_view instance, PartitionState state) {
  auto spec = rows_with(table::kPartitions, "by_place",
                        {id, std::string(instance), std::string(state_name(state))});
  spec.columns = kPartitionColumns;
  return read_all<Partition>(snapshot, spec, read_partition);
}

Result<Partition> partition(Snapshot& snapshot, PartitionId id) {
  const store::ScanSpec spec{.table = std::string(table::kPartitions),
                             .partition = {id.uuid},
                             .columns = kPartitionColumns};
  REEL_ASSIGN(auto found, read_all<Partition>(snapshot, spec, read_partition));
  if (found.empty()) return not_found("the lake has no partition {}", id.to_string());
  return std::move(found.front());
}

Result<std::map<store::ColumnId, ColumnStatistics>> statistics(Snapshot& snapshot, PartitionId id) {
  REEL_ASSIGN(const Partition of, partition(snapshot, id));
  REEL_ASSIGN(const auto schemas, view_schemas(snapshot, of.view_set));
  const auto written = std::ranges::find(schemas, of.schema, &RegisteredSchema::id);
  if (written == schemas.end()) {
    return fail(Code::corrupt, "partition {} has schema {}, which is not registered",
                id.to_string(), of.schema);
  }
  Result<std::map<store::ColumnId, ColumnStatistics>> columns;
  const store::ScanSpec spec{.table = std::string(table::kPartitions), .partition = {id.uuid}};
  REEL_TRY(snapshot.scan(spec, [&](const RowView& row) {
    columns = read_statistics(row, written->view.table);
    return false;
  }));
  return columns;
}

Result<std::vector<Partition>> partitions_of(Snapshot& snapshot, RetirementId id) {
  auto spec = rows_with(table::kPartitions, "by_retirement", {id.uuid});
  spec.columns = kPartitionColumns;
  return read_all<Partition>(snapshot, spec, read_partition);
}

Result<Retirement> retirement(Snapshot& snapshot, RetirementId id) {
  const store::ScanSpec spec{.table = std::string(table::kRetirements), .partition = {id.uuid}};
  REEL_ASSIGN(auto found, read_all<Retirement>(snapshot, spec, read_retirement));
  if (found.empty()) return not_found("the lake has no retirement {}", id.to_string());
  return std::move(found.front());
}

Result<std::vector<Retirement>> retirements(Snapshot& snapshot) {
  REEL_ASSIGN(auto all, read_all<Retirement>(snapshot, {.table = std::string(table::kRetirements)},
                                             read_retirement));
  std::ranges::sort(all, std::ranges::greater(), &Retirement::at);
  return all;
}

Result<std::vector<Lease>> leases(Snapshot& snapshot) {
  return read_all<Lease>(snapshot, {.table = std::string(table::kLeases)},
                         [](const RowView& row) -> Result<Lease> { return read_lease(row); });
}

bool source_exists(const Snapshot& snapshot, ViewSetId id) {
  return std::ranges::any_of(snapshot.catalog().tables,
                             [&](const auto& table) { return ViewSetId{table.second->id} == id; });
}

}  // namespace reel::lake
