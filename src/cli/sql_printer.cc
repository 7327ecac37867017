#include "cli/sql_printer.h"

#include <cstdio>

#include "cli/table.h"
#include "sql/present.h"

namespace reel::cli {
namespace {

using sql::ResultKind;

bool is_number(std::string_view type) {
  return type.find("INT") != std::string_view::npos || type == "DOUBLE" || type == "FLOAT" ||
         type.substr(0, 7) == "DECIMAL";
}

//! Aligned columns; the rows of one result are kept until its end. EXPLAIN's drawing is printed as
//! it is.
class TablePrinter final : public SqlPrinter {
 public:
  explicit TablePrinter(TableLimits limits) : limits_(limits) {}

  void begin(ResultKind kind, std::vector<Column> columns) override {
    kind_ = kind;
    rows_ = 0;
    is_drawing_ = columns.size() == 2 && columns[1].name == "explain_value";
    drawing_.clear();
    std::vector<Table::Column> shown;
    for (Column& column : columns) {
      shown.push_back({.name = std::move(column.name),
                       .right = is_number(column.type),
                       .width_max = limits_.cell_width_max});
    }
    table_ = std::make_unique<Table>(std::move(shown));
  }

  void row(json::Array cells) override {
    ++rows_;
    if (is_drawing_) drawing_ += sql::cell_text(cells[1]) + "\n";
    if (is_drawing_ || (limits_.rows_max > 0 && rows_ > limits_.rows_max)) return;
    if (kind_ == ResultKind::changed) changed_ = sql::cell_text(cells.front());
    std::vector<std::string> texts;
    for (const json::Value& cell : cells) {
      texts.push_back(cell.is_null() ? "NULL" : sql::cell_text(cell));
    }
    table_->add(std::move(texts));
  }

  void end() override {
    if (kind_ == ResultKind::changed) {
      fmt::print("{} {} changed\n", changed_, changed_ == "1" ? "row" : "rows");
    } else if (is_drawing_) {
      fmt::print("{}", drawing_);
    } else if (kind_ == ResultKind::rows) {
      const bool all = limits_.rows_max == 0 || rows_ <= limits_.rows_max;
      fmt::print("{}({} {}{})\n", table_->to_text(), rows_, rows_ == 1 ? "row" : "rows",
                 all ? "" : fmt::format(", the first {} shown", limits_.rows_max));
    }
  }

 private:
  const TableLimits limits_;
  ResultKind kind_ = ResultKind::nothing;
  std::unique_ptr<Table> table_;
  bool is_drawing_ = false;
  std::string drawing_;
  std::size_t rows_ = 0;
  std::string changed_;
};

class CsvPrinter final : public SqlPrinter {
 public:
  void begin(ResultKind kind, std::vector<Column> columns) override {
    if (kind == ResultKind::nothing) return;
    json::Array names;
    for (Column& column : columns) names.emplace_back(std::move(column.name));
    row(std::move(names));
  }

  void row(json::Array cells) override {
    std::string line;
    sql::append_csv(line, cells);
    fmt::print("{}", line);
  }

  void end() override {}
};

class JsonPrinter final : public SqlPrinter {
 public:
  void begin(ResultKind, std::vector<Column> columns) override {
    columns_ = std::move(columns);
    first_ = true;
    fmt::print("[");
  }

  void row(json::Array cells) override {
    json::Object object;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      object.push_back({columns_[i].name, std::move(cells[i])});
    }
    fmt::print("{}{}", std::exchange(first_, false) ? "\n" : ",\n", json::to_text(object));
  }

  void end() override { fmt::print("{}]\n", first_ ? "" : "\n"); }

 private:
  bool first_ = true;
  std::vector<Column> columns_;
};

class MarkdownPrinter final : public SqlPrinter {
 public:
  void begin(ResultKind kind, std::vector<Column> columns) override {
    if (kind == ResultKind::nothing) return;
    std::string names = "|";
    std::string rule = "|";
    for (const Column& column : columns) {
      names += " " + escaped(column.name) + " |";
      rule += is_number(column.type) ? "---:|" : "---|";
    }
    fmt::print("{}\n{}\n", names, rule);
  }

  void row(json::Array cells) override {
    std::string line = "|";
    for (const json::Value& cell : cells) {
      line += " " + (cell.is_null() ? "" : escaped(sql::cell_text(cell))) + " |";
    }
    fmt::print("{}\n", line);
  }

  void end() override {}

 private:
  static std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '|') out += '\\';
      out += c == '\n' || c == '\r' ? ' ' : c;
    }
    return out;
  }
};

}  // namespace

Result<std::unique_ptr<SqlPrinter>> SqlPrinter::make(std::string_view format, TableLimits limits) {
  if (format == "table") return std::make_unique<TablePrinter>(limits);
  if (format == "csv") return std::make_unique<CsvPrinter>();
  if (format == "json") return std::make_unique<JsonPrinter>();
  if (format == "markdown") return std::make_unique<MarkdownPrinter>();
  return invalid(
      "the formats are table, csv, json and markdown, and of files arrow and parquet, not '{}'",
      format);
}

}  // namespace reel::cli
