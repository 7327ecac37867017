#include "store/document.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

#include "base/hash.h"
#include "store/schema_internal.h"

namespace reel::store {
namespace {

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

std::string decimal_text(const Type& type, Int128 unscaled) {
  // The magnitude of the smallest number is one more than that of the largest.
  using Unsigned = unsigned __int128;
  const auto bits = static_cast<Unsigned>(unscaled);
  std::string digits = fmt::format("{:0{}}", unscaled < 0 ? Unsigned{0} - bits : bits,
                                   static_cast<int>(type.scale) + 1);
  if (type.scale > 0) digits.insert(digits.size() - type.scale, ".");
  return unscaled < 0 ? "-" + digits : digits;
}

//! Code::invalid when it is no decimal, or has more digits than the type keeps.
Result<Decimal> parse_decimal(const Type& type, std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (negative) rest.remove_prefix(1);
  const Int128 limit = power_of_ten(type.precision);
  Int128 unscaled = 0;
  int decimals = -1;
  bool valid = false;  // so far, and it may end here
  for (const char c : rest) {
    if (c == '.' && decimals < 0 && valid) {
      decimals = 0;
      valid = false;
      continue;
    }
    valid = c >= '0' && c <= '9' && decimals < type.scale && unscaled < limit;
    if (!valid) break;
    unscaled = unscaled * 10 + (c - '0');
    if (decimals >= 0) ++decimals;
  }
  for (int i = std::max(decimals, 0); i < type.scale && unscaled < limit; ++i) unscaled *= 10;
  if (!valid || unscaled >= limit) {
    return invalid("'{}' is no {}", text.substr(0, 64), type.to_string());
  }
  return Decimal{negative ? -unscaled : unscaled};
}

// The calendar repeats every 400 years; <chrono> knows years of 16 bits only, a date has more.
constexpr std::int64_t kCycleYears = 400;
constexpr std::int64_t kCycleDays = 146'097;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::string date_text(Date date) {
  const std::int64_t cycle = floor_divide(date.days, kCycleDays);
  const std::chrono::year_month_day day{
      std::chrono::sys_days(std::chrono::days(date.days - cycle * kCycleDays))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()) + cycle * kCycleYears,
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

//! Exactly as date_text() writes it.
Result<Date> parse_date(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  const int read = std::sscanf(text.c_str(), "%8d-%2u-%2u", &year, &month, &day);
  const std::int64_t cycle = floor_divide(year, kCycleYears);
  const std::chrono::year_month_day in_cycle{
      std::chrono::year(static_cast<int>(year - cycle * kCycleYears)), std::chrono::month(month),
      std::chrono::day(day)};
  if (read == 3 && in_cycle.ok()) {
    const std::int64_t days =
        std::chrono::sys_days(in_cycle).time_since_epoch().count() + cycle * kCycleDays;
    const Date date{static_cast<std::int32_t>(days)};
    if (date_text(date) == text) return date;
  }
  return invalid("'{}' is no date (YYYY-MM-DD)", text.substr(0, 64));
}

Result<double> parse_float(const json::Value& value) {
  double number = 0;
  if (value.get_double(number)) return number;
  const std::string* text = value.as_string();
  if (text != nullptr && *text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text != nullptr && *text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text != nullptr && *text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return invalid("is no number");
}

json::Value float_to_json(const Type& type, double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (type.kind != TypeKind::float32) return number;
  // The double that reads as the shortest text of the float: 0.1, not 0.10000000149011612.
  return std::strtod(fmt::format("{}", static_cast<float>(number)).c_str(), nullptr);
}

Result<Value> text_from_json(const Type& type, const json::Value& value) {
  const std::string* text = value.as_string();
  std::int64_t integer = 0;
  if (text == nullptr && type.kind == TypeKind::decimal && value.get_int64(integer)) {
    return parse_decimal(type, fmt::format("{}", integer)).map([](Decimal d) { return Value(d); });
  }
  if (text == nullptr) return invalid("is no text, as a {} needs", type.to_string());
  switch (type.kind) {
    case TypeKind::decimal: {
      REEL_ASSIGN(const Decimal decimal, parse_decimal(type, *text));
      return Value(decimal);
    }
    case TypeKind::uuid: {
      REEL_ASSIGN(const Uuid uuid, Uuid::parse(*text));
      return Value(uuid);
    }
    case TypeKind::timestamp: {
      REEL_ASSIGN(const Instant instant, Instant::parse(*text));
      return Value(instant);
    }
    case TypeKind::date: {
      REEL_ASSIGN(const Date date, parse_date(*text));
      return Value(date);
    }
    case TypeKind::binary: {
      auto bytes = from_hex(*text);
      if (!bytes) return invalid("'{}' is not made of hex digits", text->substr(0, 64));
      return Value(Binary{*std::move(bytes)});
    }
    default: return Value(*text);
  }
}

Result<Value> nested_from_json(const Type& type, const json::Value& value) {
  const json::Array* const items = value.as_array();
  const json::Object* const members = value.as_object();
  if (type.kind == TypeKind::list || type.kind == TypeKind::fixed_list) {
    if (items == nullptr) return invalid("is no array, as a {} needs", type.to_string());
    ValueList list;
    for (std::size_t i = 0; i < items->size(); ++i) {
      auto item = value_from_json(type.children[0].type, (*items)[i]);
      if (!item) return Failure(std::move(item).error().at(fmt::format("/{}", i)));
      list.push_back(*std::move(item));
    }
    return Value(std::move(list));
  }
  if (members == nullptr) return invalid("is no object, as a {} needs", type.to_string());
  ValueMap entries;
  ValueList list(type.kind == TypeKind::structure ? type.children.size() : 0);
  for (const json::Member& member : *members) {
    std::size_t place = 0;
    if (type.kind == TypeKind::structure) {
      while (place < list.size() && type.children[place].name != member.name) ++place;
      if (place == list.size()) return invalid("has no member '{}'", member.name.substr(0, 64));
    }
    auto item = value_from_json(type.children[place].type, member.value);
    if (!item) return Failure(std::move(item).error().at(json::join_pointer("", member.name)));
    if (type.kind == TypeKind::structure) {
      list[place] = *std::move(item);
    } else {
      entries.emplace_back(member.name, *std::move(item));
    }
  }
  if (type.kind == TypeKind::map) return Value(std::move(entries));
  return Value(std::move(list));
}

std::string text_member(const json::Value& document, std::string_view name) {
  const json::Value* member = document.find(name);
  return member == nullptr || member->is_null() ? std::string() : *member->as_string();
}

Result<Type> type_member(const json::Value& document) {
  auto type = Type::parse(text_member(document, "type"));
  if (!type) return Failure(std::move(type).error().at("/type"));
  return type;
}

Result<Value> default_member(const json::Value& document, const Type& type) {
  const json::Value* member = document.find("default");
  if (member == nullptr) return Value();
  auto value = value_from_json(type, *member);
  if (!value) {
    std::string pointer = "/default" + value.error().pointer();
    return Failure(std::move(value).error().at(std::move(pointer)));
  }
  return value;
}

Result<TableDefinition::ColumnDefinition> column_from_json(const json::Value& document) {
  TableDefinition::ColumnDefinition column;
  column.name = text_member(document, "name");
  column.doc = text_member(document, "doc");
  REEL_ASSIGN(column.type, type_member(document));
  if (const json::Value* nullable = document.find("nullable"))
    column.nullable = *nullable->as_bool();
  REEL_ASSIGN(column.default_value, default_member(document, column.type));
  return column;
}

std::vector<std::string> names_member(const json::Value& document, std::string_view name) {
  std::vector<std::string> names;
  if (const json::Value* member = document.find(name)) {
    for (const json::Value& item : *member->as_array()) names.push_back(*item.as_string());
  }
  return names;
}

//! What type a column has behind the first operations of a migration. Asked again with more of the
//! operations, it looks only at the new ones: a migration may have thousands.
class TypesBehind {
 public:
  explicit TypesBehind(const TableSchema& current) : schema_(current) {}

  //! REQUIRES: the operations begin with those of the call before.
  Result<Type> find(const std::vector<Operation>& operations, const std::string& name) {
    const std::vector<Operation> more(operations.begin() + seen_, operations.end());
    if (std::any_of(more.begin(), more.end(), changes_types)) {
      REEL_ASSIGN(MigrationPlan plan, plan_migration(schema_, more, {}));
      schema_ = std::move(plan.schema);
    }
    seen_ = static_cast<std::ptrdiff_t>(operations.size());
    const Column* column = schema_.find_named(name);
    if (column == nullptr) return invalid("column '{}' does not exist", name.substr(0, 64));
    return column->type;
  }

 private:
  static bool changes_types(const Operation& operation) {
    return !std::holds_alternative<SetDefault>(operation) &&
           !std::holds_alternative<SetNullable>(operation) &&
           !std::holds_alternative<SetDoc>(operation) &&
           !std::holds_alternative<Reorder>(operation);
  }

  TableSchema schema_;
  std::ptrdiff_t seen_ = 0;
};

Result<Operation> operation_from_json(TypesBehind& types, const std::vector<Operation>& before,
                                      const json::Value& document) {
  const std::string op = text_member(document, "op");
  const std::string column = text_member(document, "column");
  if (op == "add_column") {
    REEL_ASSIGN(auto added, column_from_json(document));
    return AddColumn{std::move(added)};
  }
  if (op == "rename_column") return RenameColumn{column, text_member(document, "name")};
  if (op == "drop_column") return DropColumn{column};
  if (op == "undrop_column") {
    std::int64_t id = 0;
    document.find("id")->get_int64(id);
    return UndropColumn{static_cast<ColumnId>(id), text_member(document, "name")};
  }
  if (op == "alter_type") {
    REEL_ASSIGN(Type type, type_member(document));
    return AlterType{column, std::move(type)};
  }
  if (op == "convert_type") {
    REEL_ASSIGN(Type type, type_member(document));
    const json::Value* or_null = document.find("or_null");
    return ConvertType{column, std::move(type), or_null != nullptr && *or_null->as_bool()};
  }
  if (op == "set_default") {
    REEL_ASSIGN(const Type type, types.find(before, column));
    REEL_ASSIGN(Value value, default_member(document, type));
    return SetDefault{column, std::move(value)};
  }
  if (op == "set_nullable") return SetNullable{column, *document.find("nullable")->as_bool()};
  if (op == "set_doc") return SetDoc{column, text_member(document, "doc")};
  if (op == "reorder") return Reorder{names_member(document, "columns")};
  return RenameTable{text_member(document, "name")};
}

struct OperationWriter {
  json::Value operator()(const AddColumn& add) const {
    const auto& column = add.column;
    json::Value out = begin("add_column");
    out.set("name", column.name);
    out.set("type", without_ids(column.type).to_string());
    out.set("nullable", column.nullable);
    if (!column.default_value.is_null()) {
      out.set("default", value_to_json(column.type, column.default_value));
    }
    if (!column.doc.empty()) out.set("doc", column.doc);
    return out;
  }
  json::Value operator()(const RenameColumn& rename) const {
    json::Value out = begin("rename_column", rename.column);
    out.set("name", rename.name);
    return out;
  }
  json::Value operator()(const DropColumn& drop) const { return begin("drop_column", drop.column); }
  json::Value operator()(const UndropColumn& undrop) const {
    json::Value out = begin("undrop_column");
    out.set("id", std::int64_t{undrop.id});
    if (!undrop.name.empty()) out.set("name", undrop.name);
    return out;
  }
  json::Value operator()(const AlterType& alter) const {
    json::Value out = begin("alter_type", alter.column);
    out.set("type", without_ids(alter.type).to_string());
    return out;
  }
  json::Value operator()(const ConvertType& convert) const {
    json::Value out = begin("convert_type", convert.column);
    out.set("type", without_ids(convert.type).to_string());
    if (convert.or_null) out.set("or_null", true);
    return out;
  }
  json::Value operator()(const SetDefault& set) const {
    json::Value out = begin("set_default", set.column);
    const auto type = types.find(before, set.column);
    out.set("default", type ? value_to_json(*type, set.value) : json::Value());
    return out;
  }
  json::Value operator()(const SetNullable& set) const {
    json::Value out = begin("set_nullable", set.column);
    out.set("nullable", set.nullable);
    return out;
  }
  json::Value operator()(const SetDoc& set) const {
    json::Value out = begin("set_doc", set.column);
    out.set("doc", set.doc);
    return out;
  }
  json::Value operator()(const Reorder& reorder) const {
    json::Value out = begin("reorder");
    out.set("columns", json::Array(reorder.columns.begin(), reorder.columns.end()));
    return out;
  }
  json::Value operator()(const RenameTable& rename) const {
    json::Value out = begin("rename_table");
    out.set("name", rename.name);
    return out;
  }

  static json::Value begin(std::string_view op, std::string_view column = {}) {
    json::Value out;
    out.set("op", op);
    if (!column.empty()) out.set("column", column);
    return out;
  }

  TypesBehind& types;
  const std::vector<Operation>& before;
};

std::vector<json::Shape::MemberShape> column_members() {
  using json::optional;
  using json::required;
  using json::Shape;
  return {required("name", Shape::string()), required("type", Shape::string()),
          optional("nullable", Shape::boolean()), optional("default", Shape::any()),
          optional("doc", Shape::string())};
}

json::Array names_of(const TableSchema& schema, const std::vector<ColumnId>& ids) {
  json::Array names;
  for (const ColumnId id : ids) names.emplace_back(schema.find(id)->name);
  return names;
}

}  // namespace

json::Value value_to_json(const Type& type, const Value& value) {
  if (value.is_null()) return nullptr;
  if (const auto* flag = value.get_if<bool>()) return *flag;
  if (const auto* number = value.get_if<std::int64_t>()) return *number;
  if (const auto* number = value.get_if<std::uint64_t>()) return *number;
  if (const auto* number = value.get_if<double>()) return float_to_json(type, *number);
  if (const auto* decimal = value.get_if<Decimal>()) return decimal_text(type, decimal->unscaled);
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* uuid = value.get_if<Uuid>()) return uuid->to_string();
  if (const auto* instant = value.get_if<Instant>()) return instant->to_string();
  if (const auto* date = value.get_if<Date>()) return date_text(*date);
  if (const auto* binary = value.get_if<Binary>()) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(binary->bytes.data());
    return to_hex(std::span(bytes, binary->bytes.size()));
  }
  if (const auto* entries = value.get_if<ValueMap>()) {
    json::Object members;
    for (const auto& [name, item] : *entries) {
      members.push_back({name, value_to_json(type.children[0].type, item)});
    }
    return members;
  }
  const auto& list = value.get<ValueList>();
  if (type.kind == TypeKind::structure) {
    json::Object members;
    for (std::size_t i = 0; i < list.size(); ++i) {
      members.push_back({type.children[i].name, value_to_json(type.children[i].type, list[i])});
    }
    return members;
  }
  json::Array items;
  for (const Value& item : list) items.push_back(value_to_json(type.children[0].type, item));
  return items;
}

