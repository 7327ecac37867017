#include "store/sqlite/layout_internal.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "store/row_hash.h"

namespace reel::store::sqlite {
namespace {

//! What stands for NaN, which SQLite would turn into NULL. A blob sorts after every number.
constexpr std::string_view kNan = "NaN";
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

void append_u32(std::string& out, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(number >> shift));
}

std::int64_t integer_of(const Type& type, const Value& value) {
  std::uint64_t bits = 0;
  if (const auto* number = value.get_if<std::int64_t>()) {
    bits = static_cast<std::uint64_t>(*number);
  } else {
    bits = value.get<std::uint64_t>();
  }
  // Unsigned 64-bit order becomes signed order by moving the range down by 2^63.
  if (type.kind == TypeKind::uint64) bits ^= kSignBit;
  return static_cast<std::int64_t>(bits);
}

void bind_blob(sqlite3_stmt* statement, int parameter, std::string_view bytes) {
  // A null pointer would bind NULL, and an empty string_view may have one.
  sqlite3_bind_blob64(statement, parameter, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
}

void bind_copied(sqlite3_stmt* statement, int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(statement, parameter, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

//! Of text as well: asking for a blob spares SQLite the copy that ends with a NUL.
std::string_view bytes_of(sqlite3_value* cell) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(cell));
  const int size = sqlite3_value_bytes(cell);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<std::size_t>(size));
}

Failure wrong_cell(const Type& type, sqlite3_value* cell) {
  return corrupt("a cell of type {} has SQLite storage class {}", type.to_string(),
                 sqlite3_value_type(cell));
}

Status read_integer_cell(sqlite3_value* cell, const Type& type, Value& value) {
  const std::int64_t number = sqlite3_value_int64(cell);
  switch (type.kind) {
    case TypeKind::boolean: value.hold<bool>() = number != 0; return {};
    case TypeKind::timestamp: value.hold<Instant>().micros = number; return {};
    case TypeKind::date: value.hold<Date>().days = static_cast<std::int32_t>(number); return {};
    case TypeKind::uint64:
      value.hold<std::uint64_t>() = static_cast<std::uint64_t>(number) ^ kSignBit;
      return {};
    case TypeKind::uint8:
    case TypeKind::uint16:
    case TypeKind::uint32:
      value.hold<std::uint64_t>() = static_cast<std::uint64_t>(number);
      return {};
    default: value.hold<std::int64_t>() = number; return {};
  }
}

Status read_blob_cell(sqlite3_value* cell, const Type& type, Value& value) {
  std::string_view bytes = bytes_of(cell);
  switch (type.kind) {
    case TypeKind::binary: value.hold<Binary>().bytes.assign(bytes); return {};
    case TypeKind::uuid: {
      auto& uuid = value.hold<Uuid>();
      if (bytes.size() != uuid.bytes.size()) return corrupt("a uuid has {} bytes", bytes.size());
      std::memcpy(uuid.bytes.data(), bytes.data(), bytes.size());
      return {};
    }
    case TypeKind::decimal: {
      REEL_ASSIGN(value.hold<Decimal>(), decode_decimal_key(bytes));
      return {};
    }
    default: break;
  }
  REEL_ASSIGN(value, decode_value(type, bytes));
  if (!bytes.empty()) return corrupt("a nested value is followed by {} bytes", bytes.size());
  return {};
}

std::string hex_literal(std::string_view bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return "x'" + to_hex(std::span(data, bytes.size())) + "'";
}

}  // namespace

