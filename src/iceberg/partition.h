#pragma once
//! How a table is partitioned: transforms of column values, and specs made of them.

#include <string>
#include <string_view>
#include <vector>

#include "iceberg/schema.h"

namespace reel::iceberg {

using SpecId = std::int32_t;

struct Transform {
  enum class Kind : std::uint8_t { identity, nothing, bucket, truncate, year, month, day, hour };
  Kind kind = Kind::identity;
  std::uint32_t parameter = 0;  //!< buckets, or the width to cut to

  //! "bucket[16]", "void". Code::unsupported for a name that is none of format version 2.
  static Result<Transform> parse(std::string_view text);
  std::string to_string() const;

  //! What the transform makes of a type; Code::invalid when it is not for that type.
  Result<Type> result_of(const Type& source) const;
  //! What it makes of a value, null of null. REQUIRES: result_of(source). Code::invalid when the
  //! value is none of the type.
  Result<store::Value> apply(const Type& source, const store::Value& value) const;

  friend bool operator==(const Transform&, const Transform&) = default;
};

struct PartitionField {
  FieldId source_id = 0;  //!< the column
  FieldId id = 0;         //!< of the partition value, from kFirstPartitionFieldId on
  std::string name;
  Transform transform;
  friend bool operator==(const PartitionField&, const PartitionField&) = default;
};

inline constexpr FieldId kFirstPartitionFieldId = 1000;

//! Without fields: the table is not partitioned.
struct PartitionSpec {
  SpecId id = 0;
  std::vector<PartitionField> fields;

  FieldId highest_id() const;
  //! The types of the partition values, as optional fields, given the table's schemas, oldest first
  //! but for the current one, which counts first. Code::not_found when no schema has a column.
  Result<std::vector<Field>> types(const std::vector<Schema>& schemas, SchemaId current) const;
};

//! The fields only, which is the form that manifests carry.
json::Value fields_to_json(const PartitionSpec& spec);
json::Value to_json(const PartitionSpec& spec);
Result<std::vector<PartitionField>> partition_fields_from_json(const json::Value& json,
                                                               const std::string& pointer = "");
Result<PartitionSpec> partition_spec_from_json(const json::Value& json, const std::string& pointer);

//! Murmur3, 32 bits, x86, seed 0: what bucket[N] takes the remainder of (Appendix B).
std::int32_t bucket_hash(std::string_view bytes);

}  // namespace reel::iceberg
