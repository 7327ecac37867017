#pragma once
//! Failures cross DuckDB as its exceptions: ours in, DuckDB's and ours out.

#include <string>

#include <duckdb/common/error_data.hpp>

#include "base/result.h"
#include "store/schema.h"

namespace reel::sql {

//! Leaves a callback of DuckDB; to_error() gives the same code and message back.
[[noreturn]] void raise(const Error& error);

//! The value, or raise().
template <class T>
T value_or_raise(Result<T> result) {
  if (!result) raise(result.error());
  return *std::move(result);
}
inline void ok_or_raise(const Status& status) {
  if (!status) raise(status.error());
}

//! For callbacks that return their failure.
duckdb::ErrorData to_error_data(const Error& error);

//! What a statement failed with. DuckDB's own messages name the place in the statement.
Error to_error(const duckdb::ErrorData& data);

//! Where DuckDB says that there is no such schema, the nearest one is added, as it does for tables.
Error with_nearest_schema(Error error, const store::Catalog& catalog);

}  // namespace reel::sql
