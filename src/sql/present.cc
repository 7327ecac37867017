#include "sql/present.h"

#include <chrono>
#include <cmath>
#include <cstdlib>

namespace reel::sql {
namespace {

using store::Type;
using store::TypeKind;
using store::Value;

std::string decimal_text(store::Int128 unscaled, std::uint8_t scale) {
  // The magnitude of the smallest number is one more than that of the largest.
  using Unsigned = unsigned __int128;
  const bool negative = unscaled < 0;
  const Unsigned magnitude =
      negative ? Unsigned{0} - static_cast<Unsigned>(unscaled) : static_cast<Unsigned>(unscaled);
  std::string digits = fmt::format("{:0{}}", magnitude, scale + 1);
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  return negative ? "-" + digits : digits;
}

std::string date_text(store::Date date) {
  const std::chrono::year_month_day day{std::chrono::sys_days{std::chrono::days{date.days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

json::Value float_json(const Type& type, double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  if (type.kind != TypeKind::float32) return number;
  // The double that reads as the shortest text of the float: 0.1, not 0.10000000149011612.
  return std::strtod(fmt::format("{}", static_cast<float>(number)).c_str(), nullptr);
}

json::Value list_json(const Type& type, const store::ValueList& list) {
  if (type.kind != TypeKind::structure) {
    json::Array array;
    array.reserve(list.size());
    for (const Value& element : list) array.push_back(to_json(type.children[0].type, element));
    return array;
  }
  json::Object object;
  for (std::size_t i = 0; i < list.size(); ++i) {
    object.push_back({type.children[i].name, to_json(type.children[i].type, list[i])});
  }
  return object;
}

void append_csv_field(std::string& out, const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

json::Value map_json(const Type& type, const store::ValueMap& map) {
  json::Object object;
  for (const auto& [key, value] : map) {
    object.push_back({key, to_json(type.children[0].type, value)});
  }
  return object;
}

}  // namespace

json::Value to_json(const Type& type, const Value& cell) {
  if (cell.is_null()) return nullptr;
  if (const auto* flag = cell.get_if<bool>()) return *flag;
  if (const auto* number = cell.get_if<std::int64_t>()) return *number;
  if (const auto* number = cell.get_if<std::uint64_t>()) return *number;
  if (const auto* number = cell.get_if<double>()) return float_json(type, *number);
  if (const auto* text = cell.get_if<std::string>()) return *text;
  if (const auto* uuid = cell.get_if<Uuid>()) return uuid->to_string();
  if (const auto* at = cell.get_if<Instant>()) return at->to_string();
  if (const auto* date = cell.get_if<store::Date>()) return date_text(*date);
  if (const auto* list = cell.get_if<store::ValueList>()) return list_json(type, *list);
  if (const auto* map = cell.get_if<store::ValueMap>()) return map_json(type, *map);
  if (const auto* decimal = cell.get_if<store::Decimal>()) {
    return decimal_text(decimal->unscaled, type.scale);
  }
  const std::string& bytes = cell.get<store::Binary>().bytes;
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

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
