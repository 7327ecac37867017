#pragma once
//! The result of a SQL statement as a file: an Arrow IPC stream, or Parquet.

#include <string>
#include <string_view>

#include "arrow/stream_reader.h"
#include "base/result.h"
#include "sql/session.h"

namespace reel::cli {

//! "arrow" and "parquet".
bool is_file_format(std::string_view format);

struct SqlExport {
  std::string text;    //!< statements; the result of the last one
  std::string format;  //!< is_file_format()
  std::string output;  //!< a path; empty: standard output, which must not be a terminal
};

Status export_from_session(sql::Session& session, const SqlExport& wanted);
Status export_from_server(const std::string& url, const SqlExport& wanted);

}  // namespace reel::cli
