#pragma once
//! What one parsed statement does.

#include <duckdb/parser/sql_statement.hpp>

#include "sql/statement.h"

namespace reel::sql {

//! See needed_access().
Result<Access> access_of(const duckdb::SQLStatement& statement);

}  // namespace reel::sql
