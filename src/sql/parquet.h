#pragma once
//! Results as Parquet files.

#include <string>

#include "arrow/stream_reader.h"
#include "base/result.h"

namespace reel::sql {

//! Writes the rows of an Arrow IPC stream to a new file, or over an old one.
Status write_parquet(arrow::ReadBytes read, const std::string& path);

}  // namespace reel::sql
