#include "iceberg/schema.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

namespace reel::iceberg {
namespace {

constexpr int kDepthMax = 32;

struct KindName {
  TypeKind kind;
  std::string_view name;
};
constexpr KindName kNames[] = {
    {TypeKind::boolean, "boolean"},
    {TypeKind::int32, "int"},
    {TypeKind::int64, "long"},
    {TypeKind::float32, "float"},
    {TypeKind::float64, "double"},
    {TypeKind::decimal, "decimal"},
    {TypeKind::date, "date"},
    {TypeKind::time, "time"},
    {TypeKind::timestamp, "timestamp"},
    {TypeKind::timestamptz, "timestamptz"},
    {TypeKind::string, "string"},
    {TypeKind::uuid, "uuid"},
    {TypeKind::fixed, "fixed"},
    {TypeKind::binary, "binary"},
    {TypeKind::structure, "struct"},
    {TypeKind::list, "list"},
    {TypeKind::map, "map"},
};

std::string_view name_of(TypeKind kind) {
  return std::find_if(std::begin(kNames), std::end(kNames),
                      [&](const KindName& entry) { return entry.kind == kind; })
      ->name;
}

const Field* find_in(const std::vector<Field>& fields, FieldId id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* nested = find_in(field.type.fields, id)) return nested;
  }
  return nullptr;
}

FieldId highest_in(const std::vector<Field>& fields) {
  FieldId highest = 0;
  for (const Field& field : fields) {
    highest = std::max({highest, field.id, highest_in(field.type.fields)});
  }
  return highest;
}

// ---- from the store ----

Result<FieldId> field_id_of(std::uint32_t id, std::string_view name) {
  if (id == 0 || id > static_cast<std::uint32_t>(kFieldIdMax)) {
    return unsupported("'{}' has the id {}, Iceberg's are 1 to {}", name, id, kFieldIdMax);
  }
  return static_cast<FieldId>(id);
}

Result<Field> child_of(const store::Field& child, std::string name, bool required) {
  REEL_ASSIGN(const FieldId id, field_id_of(child.id, child.name));
  REEL_ASSIGN(Type type, type_of(child.type));
  return Field{.id = id, .name = std::move(name), .required = required, .type = std::move(type)};
}

Result<Type> list_of(const store::Type& type) {
  const bool required = type.kind == store::TypeKind::fixed_list;
  REEL_ASSIGN(Field element, child_of(type.children.at(0), "element", required));
  return Type::list(std::move(element));
}

Result<Type> map_of(const store::Type& type) {
  REEL_ASSIGN(Field value, child_of(type.children.at(0), "value", false));
  REEL_ASSIGN(const FieldId key_id, field_id_of(type.children[0].id - 1, "key"));
  Field key{.id = key_id, .name = "key", .required = true, .type = Type::of(TypeKind::string)};
  return Type::map(std::move(key), std::move(value));
}

Result<Type> structure_of(const store::Type& type) {
  std::vector<Field> members;
  for (const store::Field& member : type.children) {
    REEL_ASSIGN(Field field, child_of(member, member.name, false));
    members.push_back(std::move(field));
  }
  return Type::structure(std::move(members));
}

// ---- JSON ----

json::Value to_json(const Type& type);

json::Value to_json(const Field& field) {
  json::Value out;
  out.set("id", std::int64_t{field.id});
  out.set("name", field.name);
  out.set("required", field.required);
  out.set("type", to_json(field.type));
  if (!field.doc.empty()) out.set("doc", field.doc);
  return out;
}

json::Value to_json(const std::vector<Field>& fields) {
  json::Array out;
  for (const Field& field : fields) out.push_back(to_json(field));
  return json::Value(std::move(out));
}

json::Value to_json(const Type& type) {
  json::Value out;
  switch (type.kind) {
    case TypeKind::structure:
      out.set("type", "struct");
      out.set("fields", to_json(type.fields));
      return out;
    case TypeKind::list:
      out.set("type", "list");
      out.set("element-id", std::int64_t{type.fields[0].id});
      out.set("element", to_json(type.fields[0].type));
      out.set("element-required", type.fields[0].required);
      return out;
    case TypeKind::map:
      out.set("type", "map");
      out.set("key-id", std::int64_t{type.fields[0].id});
      out.set("key", to_json(type.fields[0].type));
      out.set("value-id", std::int64_t{type.fields[1].id});
      out.set("value", to_json(type.fields[1].type));
      out.set("value-required", type.fields[1].required);
      return out;
    default: return json::Value(type.to_string());
  }
}