Result<Value> value_from_json(const Type& type, const json::Value& value) {
  if (value.is_null()) return Value();
  Value read;
  switch (type.kind) {
    case TypeKind::boolean:
      if (value.as_bool() == nullptr) return invalid("is neither true nor false");
      return Value(*value.as_bool());
    case TypeKind::float32:
    case TypeKind::float64: {
      REEL_ASSIGN(const double number, parse_float(value));
      const bool narrow = type.kind == TypeKind::float32;
      return Value(narrow ? static_cast<double>(static_cast<float>(number)) : number);
    }
    case TypeKind::decimal:
    case TypeKind::string:
    case TypeKind::binary:
    case TypeKind::uuid:
    case TypeKind::timestamp:
    case TypeKind::date: {
      REEL_ASSIGN(read, text_from_json(type, value));
      break;
    }
    case TypeKind::list:
    case TypeKind::fixed_list:
    case TypeKind::map:
    case TypeKind::structure: {
      REEL_ASSIGN(read, nested_from_json(type, value));
      break;
    }
    default: {
      std::int64_t number = 0;
      if (const auto* large = std::get_if<std::uint64_t>(&value.storage())) {
        read = Value(*large);
      } else if (value.get_int64(number)) {
        read = Value(number);
      } else {
        return invalid("is no integer, as a {} needs", type.to_string());
      }
    }
  }
  REEL_TRY(check_value(type, read));
  return read;
}

