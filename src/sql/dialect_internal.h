#pragma once
//! Statements as other databases take them.

#include <string>
#include <string_view>

#include <duckdb/common/error_data.hpp>

#include "base/result.h"

namespace reel::sql {

//! `error` is what `data` says of these statements. If it is that they cannot be parsed, they are
//! added as they are written here, where that is known: types ARRAY<T>, FLOAT32 and FLOAT64; INDEX,
//! UNIQUE and FOREIGN KEY in CREATE TABLE; materialized views; PARTITION and CLUSTER.
Error with_our_words(Error error, const duckdb::ErrorData& data, std::string_view sql);

}  // namespace reel::sql
