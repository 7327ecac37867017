#pragma once
//! The result of a statement as the body of an answer, sent while the statement runs.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/message.h"
#include "sql/session.h"

namespace reel::api {

//! A result in one of its forms. It has the session and the statement to itself, and ends both when
//! it is dropped.
class SqlAnswer : public BodyStream {
 public:
  //! Appends what is ready, at least one row; false when that was all.
  virtual Result<bool> fill(std::string& out) = 0;
  //! Says at the end of what was filled in that it is not all, or returns the error when the form
  //! has no words for it.
  virtual Status append_error(std::string& out, const Error& error) = 0;
  virtual std::string_view content_type() const = 0;

  //! What was filled in already, to be read first.
  void put_back(std::string piece) { begun_ = std::move(piece); }

  Result<bool> read(std::string& out) override;
  void when_ready(std::function<void()> wake) override { wake(); }
  bool endless() const override { return false; }

 private:
  std::string begun_;
};

struct SqlResult {
  std::unique_ptr<sql::Session> session;
  std::unique_ptr<sql::Cursor> cursor;  //!< of the session, and goes before it
  std::size_t rows_max;                 //!< more is Code::too_large
};

//! In the form that the request accepts; JSON when it names no other.
std::shared_ptr<SqlAnswer> make_sql_answer(const Request& request, SqlResult result);

//! Beside JSON.
std::vector<std::string> sql_answer_types();

}  // namespace reel::api