//! Reads a schema; every id may occur once.
class SchemaReader {
 public:
  Result<std::vector<Field>> read_fields(const json::Value& json, const std::string& pointer,
                                         int depth) {
    if (depth > kDepthMax) return at(pointer, invalid("nested deeper than {}", kDepthMax));
    const json::Value* list = json.find("fields");
    if (list == nullptr || list->as_array() == nullptr) {
      return at(pointer, invalid("a struct has no list 'fields'"));
    }
    std::vector<Field> fields;
    for (std::size_t i = 0; i < list->as_array()->size(); ++i) {
      REEL_ASSIGN(Field field, read_field((*list->as_array())[i],
                                          json::join_pointer(pointer + "/fields", i), depth));
      fields.push_back(std::move(field));
    }
    return fields;
  }

 private:
  Result<Field> read_field(const json::Value& json, const std::string& pointer, int depth) {
    Field field;
    const json::Value* name = json.find("name");
    if (name == nullptr || name->as_string() == nullptr) {
      return at(pointer, invalid("a field has no 'name'"));
    }
    field.name = *name->as_string();
    REEL_ASSIGN(field.id, read_id(json, "id", pointer));
    REEL_ASSIGN(field.required, read_flag(json, "required", pointer));
    REEL_ASSIGN(field.type, read_type_of(json, "type", pointer, depth));
    if (const json::Value* doc = json.find("doc"); doc != nullptr && doc->as_string() != nullptr) {
      field.doc = *doc->as_string();
    }
    return field;
  }

  Result<FieldId> read_id(const json::Value& json, std::string_view member,
                          const std::string& pointer) {
    const json::Value* given = json.find(member);
    std::int64_t id = 0;
    if (given == nullptr || !given->get_int64(id) || id < 0 || id > INT32_MAX) {
      return at(pointer, invalid("'{}' is no id", member));
    }
    if (!ids_.insert(id).second) return at(pointer, invalid("two fields have the id {}", id));
    return static_cast<FieldId>(id);
  }

  static Result<bool> read_flag(const json::Value& json, std::string_view member,
                                const std::string& pointer) {
    const json::Value* given = json.find(member);
    if (given == nullptr || given->as_bool() == nullptr) {
      return at(pointer, invalid("'{}' is neither true nor false", member));
    }
    return *given->as_bool();
  }

  Result<Type> read_type_of(const json::Value& json, std::string_view member,
                            const std::string& pointer, int depth) {
    const json::Value* given = json.find(member);
    if (given == nullptr) return at(pointer, invalid("'{}' is missing", member));
    return read_type(*given, json::join_pointer(pointer, member), depth + 1);
  }

  Result<Type> read_type(const json::Value& json, const std::string& pointer, int depth) {
    if (depth > kDepthMax) return at(pointer, invalid("nested deeper than {}", kDepthMax));
    if (json.as_string() != nullptr) return read_scalar(*json.as_string(), pointer);
    const json::Value* kind = json.find("type");
    const std::string name =
        kind != nullptr && kind->as_string() != nullptr ? *kind->as_string() : "";
    if (name == "struct") {
      REEL_ASSIGN(std::vector<Field> members, read_fields(json, pointer, depth + 1));
      return Type::structure(std::move(members));
    }
    if (name == "list") return read_list(json, pointer, depth);
    if (name == "map") return read_map(json, pointer, depth);
    return at(pointer, invalid("a type is a name, a struct, a list or a map"));
  }

  Result<Type> read_list(const json::Value& json, const std::string& pointer, int depth) {
    Field element{.name = "element"};
    REEL_ASSIGN(element.id, read_id(json, "element-id", pointer));
    REEL_ASSIGN(element.required, read_flag(json, "element-required", pointer));
    REEL_ASSIGN(element.type, read_type_of(json, "element", pointer, depth));
    return Type::list(std::move(element));
  }

  Result<Type> read_map(const json::Value& json, const std::string& pointer, int depth) {
    Field key{.name = "key", .required = true};
    Field value{.name = "value"};
    REEL_ASSIGN(key.id, read_id(json, "key-id", pointer));
    REEL_ASSIGN(key.type, read_type_of(json, "key", pointer, depth));
    REEL_ASSIGN(value.id, read_id(json, "value-id", pointer));
    REEL_ASSIGN(value.required, read_flag(json, "value-required", pointer));
    REEL_ASSIGN(value.type, read_type_of(json, "value", pointer, depth));
    return Type::map(std::move(key), std::move(value));
  }

