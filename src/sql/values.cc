#include <cstring>

#include <duckdb/common/types/date.hpp>
#include <duckdb/common/types/timestamp.hpp>
#include <duckdb/common/types/value.hpp>

#include "sql/types_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

using duckdb::idx_t;
using store::Type;
using store::TypeKind;
using store::Value;
using store::ValueList;
using store::ValueMap;

//! DuckDB orders UUIDs as signed numbers and keeps them with the first bit flipped.
constexpr std::uint64_t kUuidSign = std::uint64_t{1} << 63;

duckdb::hugeint_t hugeint_of(const Uuid& uuid) {
  std::uint64_t words[2] = {0, 0};
  for (std::size_t i = 0; i < 16; ++i) words[i / 8] = words[i / 8] << 8 | uuid.bytes[i];
  return {static_cast<std::int64_t>(words[0] ^ kUuidSign), words[1]};
}

Uuid to_uuid(duckdb::hugeint_t number) {
  const std::uint64_t words[2] = {static_cast<std::uint64_t>(number.upper) ^ kUuidSign,
                                  number.lower};
  Uuid uuid;
  for (std::size_t i = 0; i < 16; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(words[i / 8] >> (56 - 8 * (i % 8)));
  }
  return uuid;
}

//! An integer of either signedness, as the type of its column wants it.
template <class T>
T integer(const Value& cell) {
  if (const auto* number = cell.get_if<std::int64_t>()) return static_cast<T>(*number);
  return static_cast<T>(cell.get<std::uint64_t>());
}

template <class T>
void put(duckdb::Vector& vector, idx_t row, T value) {
  duckdb::FlatVector::GetData<T>(vector)[row] = value;
}

void put_text(duckdb::Vector& vector, idx_t row, const std::string& bytes) {
  put(vector, row, duckdb::StringVector::AddStringOrBlob(vector, bytes.data(), bytes.size()));
}

void put_decimal(duckdb::Vector& vector, idx_t row, store::Int128 unscaled) {
  switch (vector.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16: return put(vector, row, static_cast<std::int16_t>(unscaled));
    case duckdb::PhysicalType::INT32: return put(vector, row, static_cast<std::int32_t>(unscaled));
    case duckdb::PhysicalType::INT64: return put(vector, row, static_cast<std::int64_t>(unscaled));
    default: return put(vector, row, to_hugeint(unscaled));
  }
}

//! Room for `count` more elements of a list, and where they begin.
idx_t extend_list(duckdb::Vector& vector, idx_t row, std::size_t count) {
  const idx_t begin = duckdb::ListVector::GetListSize(vector);
  duckdb::ListVector::Reserve(vector, begin + count);
  duckdb::ListVector::SetListSize(vector, begin + count);
  put(vector, row, duckdb::list_entry_t{begin, count});
  return begin;
}

void put_nested(duckdb::Vector& vector, idx_t row, const Type& type, const Value& cell) {
  if (const auto* map = cell.get_if<ValueMap>()) {
    const idx_t begin = extend_list(vector, row, map->size());
    duckdb::Vector& keys = duckdb::MapVector::GetKeys(vector);
    duckdb::Vector& values = duckdb::MapVector::GetValues(vector);
    for (std::size_t i = 0; i < map->size(); ++i) {
      put_text(keys, begin + i, (*map)[i].first);
      write_cell(values, begin + i, type.children[0].type, (*map)[i].second);
    }
    return;
  }
  const auto& list = cell.get<ValueList>();
  if (type.kind == TypeKind::structure) {
    auto& members = duckdb::StructVector::GetEntries(vector);
    for (std::size_t i = 0; i < list.size(); ++i) {
      write_cell(*members[i], row, type.children[i].type, list[i]);
    }
    return;
  }
  const bool fixed = type.kind == TypeKind::fixed_list;
  const idx_t begin = fixed ? row * type.size : extend_list(vector, row, list.size());
  duckdb::Vector& elements =
      fixed ? duckdb::ArrayVector::GetEntry(vector) : duckdb::ListVector::GetEntry(vector);
  for (std::size_t i = 0; i < list.size(); ++i) {
    write_cell(elements, begin + i, type.children[0].type, list[i]);
  }
}

