#include "iceberg/partition.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "iceberg/single_value.h"

namespace reel::iceberg {
namespace {

using Kind = Transform::Kind;

constexpr std::pair<Kind, std::string_view> kNames[] = {
    {Kind::identity, "identity"}, {Kind::nothing, "void"}, {Kind::bucket, "bucket"},
    {Kind::truncate, "truncate"}, {Kind::year, "year"},    {Kind::month, "month"},
    {Kind::day, "day"},           {Kind::hour, "hour"},
};

constexpr std::int64_t kHourMicros = 3'600'000'000;
constexpr std::int64_t kDayMicros = 24 * kHourMicros;

bool has_parameter(Kind kind) { return kind == Kind::bucket || kind == Kind::truncate; }

bool is_timestamp(const Type& type) {
  return type.kind == TypeKind::timestamp || type.kind == TypeKind::timestamptz;
}

bool can_bucket(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
    case TypeKind::float32:
    case TypeKind::float64: return false;
    default: return !type.is_nested();
  }
}

bool can_truncate(const Type& type) {
  switch (type.kind) {
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::decimal:
    case TypeKind::string:
    case TypeKind::binary: return true;
    default: return false;
  }
}

template <class Integer>
Integer floor_divide(Integer a, Integer b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

//! Year and month, from 1970-01, of a day: days_from_civil's inverse, for every 32-bit day.
std::pair<std::int64_t, std::int64_t> year_and_month(std::int64_t days) {
  constexpr std::int64_t kEraDays = 146'097;  // 400 years, from 0000-03-01
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = floor_divide(shifted, kEraDays);
  const std::int64_t day = shifted - era * kEraDays;
  const std::int64_t year = (day - day / 1460 + day / 36'524 - day / 146'096) / 365;
  const std::int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
  const std::int64_t march_month = (5 * day_of_year + 2) / 153;
  const std::int64_t month = (march_month + 2) % 12;
  return {year + era * 400 + (month < 2 ? 1 : 0) - 1970, month};
}

//! The text, cut to so many characters. The value is UTF-8.
std::string cut_text(const std::string& text, std::uint32_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (starts && count-- == 0) break;
  }
  return text.substr(0, at);
}

//! Bytes to hash: integers of any width, dates and times as 8 bytes, so that promotion changes
//! nothing.
Result<std::string> hashed_bytes(const Type& source, const store::Value& value) {
  switch (source.kind) {
    case TypeKind::int32: return to_bytes(Type::of(TypeKind::int64), value);
    case TypeKind::date:
      if (const auto* date = value.get_if<store::Date>()) {
        return to_bytes(Type::of(TypeKind::int64), store::Value(std::int64_t{date->days}));
      }
      return invalid("the value is no date");
    default: return to_bytes(source, value);
  }
}

Result<store::Value> bucket_of(const Type& source, const store::Value& value,
                               std::uint32_t buckets) {
  REEL_ASSIGN(const std::string bytes, hashed_bytes(source, value));
  const auto hash = static_cast<std::uint32_t>(bucket_hash(bytes)) & 0x7FFF'FFFFu;
  return store::Value(std::int64_t{hash % buckets});
}

Result<store::Value> truncated(const Type& source, const store::Value& value, std::uint32_t width) {
  // As bytes and back: the value is of the type, and integers are signed.
  REEL_ASSIGN(const std::string bytes, to_bytes(source, value));
  REEL_ASSIGN(store::Value exact, from_bytes(source, bytes));
  if (const auto* number = exact.get_if<std::int64_t>()) {
    const std::int64_t remainder = ((*number % width) + width) % width;
    return store::Value(static_cast<std::int64_t>(static_cast<std::uint64_t>(*number) -
                                                  static_cast<std::uint64_t>(remainder)));
  }
  if (const auto* decimal = exact.get_if<store::Decimal>()) {
    const store::Int128 w = width;
    return store::Value(store::Decimal{decimal->unscaled - ((decimal->unscaled % w) + w) % w});
  }
  if (const auto* text = exact.get_if<std::string>()) return store::Value(cut_text(*text, width));
  return store::Value(store::Binary{bytes.substr(0, width)});
}

Result<store::Value> time_part(const Type& source, const store::Value& value, Kind kind) {
  REEL_TRY(to_bytes(source, value));
  const auto* instant = value.get_if<Instant>();
  if (kind == Kind::hour) return store::Value(floor_divide(instant->micros, kHourMicros));
  const std::int64_t days = instant != nullptr ? floor_divide(instant->micros, kDayMicros)
                                               : std::int64_t{value.get<store::Date>().days};
  if (kind == Kind::day) return store::Value(store::Date{static_cast<std::int32_t>(days)});
  const auto [year, month] = year_and_month(days);
  return store::Value(kind == Kind::year ? year : year * 12 + month);
}

std::uint32_t mixed(std::uint32_t block) {
  return std::rotl(block * 0xCC9E2D51u, 15) * 0x1B873593u;
}

Result<std::int32_t> read_id(const json::Value& json, std::string_view member,
                             const std::string& pointer) {
  const json::Value* given = json.find(member);
  std::int64_t id = 0;
  if (given == nullptr || !given->get_int64(id) || id < 0 || id > INT32_MAX) {
    return at(pointer, invalid("'{}' is no id", member));
  }
  return static_cast<std::int32_t>(id);
}

Result<std::string> read_text(const json::Value& json, std::string_view member,
                              const std::string& pointer) {
  const json::Value* given = json.find(member);
  if (given == nullptr || given->as_string() == nullptr) {
    return at(pointer, invalid("'{}' is no text", member));
  }
  return *given->as_string();
}

}  // namespace