Layout::Layout(std::shared_ptr<const TableSchema> table_schema)
    : schema(std::move(table_schema)),
      table(fmt::format("t{}", schema->id)),
      key_rank(schema->columns.size(), -1),
      by_id(positions_by_id(*schema)) {
  append_u32(prefix, schema->id);
  append_u32(prefix, schema->version);
  for (const Column& column : schema->tombstones) append_u32(prefix, column.id);  // purges go on
  for (const ColumnId id : schema->key()) key.push_back(schema->position(id));
  partition_size = schema->partition_key.size();
  for (std::size_t i = 0; i < key.size(); ++i) key_rank[key[i]] = static_cast<int>(i);
  for (std::size_t i = 0; i < schema->columns.size(); ++i) {
    all.push_back(i);
    if (key_rank[i] < 0) not_key.push_back(i);
    by_name_.emplace(schema->columns[i].name, i);
  }
  for (std::size_t i = 0; i < schema->columns.size(); ++i) {
    const std::string& ours = schema->columns[i].product_name;
    if (!ours.empty()) by_name_.insert_or_assign(ours, i);
  }
  for (std::size_t i = 0; i < schema->stored_count(); ++i) stored.push_back(i);
  inserted_at = schema->position(kInsertedAt);
  for (const Index& index : schema->indexes) {
    if (index.kind == IndexKind::search) {
      const std::string texts = fmt::format("s{}_{}", schema->id, index.id);
      searches.emplace(index.name, SearchLayout{.texts = texts,
                                                .numbers = texts + "_rows",
                                                .column = schema->position(index.columns[0])});
      continue;
    }
    IndexLayout layout{
        .physical = fmt::format("i{}_{}", schema->id, index.id), .bounds = {}, .order = {}};
    for (const ColumnId id : index.columns) layout.bounds.push_back(schema->position(id));
    layout.bounds.insert(layout.bounds.end(), key.begin(), key.end());
    for (const std::size_t position : layout.bounds) {
      if (std::find(layout.order.begin(), layout.order.end(), position) == layout.order.end()) {
        layout.order.push_back(position);
      }
    }
    indexes.emplace(index.name, std::move(layout));
  }
}

Result<std::size_t> Layout::position(std::string_view column) const {
  const auto found = by_name_.find(column);
  if (found != by_name_.end()) return found->second;
  if (const auto id = column_id_in(column); id && schema->find(*id) != nullptr) {
    return schema->position(*id);
  }
  return invalid("table '{}' has no column '{}'", schema->name, column.substr(0, 128));
}

Result<std::size_t> Layout::readable(std::string_view column) const {
  const auto id = column_id_in(column);
  for (std::size_t i = 0; id && i < schema->tombstones.size(); ++i) {
    const Column& dropped = schema->tombstones[i];
    if (dropped.id == *id && !dropped.purging) return schema->columns.size() + i;
  }
  return position(column);
}

std::string Layout::physical(std::size_t position) const {
  return fmt::format("c{}", schema->stored(position).id);
}

std::string Layout::list(const std::vector<std::size_t>& positions, std::string_view after,
                         std::string_view between) const {
  std::string out;
  for (const std::size_t position : positions) {
    if (!out.empty()) out += between;
    out += physical(position);
    out += after;
  }
  return out;
}

Layouts::Layouts(std::shared_ptr<const Catalog> from) : catalog(std::move(from)) {
  for (const auto& [name, schema] : catalog->tables) {
    tables.emplace(name, std::make_shared<const Layout>(schema));
  }
}

Result<std::shared_ptr<const Layout>> Layouts::table(std::string_view name) const {
  const auto found = tables.find(name);
  if (found == tables.end()) return not_found("there is no table '{}'", name.substr(0, 128));
  return found->second;
}

