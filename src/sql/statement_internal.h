#pragma once
//! What one parsed statement does.

#include <duckdb/parser/parser_options.hpp>
#include <duckdb/parser/sql_statement.hpp>

#include "sql/statement.h"

namespace reel::sql {

//! See needed_access().
Result<Access> access_of(const duckdb::SQLStatement& statement);

//! Code::unsupported when the text has an ALTER TABLE that DuckDB would execute in several steps:
//! ADD COLUMN with a default that is another one for each row. The first step begins a transaction,
//! in which tables are not changed here.
Status check_alters(const std::string& sql, const duckdb::ParserOptions& options);

}  // namespace reel::sql