namespace {

//! As text that the other type reads. A whole number has no fraction: integers are read from it.
std::string text_of(const Type& type, const Value& value) {
  const json::Value shown = value_to_json(type, value);
  std::string text = shown.as_string() == nullptr ? json::to_text(shown) : *shown.as_string();
  const bool is_number = type.kind == TypeKind::decimal || type.kind == TypeKind::float32 ||
                         type.kind == TypeKind::float64;
  const std::size_t point = text.find('.');
  if (is_number && point != std::string::npos && text.find('e') == std::string::npos) {
    text.resize(std::max(text.find_last_not_of('0') + 1, point));
    if (text.size() == point + 1) text.resize(point);
  }
  return text;
}

bool is_integer(const Type& type) {
  return type.kind >= TypeKind::int8 && type.kind <= TypeKind::uint64;
}

Result<Value> read_converted(const Type& from, const Type& to, const Value& value) {
  if (from.kind == TypeKind::boolean && is_integer(to)) return Value(value.get<bool>() ? 1 : 0);
  std::string text = text_of(from, value);
  if (to.kind == TypeKind::string) return Value(std::move(text));
  if (from.kind == TypeKind::date && to.kind == TypeKind::timestamp) text += "T00:00:00Z";
  const bool as_text = to.kind == TypeKind::decimal || to.kind == TypeKind::binary ||
                       to.kind == TypeKind::uuid || to.kind == TypeKind::timestamp ||
                       to.kind == TypeKind::date;
  if (as_text) return value_from_json(to, json::Value(std::move(text)));
  if (to.kind == TypeKind::boolean && is_integer(from)) {
    if (text == "0" || text == "1") return Value(text == "1");
  }
  auto parsed = json::parse(text);
  const bool is_float = to.kind == TypeKind::float32 || to.kind == TypeKind::float64;
  if (!parsed && is_float) return value_from_json(to, json::Value(std::move(text)));  // NaN
  if (!parsed) return invalid("is no {}", to.to_string());
  return value_from_json(to, *parsed);
}

}  // namespace