  static Result<Type> read_scalar(std::string_view text, const std::string& pointer) {
    for (const auto& [kind, name] : kNames) {
      const bool plain =
          kind < TypeKind::structure && kind != TypeKind::decimal && kind != TypeKind::fixed;
      if (plain && text == name) return Type::of(kind);
    }
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    std::string_view rest = text;
    if (take(rest, "fixed[") && take_number(rest, first) && rest == "]") {
      return Type::fixed(first);
    }
    rest = text;
    if (take(rest, "decimal(") && take_number(rest, first) && take(rest, ",")) {
      take(rest, " ");
      if (take_number(rest, second) && rest == ")" && first >= 1 && first <= 38 &&
          second <= first) {
        return Type::decimal(static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second));
      }
    }
    return at(pointer, unsupported("the type '{}' is none of format version 2", text));
  }

  static bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
  }

  static bool take_number(std::string_view& text, std::uint32_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
  }

  std::unordered_set<std::int64_t> ids_;
};

// ---- evolution ----

//! `fields` as they may follow `before`.
std::vector<Field> relaxed(const std::vector<Field>& fields, const Schema& before) {
  std::vector<Field> out = fields;
  for (Field& field : out) {
    const Field* old = before.find(field.id);
    field.required = field.required && old != nullptr && old->required;
    // What is new to the table may require its members: no older file has it without them.
    if (old != nullptr) field.type.fields = relaxed(field.type.fields, before);
  }
  return out;
}

Status check_types(const std::vector<Field>& fields, const std::vector<Schema>& history) {
  for (const Field& field : fields) {
    for (const Schema& schema : history) {
      const Field* old = schema.find(field.id);
      if (old != nullptr && !is_promotion(old->type, field.type)) {
        return conflict("column '{}' (id {}) was {} in schema {}, which cannot be read as {}",
                        field.name, field.id, old->type.to_string(), schema.id,
                        field.type.to_string());
      }
    }
  }
  return {};
}

}  // namespace

bool operator==(const Type& a, const Type& b) {
  return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale && a.size == b.size &&
         a.fields == b.fields;
}

