#pragma once
//! Results of SQL statements on standard output.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "sql/session.h"

namespace reel::cli {

//! How much of a result a table shows, for people; zero means all.
struct TableLimits {
  std::size_t rows_max = 0;
  std::size_t cell_width_max = 0;
};

//! Prints the results of statements, one after the other. Rows are as the API has them.
class SqlPrinter {
 public:
  struct Column {
    std::string name;
    std::string type;
  };
  virtual ~SqlPrinter() = default;
  virtual void begin(sql::ResultKind kind, std::vector<Column> columns) = 0;
  virtual void row(json::Array cells) = 0;
  virtual void end() = 0;

  //! "table", "csv", "json" (one array of objects per statement) or "markdown".
  //! A table is printed at the end of its statement. Code::invalid otherwise.
  static Result<std::unique_ptr<SqlPrinter>> make(std::string_view format, TableLimits limits = {});
};

}  // namespace reel::cli