Result<Value> convert_value(const Type& from, const Type& to, const Value& value) {
  if (value.is_null()) return Value();
  const auto fail = [&](std::string_view why) {
    return invalid("{} cannot become {}: {}", text_of(from, value).substr(0, 64), to.to_string(),
                   why);
  };
  Result<Value> converted = read_converted(from, to, value);
  if (!converted) return fail(converted.error().message());
  if (converted->is_null()) return fail("it is null there");
  if (const Status fits = check_value(to, *converted); !fits) return fail(fits.error().message());
  return converted;
}

std::string key_text(const TableSchema& schema, const std::vector<Value>& key) {
  constexpr std::size_t kCharactersMax = 64;  // of one value
  const std::vector<ColumnId> columns = schema.key();
  std::string out = "(";
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) out += ", ";
    const Type& type = schema.find(columns[i])->type;
    const json::Value shown = value_to_json(type, key[i]);
    const std::string* text = shown.as_string();
    const char* quote = type.kind == TypeKind::string ? "'" : "";
    out += text == nullptr ? json::to_text(shown) : quote + text->substr(0, kCharactersMax) + quote;
  }
  return out + ")";
}

json::Value column_to_json(const TableSchema& schema, const Column& column) {
  json::Value out;
  out.set("id", std::int64_t{column.id});
  out.set("name", column.name);
  out.set("type", without_ids(column.type).to_string());
  out.set("nullable", column.nullable);
  if (!column.default_value.is_null()) {
    out.set("default", value_to_json(column.type, column.default_value));
  }
  out.set("doc", column.doc);
  out.set("since_version", std::int64_t{column.since_version});
  out.set("key", schema.is_key(column.id));
  out.set("product", !column.product_name.empty());
  return out;
}