Result<Transform> Transform::parse(std::string_view text) {
  for (const auto& [kind, name] : kNames) {
    if (!text.starts_with(name)) continue;
    std::string_view rest = text.substr(name.size());
    if (!has_parameter(kind)) {
      if (rest.empty()) return Transform{.kind = kind};
      continue;
    }
    Transform transform{.kind = kind};
    if (!rest.starts_with('[') || !rest.ends_with(']')) continue;
    rest = rest.substr(1, rest.size() - 2);
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), transform.parameter);
    const bool whole = error == std::errc() && end == rest.data() + rest.size();
    if (whole && transform.parameter > 0 && transform.parameter <= INT32_MAX) return transform;
  }
  return unsupported("the transform '{}' is none of format version 2", text);
}

std::string Transform::to_string() const {
  const auto* name = std::find_if(std::begin(kNames), std::end(kNames),
                                  [&](const auto& entry) { return entry.first == kind; });
  if (!has_parameter(kind)) return std::string(name->second);
  return fmt::format("{}[{}]", name->second, parameter);
}

Result<Type> Transform::result_of(const Type& source) const {
  const bool dated = source.kind == TypeKind::date || is_timestamp(source);
  switch (kind) {
    case Kind::identity:
    case Kind::nothing:
      if (!source.is_nested()) return source;
      break;
    case Kind::bucket:
      if (can_bucket(source)) return Type::of(TypeKind::int32);
      break;
    case Kind::truncate:
      if (can_truncate(source)) return source;
      break;
    case Kind::year:
    case Kind::month:
      if (dated) return Type::of(TypeKind::int32);
      break;
    case Kind::day:
      if (dated) return Type::of(TypeKind::date);
      break;
    case Kind::hour:
      if (is_timestamp(source)) return Type::of(TypeKind::int32);
      break;
  }
  return invalid("{} is not for a column of type {}", to_string(), source.to_string());
}

