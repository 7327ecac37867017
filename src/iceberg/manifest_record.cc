#include <algorithm>

#include "iceberg/manifest_record_internal.h"
#include "iceberg/single_value.h"

namespace reel::iceberg {
namespace {

//! The type without the null of a union with it.
avro::NodeIndex without_null(const avro::Schema& schema, avro::NodeIndex index) {
  const avro::Node& node = schema.node(index);
  if (node.kind != avro::Kind::choice) return index;
  for (const avro::NodeIndex branch : node.children) {
    if (schema.node(branch).kind != avro::Kind::null) return branch;
  }
  return index;
}

//! Bytes that hold every decimal of so many digits, with its sign.
std::size_t decimal_bytes(std::uint8_t precision) {
  store::Int128 largest = 0;
  for (int i = 0; i < precision; ++i) largest = largest * 10 + 9;
  return minimal_big_endian(largest).size();
}

std::string fixed_type(std::string_view prefix, FieldId id, std::size_t size,
                       std::string_view logical) {
  return fmt::format(R"({{"type":"fixed","name":"{}_{}","size":{}{}}})", prefix, id, size, logical);
}

}  // namespace

Result<Record> Record::of(const avro::Schema& schema, avro::NodeIndex type,
                          const avro::Value& value, std::string place) {
  const avro::Node& node = schema.node(without_null(schema, type));
  const auto* members = value.get_if<avro::List>();
  if (node.kind != avro::Kind::record || members == nullptr) {
    return corrupt("{} is no record", place);
  }
  return Record(schema, node, *members, std::move(place));
}

const avro::Value* Record::find(FieldId id) const {
  for (std::size_t i = 0; i < node_->fields.size(); ++i) {
    if (node_->fields[i].id != id) continue;
    return (*members_)[i].is_null() ? nullptr : &(*members_)[i];
  }
  return nullptr;
}

const avro::Node& Record::type_of(FieldId id) const {
  const auto field = std::find_if(node_->fields.begin(), node_->fields.end(),
                                  [&](const avro::Node::Field& f) { return f.id == id; });
  return schema_->node(without_null(*schema_, field->type));
}

Result<std::optional<std::int64_t>> Record::optional_integer(FieldId id) const {
  const avro::Value* value = find(id);
  if (value == nullptr) return std::nullopt;
  const auto* number = value->get_if<std::int64_t>();
  if (number == nullptr) return corrupt_field(id, "is no integer");
  return *number;
}

Result<std::optional<std::int32_t>> Record::optional_small_integer(FieldId id) const {
  REEL_ASSIGN(const auto number, optional_integer(id));
  if (!number) return std::nullopt;
  if (*number < INT32_MIN || *number > INT32_MAX) return corrupt_field(id, "exceeds 32 bits");
  return static_cast<std::int32_t>(*number);
}

Result<std::int64_t> Record::integer(FieldId id) const {
  REEL_ASSIGN(const auto number, optional_integer(id));
  if (!number) return corrupt_field(id, "is missing");
  return *number;
}

Result<std::int64_t> Record::integer_or(FieldId id, std::int64_t otherwise) const {
  REEL_ASSIGN(const auto number, optional_integer(id));
  return number.value_or(otherwise);
}

Result<std::optional<std::string>> Record::optional_text(FieldId id) const {
  const avro::Value* value = find(id);
  if (value == nullptr) return std::nullopt;
  const auto* text = value->get_if<std::string>();
  if (text == nullptr) return corrupt_field(id, "is no text");
  return *text;
}

Result<std::string> Record::text(FieldId id) const {
  REEL_ASSIGN(auto text, optional_text(id));
  if (!text) return corrupt_field(id, "is missing");
  return *std::move(text);
}

Result<std::optional<bool>> Record::optional_flag(FieldId id) const {
  const avro::Value* value = find(id);
  if (value == nullptr) return std::nullopt;
  const auto* flag = value->get_if<bool>();
  if (flag == nullptr) return corrupt_field(id, "is no boolean");
  return *flag;
}

Result<Record> Record::record(FieldId id) const {
  const avro::Value* value = find(id);
  if (value == nullptr) return corrupt_field(id, "is missing");
  const avro::Node& node = type_of(id);
  const auto* members = value->get_if<avro::List>();
  if (node.kind != avro::Kind::record || members == nullptr)
    return corrupt_field(id, "is no record");
  return Record(*schema_, node, *members, place_);
}

Result<std::vector<Record>> Record::records(FieldId id) const {
  std::vector<Record> out;
  const avro::Value* value = find(id);
  if (value == nullptr) return out;
  const avro::Node& node = type_of(id);
  const auto* items = value->get_if<avro::List>();
  if (node.kind != avro::Kind::array || items == nullptr) return corrupt_field(id, "is no list");
  for (const avro::Value& item : *items) {
    REEL_ASSIGN(Record record, of(*schema_, node.children[0], item,
                                  fmt::format("{}: an item of field {}", place_, id)));
    out.push_back(std::move(record));
  }
  return out;
}

Result<std::vector<std::int64_t>> Record::integers(FieldId id) const {
  std::vector<std::int64_t> out;
  const avro::Value* value = find(id);
  if (value == nullptr) return out;
  const auto* items = value->get_if<avro::List>();
  if (type_of(id).kind != avro::Kind::array || items == nullptr) {
    return corrupt_field(id, "is no list");
  }
  for (const avro::Value& item : *items) {
    const auto* number = item.get_if<std::int64_t>();
    if (number == nullptr) return corrupt_field(id, "has an item that is no integer");
    out.push_back(*number);
  }
  return out;
}

template <class T>
Result<std::map<FieldId, T>> Record::map(FieldId id) const {
  std::map<FieldId, T> out;
  REEL_ASSIGN(const std::vector<Record> entries, records(id));
  for (const Record& entry : entries) {
    const avro::List& members = *entry.members_;
    const auto* key = members.size() == 2 ? members[0].get_if<std::int64_t>() : nullptr;
    const auto* value = members.size() == 2 ? members[1].get_if<T>() : nullptr;
    const bool fits = key != nullptr && *key >= std::numeric_limits<FieldId>::min() &&
                      *key <= std::numeric_limits<FieldId>::max();
    if (!fits) return corrupt_field(id, "has a key that is no id of a column");
    if (value == nullptr) return corrupt_field(id, "has a value of another type");
    out.insert_or_assign(static_cast<FieldId>(*key), *value);
  }
  return out;
}

Result<std::map<FieldId, std::int64_t>> Record::integer_map(FieldId id) const {
  return map<std::int64_t>(id);
}

Result<std::map<FieldId, std::string>> Record::text_map(FieldId id) const {
  return map<std::string>(id);
}

Result<store::Value> partition_value(const Type& type, const avro::Value& value,
                                     const std::string& place) {
  if (value.is_null()) return store::Value();
  const auto wrong = [&] { return corrupt("{} is no {}", place, type.to_string()); };
  if (type.kind == TypeKind::boolean) {
    const auto* flag = value.get_if<bool>();
    if (flag == nullptr) return wrong();
    return store::Value(*flag);
  }
  if (type.kind == TypeKind::float32 || type.kind == TypeKind::float64) {
    const auto* number = value.get_if<double>();
    if (number == nullptr) return wrong();
    return store::Value(*number);
  }
  if (const auto* number = value.get_if<std::int64_t>()) {
    switch (type.kind) {
      case TypeKind::int32:
      case TypeKind::int64:
      case TypeKind::time: return store::Value(*number);
      case TypeKind::timestamp:
      case TypeKind::timestamptz: return store::Value(Instant{*number});
      case TypeKind::date:
        if (*number < INT32_MIN || *number > INT32_MAX) return wrong();
        return store::Value(store::Date{static_cast<std::int32_t>(*number)});
      default: return wrong();
    }
  }
  const auto* bytes = value.get_if<std::string>();
  const bool is_bytes = type.kind == TypeKind::decimal || type.kind == TypeKind::string ||
                        type.kind == TypeKind::uuid || type.kind == TypeKind::fixed ||
                        type.kind == TypeKind::binary;
  if (bytes == nullptr || !is_bytes) return wrong();
  return from_bytes(type, *bytes);
}

Result<avro::Value> to_avro(const Type& type, const store::Value& value) {
  if (value.is_null()) return avro::Value();
  REEL_ASSIGN(std::string bytes, to_bytes(type, value));
  switch (type.kind) {
    case TypeKind::boolean: return avro::Value(bytes[0] != 0);
    case TypeKind::float32:
    case TypeKind::float64: return avro::Value(value.get<double>());
    case TypeKind::date: return avro::Value(value.get<store::Date>().days);
    case TypeKind::timestamp:
    case TypeKind::timestamptz: return avro::Value(value.get<Instant>().micros);
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::time: {
      REEL_ASSIGN(const store::Value number, from_bytes(type, bytes));
      return avro::Value(number.get<std::int64_t>());
    }
    case TypeKind::decimal: {
      const char sign = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0 ? '\xFF' : '\0';
      bytes.insert(0, decimal_bytes(type.precision) - bytes.size(), sign);
      return avro::Value(std::move(bytes));
    }
    default: return avro::Value(std::move(bytes));
  }
}

std::string avro_type(const Type& type, FieldId id) {
  switch (type.kind) {
    case TypeKind::boolean: return R"("boolean")";
    case TypeKind::int32: return R"("int")";
    case TypeKind::int64: return R"("long")";
    case TypeKind::float32: return R"("float")";
    case TypeKind::float64: return R"("double")";
    case TypeKind::date: return R"({"type":"int","logicalType":"date"})";
    case TypeKind::time: return R"({"type":"long","logicalType":"time-micros"})";
    case TypeKind::timestamp:
      return R"({"type":"long","logicalType":"timestamp-micros","adjust-to-utc":false})";
    case TypeKind::timestamptz:
      return R"({"type":"long","logicalType":"timestamp-micros","adjust-to-utc":true})";
    case TypeKind::string: return R"("string")";
    case TypeKind::binary: return R"("bytes")";
    case TypeKind::uuid: return fixed_type("uuid", id, 16, R"(,"logicalType":"uuid")");
    case TypeKind::fixed: return fixed_type("fixed", id, type.size, "");
    case TypeKind::decimal:
      return fixed_type("decimal", id, decimal_bytes(type.precision),
                        fmt::format(R"(,"logicalType":"decimal","precision":{},"scale":{})",
                                    type.precision, type.scale));
    default: return R"("null")";
  }
}

std::string avro_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  for (const char c : name) {
    if (is_letter(c) || (is_digit(c) && !out.empty())) {
      out.push_back(c);
    } else if (is_digit(c)) {
      out += fmt::format("_{}", c);
    } else {
      out += fmt::format("_x{:X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace reel::iceberg