//! The elements of a list, array or struct.
Result<Value> to_list(const Type& type, const std::vector<duckdb::Value>& children) {
  ValueList list;
  list.reserve(children.size());
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::size_t child = type.kind == TypeKind::structure ? i : 0;
    REEL_ASSIGN(Value element, to_cell(type.children[child].type, children[i]));
    list.push_back(std::move(element));
  }
  return Value(std::move(list));
}

Result<Value> to_map(const Type& type, const duckdb::Value& value) {
  ValueMap map;
  for (const duckdb::Value& entry : duckdb::MapValue::GetChildren(value)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    REEL_ASSIGN(Value cell, to_cell(type.children[0].type, pair[1]));
    map.emplace_back(duckdb::StringValue::Get(pair[0]), std::move(cell));
  }
  return Value(std::move(map));  // sorts
}

Result<Value> to_decimal(const duckdb::Value& value) {
  if (value.type().id() == duckdb::LogicalTypeId::HUGEINT) {
    return Value(store::Decimal{from_hugeint(value.GetValueUnsafe<duckdb::hugeint_t>())});
  }
  switch (value.type().InternalType()) {
    case duckdb::PhysicalType::INT16:
      return Value(store::Decimal{value.GetValueUnsafe<std::int16_t>()});
    case duckdb::PhysicalType::INT32:
      return Value(store::Decimal{value.GetValueUnsafe<std::int32_t>()});
    case duckdb::PhysicalType::INT64:
      return Value(store::Decimal{value.GetValueUnsafe<std::int64_t>()});
    default: return Value(store::Decimal{from_hugeint(value.GetValueUnsafe<duckdb::hugeint_t>())});
  }
}

}  // namespace

duckdb::hugeint_t to_hugeint(store::Int128 number) {
  return {static_cast<std::int64_t>(number >> 64), static_cast<std::uint64_t>(number)};
}

store::Int128 from_hugeint(duckdb::hugeint_t number) {
  return (static_cast<store::Int128>(number.upper) << 64) | number.lower;
}

void write_cell(duckdb::Vector& vector, idx_t row, const Type& type, const Value& cell) {
  if (cell.is_null()) {
    // Of a struct or an array, the children are null as well.
    duckdb::FlatVector::SetNull(vector, row, true);
    return;
  }
  switch (type.kind) {
    case TypeKind::boolean: return put(vector, row, cell.get<bool>());
    case TypeKind::int8: return put(vector, row, integer<std::int8_t>(cell));
    case TypeKind::int16: return put(vector, row, integer<std::int16_t>(cell));
    case TypeKind::int32: return put(vector, row, integer<std::int32_t>(cell));
    case TypeKind::int64: return put(vector, row, integer<std::int64_t>(cell));
    case TypeKind::uint8: return put(vector, row, integer<std::uint8_t>(cell));
    case TypeKind::uint16: return put(vector, row, integer<std::uint16_t>(cell));
    case TypeKind::uint32: return put(vector, row, integer<std::uint32_t>(cell));
    case TypeKind::uint64: return put(vector, row, integer<std::uint64_t>(cell));
    case TypeKind::float32: return put(vector, row, static_cast<float>(cell.get<double>()));
    case TypeKind::float64: return put(vector, row, cell.get<double>());
    case TypeKind::decimal: return put_decimal(vector, row, cell.get<store::Decimal>().unscaled);
    case TypeKind::string: return put_text(vector, row, cell.get<std::string>());
    case TypeKind::binary: return put_text(vector, row, cell.get<store::Binary>().bytes);
    case TypeKind::uuid: return put(vector, row, hugeint_of(cell.get<Uuid>()));
    case TypeKind::timestamp:
      return put(vector, row, duckdb::timestamp_t(cell.get<Instant>().micros));
    case TypeKind::date: return put(vector, row, duckdb::date_t(cell.get<store::Date>().days));
    default: return put_nested(vector, row, type, cell);
  }
}