Result<store::Value> Transform::apply(const Type& source, const store::Value& value) const {
  if (value.is_null() || kind == Kind::nothing) return store::Value();
  switch (kind) {
    case Kind::identity: REEL_TRY(to_bytes(source, value)); return value;
    case Kind::bucket: return bucket_of(source, value, parameter);
    case Kind::truncate: return truncated(source, value, parameter);
    default: return time_part(source, value, kind);
  }
}

FieldId PartitionSpec::highest_id() const {
  FieldId highest = kFirstPartitionFieldId - 1;
  for (const PartitionField& field : fields) highest = std::max(highest, field.id);
  return highest;
}

Result<std::vector<Field>> PartitionSpec::types(const std::vector<Schema>& schemas,
                                                SchemaId current) const {
  std::vector<Field> out;
  for (const PartitionField& field : fields) {
    const Field* source = nullptr;
    for (const Schema& schema : schemas) {
      const Field* found = schema.find(field.source_id);
      if (found != nullptr) source = found;
      if (found != nullptr && schema.id == current) break;
    }
    if (source == nullptr) {
      return not_found("partition field '{}' is of column {}, which no schema has", field.name,
                       field.source_id);
    }
    REEL_ASSIGN(Type type, field.transform.result_of(source->type));
    out.push_back({.id = field.id, .name = field.name, .type = std::move(type)});
  }
  return out;
}

json::Value fields_to_json(const PartitionSpec& spec) {
  json::Array out;
  for (const PartitionField& field : spec.fields) {
    json::Value item;
    item.set("source-id", std::int64_t{field.source_id});
    item.set("field-id", std::int64_t{field.id});
    item.set("name", field.name);
    item.set("transform", field.transform.to_string());
    out.push_back(std::move(item));
  }
  return json::Value(std::move(out));
}

json::Value to_json(const PartitionSpec& spec) {
  json::Value out;
  out.set("spec-id", std::int64_t{spec.id});
  out.set("fields", fields_to_json(spec));
  return out;
}

Result<std::vector<PartitionField>> partition_fields_from_json(const json::Value& json,
                                                               const std::string& pointer) {
  if (json.as_array() == nullptr) return at(pointer, invalid("no list of partition fields"));
  std::vector<PartitionField> fields;
  for (const json::Value& item : *json.as_array()) {
    const std::string place = json::join_pointer(pointer, fields.size());
    PartitionField field;
    REEL_ASSIGN(field.source_id, read_id(item, "source-id", place));
    REEL_ASSIGN(field.id, read_id(item, "field-id", place));
    REEL_ASSIGN(field.name, read_text(item, "name", place));
    REEL_ASSIGN(const std::string transform, read_text(item, "transform", place));
    REEL_ASSIGN(field.transform, Transform::parse(transform));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<PartitionSpec> partition_spec_from_json(const json::Value& json,
                                               const std::string& pointer) {
  PartitionSpec spec;
  REEL_ASSIGN(spec.id, read_id(json, "spec-id", pointer));
  const json::Value* fields = json.find("fields");
  if (fields == nullptr) return at(pointer, invalid("'fields' is missing"));
  REEL_ASSIGN(spec.fields, partition_fields_from_json(*fields, pointer + "/fields"));
  return spec;
}

std::int32_t bucket_hash(std::string_view bytes) {
  std::uint32_t hash = 0;
  const auto byte_at = [&](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(bytes[i])};
  };
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    hash ^= mixed(byte_at(i) | byte_at(i + 1) << 8 | byte_at(i + 2) << 16 | byte_at(i + 3) << 24);
    hash = std::rotl(hash, 13) * 5 + 0xE6546B64u;
  }
  std::uint32_t tail = 0;
  for (std::size_t end = bytes.size(); end > i; --end) tail = tail << 8 | byte_at(end - 1);
  if (i < bytes.size()) hash ^= mixed(tail);
  hash ^= static_cast<std::uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85EBCA6Bu;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35u;
  return static_cast<std::int32_t>(hash ^ hash >> 16);
}

}  // namespace reel::iceberg