void bind_value(sqlite3_stmt* statement, int parameter, const Type& type, const Value& value) {
  if (value.is_null()) {
    sqlite3_bind_null(statement, parameter);
    return;
  }
  switch (type.kind) {
    case TypeKind::boolean:
      sqlite3_bind_int(statement, parameter, value.get<bool>() ? 1 : 0);
      return;
    case TypeKind::timestamp:
      sqlite3_bind_int64(statement, parameter, value.get<Instant>().micros);
      return;
    case TypeKind::date: sqlite3_bind_int(statement, parameter, value.get<Date>().days); return;
    case TypeKind::float32:
    case TypeKind::float64: {
      const double number = value.get<double>();
      std::isnan(number) ? bind_blob(statement, parameter, kNan)
                         : void(sqlite3_bind_double(statement, parameter, number));
      return;
    }
    case TypeKind::string: {
      const auto& text = value.get<std::string>();
      sqlite3_bind_text64(statement, parameter, text.data(), text.size(), SQLITE_STATIC,
                          SQLITE_UTF8);
      return;
    }
    case TypeKind::binary: return bind_blob(statement, parameter, value.get<Binary>().bytes);
    case TypeKind::uuid: {
      const auto& bytes = value.get<Uuid>().bytes;
      return bind_blob(statement, parameter,
                       {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    case TypeKind::decimal: {
      char bytes[12];
      write_decimal_key(value.get<Decimal>(), bytes);
      return bind_copied(statement, parameter, {bytes, sizeof bytes});
    }
    default: break;
  }
  if (type.is_nested()) {
    std::string bytes;
    encode_value(bytes, type, value);
    return bind_copied(statement, parameter, bytes);
  }
  sqlite3_bind_int64(statement, parameter, integer_of(type, value));
}

Status read_value(sqlite3_value* cell, const Type& type, Value& value) {
  const int storage = sqlite3_value_type(cell);
  if (storage == SQLITE_NULL) {
    value = Value();
    return {};
  }
  switch (affinity(type)[0]) {
    case 'I':
      if (storage != SQLITE_INTEGER) return wrong_cell(type, cell);
      return read_integer_cell(cell, type, value);
    case 'R':
      if (storage == SQLITE_FLOAT) {
        value.hold<double>() = sqlite3_value_double(cell);
      } else if (storage == SQLITE_BLOB && bytes_of(cell) == kNan) {
        value.hold<double>() = std::numeric_limits<double>::quiet_NaN();
      } else {
        return wrong_cell(type, cell);
      }
      return {};
    case 'T':
      if (storage != SQLITE_TEXT) return wrong_cell(type, cell);
      value.hold<std::string>().assign(bytes_of(cell));
      return {};
    default:
      if (storage != SQLITE_BLOB) return wrong_cell(type, cell);
      return read_blob_cell(cell, type, value);
  }
}

std::string_view affinity(const Type& type) {
  switch (type.kind) {
    case TypeKind::float32:
    case TypeKind::float64: return "REAL";
    case TypeKind::string: return "TEXT";
    case TypeKind::decimal:
    case TypeKind::binary:
    case TypeKind::uuid:
    case TypeKind::list:
    case TypeKind::fixed_list:
    case TypeKind::map:
    case TypeKind::structure: return "BLOB";
    default: return "INTEGER";
  }
}

Result<std::string> literal(const Type& type, const Value& value, int float_digits) {
  if (value.is_null()) return "NULL";
  switch (affinity(type)[0]) {
    case 'I': {
      if (const auto* flag = value.get_if<bool>()) return *flag ? "1" : "0";
      if (const auto* instant = value.get_if<Instant>()) return fmt::format("{}", instant->micros);
      if (const auto* date = value.get_if<Date>()) return fmt::format("{}", date->days);
      return fmt::format("{}", integer_of(type, value));
    }
    case 'R': {
      const double number = value.get<double>();
      if (std::isnan(number)) return hex_literal(kNan);
      if (std::isinf(number)) return number > 0 ? "9e999" : "-9e999";
      return fmt::format("{:.{}e}", number, float_digits);
    }
    case 'T': {
      std::string out = "'";
      for (const char c : value.get<std::string>()) {
        if (c == '\0') return unsupported("a default text with a NUL character");
        out += c;
        if (c == '\'') out += c;
      }
      return out + "'";
    }
    default: break;
  }
  std::string bytes;
  if (const auto* binary = value.get_if<Binary>()) {
    bytes = binary->bytes;
  } else if (const auto* uuid = value.get_if<Uuid>()) {
    bytes.assign(reinterpret_cast<const char*>(uuid->bytes.data()), uuid->bytes.size());
  } else if (const auto* decimal = value.get_if<Decimal>()) {
    bytes = encode_decimal_key(*decimal);
  } else {
    encode_value(bytes, type, value);
  }
  return hex_literal(bytes);
}

}  // namespace reel::store::sqlite