json::Value schema_to_json(const TableSchema& schema) {
  json::Value out;
  out.set("id", std::int64_t{schema.id});
  out.set("name", schema.name);
  out.set("version", std::int64_t{schema.version});
  out.set("product", schema.product);
  out.set("primary_key", names_of(schema, schema.key()));
  json::Array columns;
  for (const Column& column : schema.columns) columns.push_back(column_to_json(schema, column));
  out.set("columns", std::move(columns));
  json::Array dropped;
  for (const Column& column : schema.tombstones) {
    json::Value item;
    item.set("id", std::int64_t{column.id});
    item.set("name", column.name);
    item.set("type", without_ids(column.type).to_string());
    item.set("dropped", column.dropped_at.to_string());
    item.set("purging", column.purging);
    dropped.push_back(std::move(item));
  }
  out.set("dropped_columns", std::move(dropped));
  json::Array indexes;
  for (const Index& index : schema.indexes) {
    json::Value item;
    item.set("name", index.name);
    item.set("columns", names_of(schema, index.columns));
    item.set("kind", index.kind == IndexKind::search ? "search" : "sorted");
    indexes.push_back(std::move(item));
  }
  out.set("indexes", std::move(indexes));
  return out;
}

json::Value operations_to_json(const TableSchema& current,
                               const std::vector<Operation>& operations) {
  json::Array out;
  std::vector<Operation> before;
  TypesBehind types(current);
  for (const Operation& operation : operations) {
    out.push_back(std::visit(OperationWriter{types, before}, operation));
    before.push_back(operation);
  }
  return out;
}

