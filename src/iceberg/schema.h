#pragma once
//! Schemas of Iceberg tables: types, JSON, and how they follow a table of the store (Iceberg
//! specification, format version 2).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "store/schema.h"

namespace reel::iceberg {

//! Permanent, unique in a table over columns, members, elements, keys and values.
using FieldId = std::int32_t;
using SchemaId = std::int32_t;

//! Ids above are reserved for columns that readers make up, like `_file`.
inline constexpr FieldId kFieldIdMax = INT32_MAX - 200;

enum class TypeKind : std::uint8_t {
  boolean,
  int32,    //!< Iceberg calls it int
  int64,    //!< long
  float32,  //!< float
  float64,  //!< double
  decimal,
  date,
  time,
  timestamp,  //!< without a zone
  timestamptz,
  string,
  uuid,
  fixed,
  binary,
  structure,
  list,
  map,
};

struct Field;

struct Type {
  TypeKind kind = TypeKind::string;
  std::uint8_t precision = 0;  //!< decimal, at most 38
  std::uint8_t scale = 0;      //!< decimal
  std::uint32_t size = 0;      //!< fixed, bytes
  //! Members of a struct; the element of a list; key and value of a map.
  std::vector<Field> fields;

  static Type of(TypeKind kind);
  static Type decimal(std::uint8_t precision, std::uint8_t scale);
  static Type fixed(std::uint32_t size);
  static Type structure(std::vector<Field> members);
  static Type list(Field element);
  static Type map(Field key, Field value);

  bool is_nested() const { return kind >= TypeKind::structure; }
  //! "decimal(9,2)", "fixed[16]"; a nested type's kind only.
  std::string to_string() const;
  friend bool operator==(const Type&, const Type&);
};

struct Field {
  FieldId id = 0;
  std::string name;
  bool required = false;
  Type type = {};
  std::string doc = {};
  friend bool operator==(const Field&, const Field&) = default;
};

struct Schema {
  SchemaId id = 0;
  std::vector<Field> fields;
  //! Columns whose values together tell rows apart.
  std::vector<FieldId> identifiers = {};

  //! Wherever it is, nullptr if there is none.
  const Field* find(FieldId field_id) const;
  FieldId highest_id() const;
  //! The same fields, whatever the id of the schema.
  bool same_fields(const Schema& other) const {
    return fields == other.fields && identifiers == other.identifiers;
  }
};

//! The schema of a table of the store: the same names and the same permanent ids, those of nested
//! fields included. Every value keeps its meaning (docs/formats/iceberg.md). Code::unsupported for
//! an id that Iceberg reserves.
Result<Schema> schema_of(const store::TableSchema& table);
Result<Type> type_of(const store::Type& type);

json::Value to_json(const Schema& schema);
//! Code::invalid with the pointer below `pointer`; Code::unsupported names a type of a later format
//! version.
Result<Schema> schema_from_json(const json::Value& json, const std::string& pointer = "");

//! Whether values that were written as `from` can be read as `to`: int as long, float as double, a
//! decimal with more digits, and nested types of the same shape and ids.
bool is_promotion(const Type& from, const Type& to);

//! What a table's schema becomes when the next one is to be `wanted`, given all it had: a field
//! that is new to the table is optional, because older files lack it, and no field becomes required
//! that was not. Code::conflict when a field has, or once had, a type that `wanted` cannot read.
//! The id of the result is that of an equal earlier schema, else a new one.
Result<Schema> evolve(const std::vector<Schema>& history, SchemaId current, const Schema& wanted);

}  // namespace reel::iceberg
