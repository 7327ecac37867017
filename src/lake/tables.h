#pragma once
//! The tables of the lake's catalog, and their rows as records and back.

#include <functional>
#include <vector>

#include "lake/records.h"

namespace reel::lake {

namespace table {
inline constexpr std::string_view kViewSets = "lake_view_sets";
inline constexpr std::string_view kViewSchemas = "lake_view_schemas";
inline constexpr std::string_view kInstances = "lake_instances";
inline constexpr std::string_view kPartitions = "lake_partitions";
inline constexpr std::string_view kRetirements = "lake_retirements";
inline constexpr std::string_view kLeases = "lake_leases";
}  // namespace table

std::vector<store::TableDefinition> catalog_tables();

store::Cells cells_of(const ViewSet& view_set);
store::Cells cells_of(const RegisteredSchema& schema);
//! The statistics need the schema that the file was written with.
store::Cells cells_of(const Partition& partition, const store::TableSchema& schema);
store::Cells cells_of(const Retirement& retirement);
store::Cells cells_of(const Lease& lease);

//! A row of the table as a record. Code::corrupt says what is wrong.
ViewSet read_view_set(const store::RowView& row);
Result<RegisteredSchema> read_schema(const store::RowView& row);
//! Without the statistics of the file, for which read_statistics() is.
Result<Partition> read_partition(const store::RowView& row);
Result<std::map<store::ColumnId, ColumnStatistics>> read_statistics(
    const store::RowView& row, const store::TableSchema& schema);
Result<Retirement> read_retirement(const store::RowView& row);
Lease read_lease(const store::RowView& row);

}  // namespace reel::lake
