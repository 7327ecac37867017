#pragma once
//! Failures cross DuckDB as its exceptions: ours in, DuckDB's and ours out.

#include <string>

#include <duckdb/common/error_data.hpp>

#include "base/result.h"

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

}  // namespace reel::sql