Result<std::vector<Operation>> operations_from_json(const TableSchema& current,
                                                    const json::Array& operations) {
  std::vector<Operation> read;
  TypesBehind types(current);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto operation = operation_from_json(types, read, operations[i]);
    if (!operation) {
      std::string pointer = fmt::format("/{}{}", i, operation.error().pointer());
      return Failure(std::move(operation).error().at(std::move(pointer)));
    }
    read.push_back(*std::move(operation));
  }
  return read;
}

json::Shape operations_shape() {
  using json::required;
  using json::Shape;
  const auto form = [](const char* op, std::vector<Shape::MemberShape> members) {
    members.insert(members.begin(), required("op", Shape::choice({op})));
    return std::pair<std::string, Shape>(op,
                                         Shape::object(std::move(members), Shape::Extra::forbid));
  };
  const auto column = required("column", Shape::string());
  const auto name = required("name", Shape::string());
  const Shape operation =
      Shape::tagged("op", {form("add_column", column_members()),
                           form("rename_column", {column, name}), form("drop_column", {column}),
                           form("undrop_column", {required("id", Shape::integer(1, UINT32_MAX)),
                                                  json::optional("name", name.shape)}),
                           form("alter_type", {column, required("type", Shape::string())}),
                           form("convert_type", {column, required("type", Shape::string()),
                                                 json::optional("or_null", Shape::boolean())}),
                           form("set_default", {column, json::optional("default", Shape::any())}),
                           form("set_nullable", {column, required("nullable", Shape::boolean())}),
                           form("set_doc", {column, required("doc", Shape::string())}),
                           form("reorder", {required("columns", Shape::array(Shape::string()))}),
                           form("rename_table", {name})});
  return Shape::array(operation.named("ColumnOperation"), 1);
}

Result<TableDefinition> definition_from_json(const json::Value& document) {
  TableDefinition definition;
  definition.name = text_member(document, "name");
  const json::Array& columns = *document.find("columns")->as_array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto column = column_from_json(columns[i]);
    if (!column) {
      std::string pointer = fmt::format("/columns/{}{}", i, column.error().pointer());
      return Failure(std::move(column).error().at(std::move(pointer)));
    }
    definition.columns.push_back(*std::move(column));
  }
  std::vector<std::string> key = names_member(document, "primary_key");
  for (auto& column : definition.columns) {
    for (const std::string& name : key) {
      if (same_name(name, column.name)) column.nullable = false;
    }
  }
  definition.partition_key = {key.front()};
  definition.clustering_key = {key.begin() + 1, key.end()};
  return definition;
}

json::Shape definition_shape(std::vector<json::Shape::MemberShape> beside) {
  using json::required;
  using json::Shape;
  beside.insert(
      beside.begin(),
      {required("name", Shape::string()),
       required("columns", Shape::array(Shape::object(column_members(), Shape::Extra::forbid), 1)),
       required("primary_key", Shape::array(Shape::string(), 1))});
  return Shape::object(std::move(beside), Shape::Extra::forbid);
}

}  // namespace reel::store
