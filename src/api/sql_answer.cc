#include "api/sql_answer.h"

#include "api/parameters.h"
#include "api/problem.h"
#include "arrow/stream_writer.h"
#include "json/writer.h"
#include "sql/arrow_stream.h"
#include "sql/present.h"
#include "store/document.h"

namespace reel::api {
namespace {

//! A piece ends with the row that makes it so long.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
constexpr std::string_view kLines = "application/x-ndjson";
constexpr std::string_view kCsv = "text/csv";

std::string problem_text(const Error& error) {
  std::string text;
  json::Writer out(text);
  write_problem(out, error, system_clock().now());
  return text;
}

//! Row after row, as its JSON (store/document.h).
class RowAnswer : public SqlAnswer {
 public:
  explicit RowAnswer(SqlResult result) : result_(std::move(result)) {}

  Result<bool> fill(std::string& out) final {
    sql::Cursor& cursor = *result_.cursor;
    if (!std::exchange(opened_, true)) open(out, cursor.columns());
    const std::size_t end = out.size() + kPieceBytes;
    do {
      REEL_ASSIGN(const bool more, cursor.next(row_));
      if (!more) {
        close(out, rows_);
        return false;
      }
      if (rows_ == result_.rows_max) {
        return too_large("the answer has more than {} rows", result_.rows_max);
      }
      add(out, cells_of_row(), rows_ == 0);
      ++rows_;
    } while (out.size() < end && cursor.ready());
    return true;
  }

 protected:
  const std::vector<sql::ResultColumn>& columns() const { return result_.cursor->columns(); }

 private:
  virtual void open(std::string& out, const std::vector<sql::ResultColumn>& columns) = 0;
  virtual void add(std::string& out, json::Array cells, bool first) = 0;
  virtual void close(std::string&, std::size_t /*rows*/) {}

  json::Array cells_of_row() const {
    json::Array shown;
    for (std::size_t i = 0; i < row_.size(); ++i) {
      shown.push_back(store::value_to_json(columns()[i].shown, row_[i]));
    }
    return shown;
  }

  const SqlResult result_;
  bool opened_ = false;
  std::size_t rows_ = 0;
  store::Row row_;
};

//! {"columns": [{"name", "type"}], "rows": [[…]], "row_count"}, or "error" instead of the last.
class JsonAnswer final : public RowAnswer {
 public:
  using RowAnswer::RowAnswer;
  std::string_view content_type() const override { return "application/json"; }
  Status append_error(std::string& out, const Error& error) override {
    out += R"(],"error":)" + problem_text(error) + '}';
    return {};
  }

 private:
  void open(std::string& out, const std::vector<sql::ResultColumn>& columns) override {
    json::Array shown;
    for (const sql::ResultColumn& column : columns) {
      shown.emplace_back(json::Object{{"name", column.name}, {"type", column.type}});
    }
    out += R"({"columns":)" + json::to_text(shown) + R"(,"rows":[)";
  }
  void add(std::string& out, json::Array cells, bool first) override {
    if (!first) out += ',';
    out += json::to_text(cells);
  }
  void close(std::string& out, std::size_t rows) override {
    out += fmt::format(R"(],"row_count":{}}})", rows);
  }
};

//! One object a line; an error is the last line.
class LinesAnswer final : public RowAnswer {
 public:
  using RowAnswer::RowAnswer;
  std::string_view content_type() const override { return kLines; }
  Status append_error(std::string& out, const Error& error) override {
    out += R"({"error":)" + problem_text(error) + "}\n";
    return {};
  }

 private:
  void open(std::string&, const std::vector<sql::ResultColumn>&) override {}
  void add(std::string& out, json::Array cells, bool) override {
    json::Object object;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      object.push_back({columns()[i].name, std::move(cells[i])});
    }
    out += json::to_text(object) + '\n';
  }
};

class CsvAnswer final : public RowAnswer {
 public:
  using RowAnswer::RowAnswer;
  std::string_view content_type() const override { return "text/csv; charset=utf-8"; }
  Status append_error(std::string&, const Error& error) override { return Failure(error.clone()); }

 private:
  void open(std::string& out, const std::vector<sql::ResultColumn>& columns) override {
    json::Array names;
    for (const sql::ResultColumn& column : columns) names.emplace_back(column.name);
    sql::append_csv(out, names);
  }
  void add(std::string& out, json::Array cells, bool) override { sql::append_csv(out, cells); }
};

//! Without its end, a reader of the stream knows that it is not all.
class ArrowAnswer final : public SqlAnswer {
 public:
  ArrowAnswer(SqlResult result, std::unique_ptr<sql::ArrowStream> stream)
      : result_(std::move(result)), stream_(std::move(stream)) {}

  std::string_view content_type() const override { return arrow::kStreamType; }
  Result<bool> fill(std::string& out) override { return stream_->next(out, result_.rows_max); }
  Status append_error(std::string&, const Error& error) override { return Failure(error.clone()); }

 private:
  const SqlResult result_;
  const std::unique_ptr<sql::ArrowStream> stream_;  //!< of its cursor
};

}  // namespace

Result<bool> SqlAnswer::read(std::string& out) {
  if (!begun_.empty()) {
    out = std::exchange(begun_, {});
    return true;
  }
  Result<bool> more = fill(out);
  if (more) return more;
  REEL_TRY(append_error(out, more.error()));
  return false;
}

std::shared_ptr<SqlAnswer> make_sql_answer(const Request& request, SqlResult result) {
  if (accepts(request, arrow::kStreamType)) {
    auto stream = sql::ArrowStream::of(*result.cursor);
    return std::make_shared<ArrowAnswer>(std::move(result), std::move(stream));
  }
  if (accepts(request, kCsv)) return std::make_shared<CsvAnswer>(std::move(result));
  if (accepts(request, kLines)) return std::make_shared<LinesAnswer>(std::move(result));
  return std::make_shared<JsonAnswer>(std::move(result));
}

std::vector<std::string> sql_answer_types() {
  return {std::string(kLines), std::string(kCsv), std::string(arrow::kStreamType)};
}

}  // namespace reel::api
