#pragma once
//! Table functions about what was: `CALL undrop_table('t')`, `FROM table_history('t')`.

#include <string_view>

#include <duckdb/main/database.hpp>

namespace reel::sql {

void register_undo_functions(duckdb::DatabaseInstance& instance);

//! Whether CALL of this function changes tables. Elsewhere than in CALL it refuses to.
bool changes_tables(std::string_view function);

}  // namespace reel::sql
