#pragma once
//! The catalog's own tables in the file, and the DDL of user tables.

#include <cstdint>
#include <memory>
#include <string_view>

#include "store/schema.h"
#include "store/sqlite/connection_internal.h"
#include "store/sqlite/layout_internal.h"

namespace reel::store::sqlite {

//! What PRAGMA user_version says; docs/formats/store.md tells what each brought.
inline constexpr std::int64_t kFormatVersion = 3;
//! What PRAGMA application_id says: "Reel".
inline constexpr std::int64_t kApplicationId = 0x5265656c;

//! Creates the catalog's tables in an empty file, or checks that the file is ours and not newer
//! than this program.
Status prepare_file(Connection& writer, std::size_t page_bytes);

Result<std::int64_t> read_catalog_version(Connection& connection);
//! REQUIRES: a read transaction, so that version and tables belong together.
Result<std::shared_ptr<const Layouts>> load_layouts(Connection& connection);

//! Who changes a schema, when and why.
struct ChangeNote {
  Instant at;
  std::string_view by;
  std::string_view comment;
  std::string operations = {};  //!< JSON
};

//! As the ledger has it.
Result<std::int64_t> count_rows(Connection& connection, TableId table);

//! Writes the current version of a schema, whose table is not dropped, and raises the catalog's.
Status note_schema(Connection& writer, const TableSchema& schema, const ChangeNote& note);

//! Notes a namespace that must be new. REQUIRES: a write transaction.
Status note_namespace(Connection& writer, std::string_view name);
Status forget_namespace(Connection& writer, std::string_view name);

//! Creates a table, which must be new, in a namespace that is there. REQUIRES: a write transaction.
Status create_table(Connection& writer, const TableDefinition& definition, const ChangeNote& note);

//! Creates or extends one table (see Store::ensure_table) and notes the new schema version.
//! False when there was nothing to do. REQUIRES: a write transaction.
Result<bool> ensure_table(Connection& writer, const Layouts& current,
                          const TableDefinition& definition, const ChangeNote& note);

}  // namespace reel::store::sqlite
