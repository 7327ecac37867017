#include <duckdb/common/optional_idx.hpp>
#include <duckdb/common/types.hpp>

#include "sql/types_internal.h"

namespace reel::sql {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using store::Type;
using store::TypeKind;

//! Digits of HUGEINT and of DECIMAL(38): more than a column may have.
constexpr std::uint8_t kDigitsMax = 38;

std::optional<TypeKind> simple_kind(LogicalTypeId id) {
  switch (id) {
    case LogicalTypeId::BOOLEAN: return TypeKind::boolean;
    case LogicalTypeId::TINYINT: return TypeKind::int8;
    case LogicalTypeId::SMALLINT: return TypeKind::int16;
    case LogicalTypeId::INTEGER: return TypeKind::int32;
    case LogicalTypeId::BIGINT: return TypeKind::int64;
    case LogicalTypeId::UTINYINT: return TypeKind::uint8;
    case LogicalTypeId::USMALLINT: return TypeKind::uint16;
    case LogicalTypeId::UINTEGER: return TypeKind::uint32;
    case LogicalTypeId::UBIGINT: return TypeKind::uint64;
    case LogicalTypeId::FLOAT: return TypeKind::float32;
    case LogicalTypeId::DOUBLE: return TypeKind::float64;
    case LogicalTypeId::VARCHAR: return TypeKind::string;
    case LogicalTypeId::BLOB: return TypeKind::binary;
    case LogicalTypeId::UUID: return TypeKind::uuid;
    case LogicalTypeId::TIMESTAMP_TZ: return TypeKind::timestamp;
    case LogicalTypeId::DATE: return TypeKind::date;
    default: return std::nullopt;
  }
}

LogicalType simple_logical(TypeKind kind) {
  switch (kind) {
    case TypeKind::boolean: return LogicalType::BOOLEAN;
    case TypeKind::int8: return LogicalType::TINYINT;
    case TypeKind::int16: return LogicalType::SMALLINT;
    case TypeKind::int32: return LogicalType::INTEGER;
    case TypeKind::int64: return LogicalType::BIGINT;
    case TypeKind::uint8: return LogicalType::UTINYINT;
    case TypeKind::uint16: return LogicalType::USMALLINT;
    case TypeKind::uint32: return LogicalType::UINTEGER;
    case TypeKind::uint64: return LogicalType::UBIGINT;
    case TypeKind::float32: return LogicalType::FLOAT;
    case TypeKind::float64: return LogicalType::DOUBLE;
    case TypeKind::binary: return LogicalType::BLOB;
    case TypeKind::uuid: return LogicalType::UUID;
    case TypeKind::timestamp: return LogicalType::TIMESTAMP_TZ;
    case TypeKind::date: return LogicalType::DATE;
    default: return LogicalType::VARCHAR;
  }
}

//! A nested type whose children `convert` turns over; nullopt when this one is not nested.
template <class Convert>
Result<std::optional<Type>> nested(const LogicalType& type, const Convert& convert) {
  switch (type.id()) {
    case LogicalTypeId::LIST: {
      REEL_ASSIGN(Type element, convert(duckdb::ListType::GetChildType(type)));
      return Type::list(std::move(element));
    }
    case LogicalTypeId::ARRAY: {
      REEL_ASSIGN(Type element, convert(duckdb::ArrayType::GetChildType(type)));
      return Type::fixed_list(std::move(element),
                              static_cast<std::uint32_t>(duckdb::ArrayType::GetSize(type)));
    }
    case LogicalTypeId::STRUCT: {
      std::vector<store::Field> members;
      for (const auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
        REEL_ASSIGN(Type member, convert(child));
        members.push_back({.id = 0, .name = name, .type = std::move(member)});
      }
      return Type::structure(std::move(members));
    }
    case LogicalTypeId::MAP: {
      if (duckdb::MapType::KeyType(type).id() != LogicalTypeId::VARCHAR) {
        return unsupported("{}: the keys of a map are VARCHAR", type.ToString());
      }
      REEL_ASSIGN(Type value, convert(duckdb::MapType::ValueType(type)));
      return Type::map(std::move(value));
    }
    default: return std::nullopt;
  }
}

Type decimal_of(const LogicalType& type) {
  return Type::decimal(duckdb::DecimalType::GetWidth(type), duckdb::DecimalType::GetScale(type));
}

}  // namespace

LogicalType to_logical(const Type& type) {
  switch (type.kind) {
    case TypeKind::decimal: return LogicalType::DECIMAL(type.precision, type.scale);
    case TypeKind::list: return LogicalType::LIST(to_logical(type.children[0].type));
    case TypeKind::fixed_list:
      return LogicalType::ARRAY(to_logical(type.children[0].type), type.size);
    case TypeKind::map:
      return LogicalType::MAP(LogicalType::VARCHAR, to_logical(type.children[0].type));
    case TypeKind::structure: {
      duckdb::child_list_t<LogicalType> members;
      for (const store::Field& field : type.children) {
        members.emplace_back(field.name, to_logical(field.type));
      }
      return LogicalType::STRUCT(std::move(members));
    }
    default: return simple_logical(type.kind);
  }
}

Result<Type> to_stored(const LogicalType& type) {
  if (const auto kind = simple_kind(type.id())) return Type::of(*kind);
  std::optional<Type> stored;
  if (type.id() == LogicalTypeId::DECIMAL) {
    stored = decimal_of(type);
  } else {
    REEL_ASSIGN(stored, nested(type, to_stored));
  }
  if (!stored) return unsupported("a column cannot have the type {}", type.ToString());
  if (const Status fits = check_type(*stored); !fits) {
    return unsupported("a column cannot have the type {}: {}", type.ToString(),
                       fits.error().message());
  }
  return *std::move(stored);
}

Type to_shown(const LogicalType& type) {
  if (const auto kind = simple_kind(type.id())) return Type::of(*kind);
  if (type.id() == LogicalTypeId::DECIMAL) return decimal_of(type);
  if (type.id() == LogicalTypeId::HUGEINT) return Type::decimal(kDigitsMax, 0);
  auto shown = nested(type, [](const LogicalType& child) { return Result<Type>(to_shown(child)); });
  return shown && *shown ? **std::move(shown) : Type::of(TypeKind::string);
}

}  // namespace reel::sql
