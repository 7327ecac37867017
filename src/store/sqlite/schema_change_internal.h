#pragma once
//! Changes of tables that users ask for. All run in a write transaction on the committer's thread.

#include <string_view>
#include <vector>

#include "store/sqlite/catalog_internal.h"
#include "store/store.h"

namespace reel::store::sqlite {

struct MigrationTerms {
  ChangeNote note;
  std::int64_t convert_rows_max;
};

//! Returns the names that the tables have then.
Result<std::vector<std::string>> migrate_tables(Connection& writer, const Layouts& current,
                                                const std::vector<Migration>& migrations,
                                                const MigrationTerms& terms);
Status drop_table(Connection& writer, const Layouts& current, std::string_view name,
                  ChangeNote note);
//! Returns the name.
Result<std::string> undrop_table(Connection& writer, const Layouts& current, TableId id,
                                 std::string_view name, ChangeNote note);
Status drop_namespace(Connection& writer, const Layouts& current, std::string_view name,
                      bool with_tables, const ChangeNote& note);

//! What is dropped, the oldest first.
Result<std::vector<DroppedTable>> read_dropped_tables(Connection& connection);
//! Code::not_found when there never was such a table.
Result<std::vector<SchemaVersion>> read_history(Connection& connection, TableId table);

}  // namespace reel::store::sqlite
