#pragma once
//! What a table looks like, and how that changed over time.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/value.h"

namespace reel::store {

//! Permanent numbers. Never reused, not even after a drop.
using TableId = std::uint32_t;
using ColumnId = std::uint32_t;
using IndexId = std::uint32_t;

//! Every table starts with this column, filled by the store: when the row was first inserted.
//! The lake cuts its partitions by it.
inline constexpr ColumnId kInsertedAt = 1;
inline constexpr std::string_view kInsertedAtName = "inserted_at";

struct Column {
  ColumnId id = 0;
  std::string name;  //!< as users see it
  Type type;
  bool nullable = true;
  //! Given to a new row that does not name the column.
  Value default_value;
  //! What rows older than the column read; fixed when the column is added.
  Value initial_default;
  std::string doc;
  std::uint32_t since_version = 1;  //!< the schema version that added it
  //! What the program calls the column, whatever users call it; empty: it is a user's.
  std::string product_name = {};
  Instant dropped_at = {};  //!< of a tombstone
  bool purging = false;     //!< a tombstone some of whose cells may be gone
};

enum class IndexKind : std::uint8_t {
  sorted = 0,  //!< rows sorted by `columns` (then by the key); for equality and range filters
  search = 1,  //!< rows by the pieces of text in one string column; for Snapshot::search
};

struct Index {
  IndexId id = 0;
  std::string name;
  std::vector<ColumnId> columns;
  IndexKind kind = IndexKind::sorted;
};

//! The namespace (a schema, in SQL's words) that is always there.
inline constexpr std::string_view kMainNamespace = "main";

//! The parts of a table's name: "space.table", in kMainNamespace "table" alone.
struct TableName {
  std::string_view space;
  std::string_view table;
};
TableName split_table_name(std::string_view name);
std::string join_table_name(std::string_view space, std::string_view table);

//! One version of one table's schema.
struct TableSchema {
  TableId id = 0;
  std::string name;  //!< with its namespace, see TableName
  std::uint32_t version = 1;
  std::vector<Column> columns;  //!< live ones, in display order
  //! Dropped columns whose data is still there; ids, for purge and undrop.
  std::vector<Column> tombstones;
  //! Rows with equal partition key live together; a precondition concerns one partition only.
  std::vector<ColumnId> partition_key;
  //! Order of rows within the partition. Together they identify a row.
  std::vector<ColumnId> clustering_key;
  std::vector<Index> indexes;
  ColumnId next_column_id = kInsertedAt + 1;
  IndexId next_index_id = 1;
  //! A table of the product itself: it may not be dropped, and its own columns only renamed.
  bool product = false;

  //! By reference, as everywhere in Batch and ScanSpec: what the program calls the column, else
  //! "#12" for the id 12, else what users call it. The first two mean the same column for ever.
  const Column* find(std::string_view reference) const;
  //! By the name that users see; A and a are one letter.
  const Column* find_named(std::string_view column_name) const;
  const Column* find(ColumnId column_id) const;
  //! Position in `columns`; REQUIRES: the id is live.
  std::size_t position(ColumnId column_id) const;
  //! The same by name; REQUIRES: there is such a column.
  std::size_t position(std::string_view reference) const;
  //! A column whose cells are still there: positions behind the live ones are the tombstones'.
  const Column& stored(std::size_t position) const {
    return position < columns.size() ? columns[position] : tombstones[position - columns.size()];
  }
  std::size_t stored_count() const { return columns.size() + tombstones.size(); }
  //! Partition key then clustering key.
  std::vector<ColumnId> key() const;
  bool is_key(ColumnId column_id) const;
};

//! One version of a table in its history.
struct SchemaVersion {
  TableSchema schema;
  Instant at;
  std::string by;
  std::string comment;
  std::string operations;  //!< of the migration that led to it: a JSON array (migration_json.h)
};

//! Who changes a schema, and why; kept in its history.
struct Reason {
  std::string by = {};
  std::string comment = {};
};

//! A table that can be brought back.
struct DroppedTable {
  TableSchema schema;
  Instant dropped_at;
  bool purging = false;  //!< it cannot be brought back any more
};

//! All tables at one moment; immutable, shared by snapshots.
struct Catalog {
  std::uint64_t version = 0;
  std::map<std::string, std::shared_ptr<const TableSchema>, std::less<>> tables;
  std::set<std::string, std::less<>> namespaces = {std::string(kMainNamespace)};

  //! Code::not_found names the table, and the nearest one.
  Result<std::shared_ptr<const TableSchema>> table(std::string_view name) const;
  //! Code::not_found names the namespace, and the nearest one.
  Status check_namespace(std::string_view name) const;
  //! Whether a table may have the name: code::conflict when there is one, not_found when its
  //! namespace is missing.
  Status check_new_table(std::string_view name) const;
};

//! What a caller gives to create a table; ids are assigned by the store.
struct TableDefinition {
  struct ColumnDefinition {
    std::string name = {};
    Type type = {};
    bool nullable = true;
    Value default_value = {};
    std::string doc = {};
    //! An existing table's column of this name is renamed; empty: it always had its name.
    std::string former_name = {};
  };
  std::string name = {};
  std::vector<ColumnDefinition> columns = {};
  std::vector<std::string> partition_key = {};
  std::vector<std::string> clustering_key = {};
  struct IndexDefinition {
    std::string name = {};
    std::vector<std::string> columns = {};
    IndexKind kind = IndexKind::sorted;
  };
  std::vector<IndexDefinition> indexes = {};
  bool product = false;
  //! Rows are often larger than a kilobyte: a hint for the engine when it makes the table, which
  //! has no indexes then.
  bool large_rows = false;
};

//! Builds version 1 from a definition: names are valid and unique, keys exist, are not nullable,
//! not nested and not floats. Children of nested types get their permanent ids. Code::invalid
//! lists every reason.
Result<TableSchema> make_schema(TableId id, const TableDefinition& definition);

//! The next version of a schema, with the columns and indexes that the definition has and it
//! lacks (found by name, or by its former one); nullopt when it lacks nothing. Columns that only
//! the schema has stay. Code::invalid lists every reason: another key, another type, a new column
//! that is neither nullable nor has a default.
Result<std::optional<TableSchema>> extend_schema(const TableSchema& stored,
                                                 const TableDefinition& definition);

//! Names of indexes, struct members and the parts of tables' names: [a-z_][a-z0-9_]*, at most 128
//! bytes.
Status check_name(std::string_view name);
//! The same, but for those that SQL has for schemas and databases of its own.
Status check_namespace_name(std::string_view name);
//! Either part, see TableName.
Status check_table_name(std::string_view name);
//! Names of columns: well-formed UTF-8 of 1 to 128 bytes without control characters, no '#' first.
Status check_column_name(std::string_view name);
//! Whether two column names cannot stand in one table: A and a are one letter.
bool same_name(std::string_view a, std::string_view b);
//! "#12": see TableSchema::find().
std::string column_reference(ColumnId id);
//! The id in such a reference; nullopt when it is something else.
std::optional<ColumnId> column_id_in(std::string_view reference);

}  // namespace reel::store
