#include "sql/present.h"

namespace reel::sql {
namespace {

void append_csv_field(std::string& out, const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

}  // namespace

std::string cell_text(const json::Value& shown) {
  const std::string* text = shown.as_string();
  return text != nullptr ? *text : json::to_text(shown);
}

void append_csv(std::string& out, const json::Array& cells) {
  for (const json::Value& cell : cells) {
    if (&cell != &cells.front()) out += ',';
    if (!cell.is_null()) append_csv_field(out, cell_text(cell));
  }
  out += "\r\n";
}

}  // namespace reel::sql