duckdb::Value to_duckdb(const Type& type, const Value& cell) {
  duckdb::Vector vector(to_logical(type), idx_t{1});
  write_cell(vector, 0, type, cell);
  return vector.GetValue(0);
}

duckdb::Value to_parameter(const Value& value) {
  if (value.is_null()) return duckdb::Value();
  if (value.get_if<bool>() != nullptr) return to_duckdb(Type::of(TypeKind::boolean), value);
  if (value.get_if<std::int64_t>() != nullptr) return to_duckdb(Type::of(TypeKind::int64), value);
  if (value.get_if<std::uint64_t>() != nullptr) return to_duckdb(Type::of(TypeKind::uint64), value);
  if (value.get_if<double>() != nullptr) return to_duckdb(Type::of(TypeKind::float64), value);
  if (value.get_if<Uuid>() != nullptr) return to_duckdb(Type::of(TypeKind::uuid), value);
  if (value.get_if<Instant>() != nullptr) return to_duckdb(Type::of(TypeKind::timestamp), value);
  if (value.get_if<store::Date>() != nullptr) return to_duckdb(Type::of(TypeKind::date), value);
  if (value.get_if<store::Binary>() != nullptr) return to_duckdb(Type::of(TypeKind::binary), value);
  if (value.get_if<store::Decimal>() != nullptr) return to_duckdb(Type::media_time(), value);
  if (const auto* list = value.get_if<ValueList>()) {
    duckdb::vector<duckdb::Value> elements;
    for (const Value& element : *list) elements.push_back(to_parameter(element));
    return duckdb::Value::LIST(std::move(elements));
  }
  if (const auto* map = value.get_if<ValueMap>()) {
    duckdb::child_list_t<duckdb::Value> members;
    for (const auto& [name, member] : *map) members.emplace_back(name, to_parameter(member));
    return duckdb::Value::STRUCT(std::move(members));
  }
  return duckdb::Value(value.get<std::string>());
}

Result<Value> to_cell(const Type& type, const duckdb::Value& value) {
  if (value.IsNull()) return Value();
  switch (type.kind) {
    case TypeKind::boolean: return Value(value.GetValueUnsafe<bool>());
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64: return Value(value.GetValue<std::int64_t>());
    case TypeKind::uint8:
    case TypeKind::uint16:
    case TypeKind::uint32:
    case TypeKind::uint64: return Value(value.GetValue<std::uint64_t>());
    case TypeKind::float32:
    case TypeKind::float64: return Value(value.GetValue<double>());
    case TypeKind::decimal: return to_decimal(value);
    case TypeKind::string:
      return Value(value.type().id() == duckdb::LogicalTypeId::VARCHAR
                       ? duckdb::StringValue::Get(value)
                       : value.ToString());
    case TypeKind::binary: return Value(store::Binary{duckdb::StringValue::Get(value)});
    case TypeKind::uuid: return Value(to_uuid(value.GetValueUnsafe<duckdb::hugeint_t>()));
    case TypeKind::timestamp: {
      const auto at = value.GetValueUnsafe<duckdb::timestamp_t>();
      if (!duckdb::Timestamp::IsFinite(at))
        return invalid("a timestamp cannot be {}", value.ToString());
      return Value(Instant{at.value});
    }
    case TypeKind::date: {
      const auto date = value.GetValueUnsafe<duckdb::date_t>();
      if (!duckdb::Date::IsFinite(date)) return invalid("a date cannot be {}", value.ToString());
      return Value(store::Date{date.days});
    }
    case TypeKind::list: return to_list(type, duckdb::ListValue::GetChildren(value));
    case TypeKind::fixed_list: return to_list(type, duckdb::ArrayValue::GetChildren(value));
    case TypeKind::structure: return to_list(type, duckdb::StructValue::GetChildren(value));
    case TypeKind::map: return to_map(type, value);
  }
  return internal("a type without cells");
}

}  // namespace reel::sql
