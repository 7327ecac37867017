#pragma once
//! How a table changes: operations on its columns, which together become one new schema version.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "store/schema.h"

namespace reel::store {

//! Columns are named as users see them, TableSchema::find_named(). Rows that are there already read
//! the new column's default.
struct AddColumn {
  TableDefinition::ColumnDefinition column;
};
//! Renames next to each other happen at once: they name columns as they were called before the
//! first of them, so that names can be swapped and passed on.
struct RenameColumn {
  std::string column;
  std::string name;
};
//! Out of reach at once; the cells stay until they are purged.
struct DropColumn {
  std::string column;
};
//! Brings back a dropped column with its cells. Rows that were written meanwhile have its initial
//! default.
struct UndropColumn {
  ColumnId id = 0;
  std::string name = {};  //!< empty: the one it had
};
//! To a wider type that stores every value as the old one does: see is_widening().
struct AlterType {
  std::string column;
  Type type;
};
//! To any other type, value by value, see convert_value() in document.h. The rows are rewritten
//! while writers wait. The column is a new one at the old one's place, and the old one is dropped,
//! so that its values can be brought back.
struct ConvertType {
  std::string column;
  Type type;
  bool or_null = false;  //!< values that cannot be converted become null, else they are refused
};
//! For new rows; null takes the default away.
struct SetDefault {
  std::string column;
  Value value;
};
//! Not nullable only when no row has a null, which is looked up in all of them.
struct SetNullable {
  std::string column;
  bool nullable = true;
};
struct SetDoc {
  std::string column;
  std::string doc;
};
//! These columns come first, in this order; the others follow as they stood.
struct Reorder {
  std::vector<std::string> columns;
};
struct RenameTable {
  std::string name;
};

using Operation = std::variant<AddColumn, RenameColumn, DropColumn, UndropColumn, AlterType,
                               ConvertType, SetDefault, SetNullable, SetDoc, Reorder, RenameTable>;

//! Applied as a whole or not at all.
struct Migration {
  std::string table;
  std::vector<Operation> operations;
  //! Code::conflict when the table has another version.
  std::optional<std::uint32_t> expected_version = {};
  //! Columns are converted however many rows there are, and other writers wait for as long.
  bool wait = false;
};

//! Cells to be filled from another column's.
struct Conversion {
  ColumnId from = 0;
  ColumnId to = 0;
  bool or_null = false;
};

//! What a migration leads to.
struct MigrationPlan {
  TableSchema schema;                        //!< the next version
  std::vector<Conversion> conversions = {};  //!< in every row, before the next
  //! Columns in which every row must be found to have a value.
  std::vector<ColumnId> columns_to_check = {};
};

//! One operation after the other on the schema. Code::invalid lists every reason against it:
//! unknown columns (with the nearest name), names that are taken or bad, columns of the key, of an
//! index or of the product, types and defaults that do not fit.
Result<MigrationPlan> plan_migration(const TableSchema& current,
                                     const std::vector<Operation>& operations, Instant now);

//! Code::invalid when the plan would rewrite more than so many rows, which other writers wait for.
Status check_conversions(const MigrationPlan& plan, std::int64_t rows, std::int64_t rows_max);

//! Whether each value of one type is stored in the other as the same bytes: integers of the same
//! sign class to wider ones (not to uint64), decimals of the same scale to more digits, float32 to
//! float64, and lists, maps and structs of such.
bool is_widening(const Type& from, const Type& to);

//! What brings the current schema back to an earlier one of the same table.
struct Rollback {
  std::vector<Operation> operations;
  std::vector<std::string> impossible;  //!< what cannot be brought back, in words
};
Rollback plan_rollback(const TableSchema& current, const TableSchema& target);

}  // namespace reel::store
