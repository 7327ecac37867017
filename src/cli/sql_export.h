#pragma once
//! The result of a SQL statement as a file: an Arrow IPC stream, or Parquet.

#include <string>
#include <string_view>

#include "cli/sql_client.h"

namespace reel::cli {

//! "arrow" and "parquet".
bool is_file_format(std::string_view format);

struct SqlExport {
  std::string format;  //!< is_file_format()
  std::string output;  //!< a path; empty: standard output, which must not be a terminal
};

//! Writes the result of the last of the statements. Leaves no part of one behind.
Status export_result(SqlClient& client, const std::string& text, const SqlExport& wanted);

}  // namespace reel::cli
