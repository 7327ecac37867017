#pragma once
//! Who executes SQL: the program itself on a data directory, or a server.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "arrow/stream_reader.h"
#include "cli/sql_printer.h"
#include "server/config.h"

namespace reel::cli {

//! One thread at a time, but for cancel() and progress().
class SqlClient {
 public:
  virtual ~SqlClient() = default;

  //! Executes statements, one after the other until one fails, and prints their results. Of several
  //! the error names the line. A server reads all of them before it executes the first, and answers
  //! with the result of the last one only. Nothing is ever tried again: nobody would know whether
  //! it had been carried out. Errors: as of Session::execute(), and those of the network.
  virtual Status execute(const std::string& text, SqlPrinter& printer) = 0;

  //! As execute(), but hands the result of the last statement to `take`, as an Arrow IPC stream. Of
  //! a server, the whole result is here by then.
  using Take = std::function<Status(const arrow::ReadBytes& read)>;
  virtual Status fetch(const std::string& text, const Take& take) = 0;

  //! Ends what is being executed with Code::cancelled.
  virtual void cancel() = 0;

  //! How far what is being executed is, 0 to 1, when that is known.
  virtual std::optional<double> progress() const = 0;

  //! Whether what BEGIN begins lasts until COMMIT; otherwise it ends with its execute().
  virtual bool keeps_transactions() const = 0;
  virtual bool in_transaction() const = 0;
};

//! REQUIRES: no server has the data directory open; an error says so.
Result<std::unique_ptr<SqlClient>> open_data_directory(const server::Config& config);

Result<std::unique_ptr<SqlClient>> connect_to_server(std::string url);

}  // namespace reel::cli
