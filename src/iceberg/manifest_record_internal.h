#pragma once
//! Records of a manifest or a manifest list, by the ids of their fields: names and order are the
//! writer's own.

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/avro.h"
#include "iceberg/schema.h"

namespace reel::iceberg {

//! Looks at one record. `place` names it in errors.
class Record {
 public:
  //! The object of a file. Code::corrupt when it is no record.
  static Result<Record> of(const avro::Schema& schema, avro::NodeIndex type,
                           const avro::Value& value, std::string place);

  //! nullptr when the record has no such field or its value is null.
  const avro::Value* find(FieldId id) const;

  Result<std::int64_t> integer(FieldId id) const;
  Result<std::optional<std::int64_t>> optional_integer(FieldId id) const;
  Result<std::optional<std::int32_t>> optional_small_integer(FieldId id) const;
  //! `otherwise` stands for a field that older formats lack.
  Result<std::int64_t> integer_or(FieldId id, std::int64_t otherwise) const;
  Result<std::string> text(FieldId id) const;
  Result<std::optional<std::string>> optional_text(FieldId id) const;
  Result<std::optional<bool>> optional_flag(FieldId id) const;
  Result<Record> record(FieldId id) const;
  //! Items of a list of records; none when it is null.
  Result<std::vector<Record>> records(FieldId id) const;
  Result<std::vector<std::int64_t>> integers(FieldId id) const;
  //! Maps by the id of a column, which are lists of records of a key and a value.
  Result<std::map<FieldId, std::int64_t>> integer_map(FieldId id) const;
  Result<std::map<FieldId, std::string>> text_map(FieldId id) const;

  Failure corrupt_field(FieldId id, std::string_view what) const {
    return corrupt("{}: field {} {}", place_, id, what);
  }

 private:
  Record(const avro::Schema& schema, const avro::Node& node, const avro::List& members,
         std::string place)
      : schema_(&schema), node_(&node), members_(&members), place_(std::move(place)) {}
  //! The field's type, without the null of a union.
  const avro::Node& type_of(FieldId id) const;
  template <class T>
  Result<std::map<FieldId, T>> map(FieldId id) const;

  const avro::Schema* schema_;
  const avro::Node* node_;
  const avro::List* members_;
  std::string place_;
};

//! The value of a partition field, and back.
Result<store::Value> partition_value(const Type& type, const avro::Value& value,
                                     const std::string& place);
Result<avro::Value> to_avro(const Type& type, const store::Value& value);
//! The Avro type of a partition field, as JSON; `id` makes the names of fixed types unique.
std::string avro_type(const Type& type, FieldId id);
//! A name that Avro allows (Iceberg's rule for others).
std::string avro_name(std::string_view name);

}  // namespace reel::iceberg
