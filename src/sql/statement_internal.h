#pragma once
//! What one parsed statement does.

#include <duckdb/parser/sql_statement.hpp>

#include "sql/statement.h"

namespace reel::sql {

using Statements = duckdb::vector<duckdb::unique_ptr<duckdb::SQLStatement>>;

//! DuckDB makes five statements of ADD COLUMN with an expression as its default. To the store it is
//! one change: they become one statement again.
Statements with_defaults_joined(Statements statements);

//! See needed_access().
Result<Access> access_of(const duckdb::SQLStatement& statement);

}  // namespace reel::sql