Type Type::of(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type Type::decimal(std::uint8_t precision, std::uint8_t scale) {
  Type type = of(TypeKind::decimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type Type::fixed(std::uint32_t size) {
  Type type = of(TypeKind::fixed);
  type.size = size;
  return type;
}

Type Type::structure(std::vector<Field> members) {
  Type type = of(TypeKind::structure);
  type.fields = std::move(members);
  return type;
}

Type Type::list(Field element) {
  Type type = of(TypeKind::list);
  type.fields.push_back(std::move(element));
  return type;
}

Type Type::map(Field key, Field value) {
  Type type = of(TypeKind::map);
  type.fields.push_back(std::move(key));
  type.fields.push_back(std::move(value));
  return type;
}

std::string Type::to_string() const {
  switch (kind) {
    case TypeKind::decimal: return fmt::format("decimal({}, {})", precision, scale);
    case TypeKind::fixed: return fmt::format("fixed[{}]", size);
    default: return std::string(name_of(kind));
  }
}

const Field* Schema::find(FieldId field_id) const { return find_in(fields, field_id); }

FieldId Schema::highest_id() const { return highest_in(fields); }

Result<Type> type_of(const store::Type& type) {
  using Stored = store::TypeKind;
  switch (type.kind) {
    case Stored::boolean: return Type::of(TypeKind::boolean);
    case Stored::int8:
    case Stored::int16:
    case Stored::int32:
    case Stored::uint8:
    case Stored::uint16: return Type::of(TypeKind::int32);
    case Stored::int64:
    case Stored::uint32: return Type::of(TypeKind::int64);
    case Stored::uint64: return Type::decimal(20, 0);
    case Stored::float32: return Type::of(TypeKind::float32);
    case Stored::float64: return Type::of(TypeKind::float64);
    case Stored::decimal: return Type::decimal(type.precision, type.scale);
    case Stored::string: return Type::of(TypeKind::string);
    case Stored::binary: return Type::of(TypeKind::binary);
    case Stored::uuid: return Type::of(TypeKind::uuid);
    case Stored::timestamp: return Type::of(TypeKind::timestamptz);
    case Stored::date: return Type::of(TypeKind::date);
    case Stored::list:
    case Stored::fixed_list: return list_of(type);
    case Stored::map: return map_of(type);
    case Stored::structure: return structure_of(type);
  }
  return internal("type kind {}", static_cast<int>(type.kind));
}

Result<Schema> schema_of(const store::TableSchema& table) {
  Schema schema;
  for (const store::Column& column : table.columns) {
    REEL_ASSIGN(const FieldId id, field_id_of(column.id, column.name));
    REEL_ASSIGN(Type type, type_of(column.type));
    schema.fields.push_back({.id = id,
                             .name = column.name,
                             .required = !column.nullable,
                             .type = std::move(type),
                             .doc = column.doc});
  }
  for (const store::ColumnId id : table.key()) {
    schema.identifiers.push_back(static_cast<FieldId>(id));
  }
  return schema;
}

json::Value to_json(const Schema& schema) {
  json::Value out;
  out.set("type", "struct");
  out.set("schema-id", std::int64_t{schema.id});
  if (!schema.identifiers.empty()) {
    json::Array ids;
    for (const FieldId id : schema.identifiers) ids.emplace_back(std::int64_t{id});
    out.set("identifier-field-ids", json::Value(std::move(ids)));
  }
  out.set("fields", to_json(schema.fields));
  return out;
}

Result<Schema> schema_from_json(const json::Value& json, const std::string& pointer) {
  Schema schema;
  std::int64_t id = 0;
  if (const json::Value* given = json.find("schema-id"); given != nullptr) {
    if (!given->get_int64(id) || id < 0 || id > INT32_MAX) {
      return at(pointer + "/schema-id", invalid("no id of a schema"));
    }
  }
  schema.id = static_cast<SchemaId>(id);
  REEL_ASSIGN(schema.fields, SchemaReader().read_fields(json, pointer, 0));
  if (const json::Value* ids = json.find("identifier-field-ids"); ids != nullptr) {
    if (ids->as_array() == nullptr) {
      return at(pointer + "/identifier-field-ids", invalid("no list of ids"));
    }
    for (const json::Value& item : *ids->as_array()) {
      if (!item.get_int64(id) || id < 0 || id > INT32_MAX ||
          schema.find(static_cast<FieldId>(id)) == nullptr) {
        return at(pointer + "/identifier-field-ids", invalid("there is no such field"));
      }
      schema.identifiers.push_back(static_cast<FieldId>(id));
    }
  }
  return schema;
}

bool is_promotion(const Type& from, const Type& to) {
  if (from.kind == TypeKind::int32 && to.kind == TypeKind::int64) return true;
  if (from.kind == TypeKind::float32 && to.kind == TypeKind::float64) return true;
  if (from.kind != to.kind) return false;
  switch (to.kind) {
    case TypeKind::decimal: return from.scale == to.scale && from.precision <= to.precision;
    case TypeKind::fixed: return from.size == to.size;
    case TypeKind::list:
    case TypeKind::map:
      return std::equal(from.fields.begin(), from.fields.end(), to.fields.begin(), to.fields.end(),
                        [](const Field& old, const Field& now) {
                          return old.id == now.id && is_promotion(old.type, now.type);
                        });
    case TypeKind::structure:
      // Members come and go by their ids.
      return std::all_of(to.fields.begin(), to.fields.end(), [&](const Field& now) {
        const auto old = std::find_if(from.fields.begin(), from.fields.end(),
                                      [&](const Field& field) { return field.id == now.id; });
        return old == from.fields.end() || is_promotion(old->type, now.type);
      });
    default: return true;
  }
}

Result<Schema> evolve(const std::vector<Schema>& history, SchemaId current, const Schema& wanted) {
  const auto now = std::find_if(history.begin(), history.end(),
                                [&](const Schema& schema) { return schema.id == current; });
  REEL_CHECK(now != history.end());
  REEL_TRY(check_types(wanted.fields, history));
  Schema next;
  next.fields = relaxed(wanted.fields, *now);
  for (const FieldId id : wanted.identifiers) {
    if (const Field* field = next.find(id); field != nullptr && field->required) {
      next.identifiers.push_back(id);
    }
  }
  SchemaId highest = 0;
  for (const Schema& schema : history) {
    if (schema.same_fields(next)) return schema;
    highest = std::max(highest, schema.id);
  }
  next.id = highest + 1;
  return next;
}

}  // namespace reel::iceberg
