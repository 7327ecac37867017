#pragma once
//! Columns of text.

#include <string>
#include <vector>

namespace reel::cli {

//! How wide `text` (UTF-8) is on a terminal: code points, combining marks not counted.
std::size_t display_width(std::string_view text);

//! `text` cut to `width` columns, "…" at the end if something is missing.
std::string cut_to_width(std::string_view text, std::size_t width);

//! A header and rows, aligned by the widest cell of each column. Control characters are shown as
//! spaces: labels come from anyone and must not write to the terminal.
class Table {
 public:
  struct Column {
    std::string name;
    bool right = false;         //!< numbers
    std::size_t width_max = 0;  //!< longer cells are cut; 0: no limit
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  //! REQUIRES: one cell for each column.
  void add(std::vector<std::string> cells);
  std::string to_text() const;

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace reel::cli
