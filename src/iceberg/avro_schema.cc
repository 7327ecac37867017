#include <unordered_map>

#include "iceberg/avro.h"
#include "json/value.h"

namespace reel::iceberg::avro {
namespace {

constexpr std::pair<std::string_view, Kind> kPrimitives[] = {
    {"null", Kind::null},   {"boolean", Kind::boolean}, {"int", Kind::int32},
    {"long", Kind::int64},  {"float", Kind::float32},   {"double", Kind::float64},
    {"bytes", Kind::bytes}, {"string", Kind::string},
};

constexpr std::int64_t kFixedBytesMax = 1 << 20;

}  // namespace

//! Reads the JSON form of a schema. Not in an unnamed namespace: Schema names it as its friend.
class SchemaParser {
 public:
  explicit SchemaParser(Schema& schema) : schema_(schema) {}

  Result<NodeIndex> read(const json::Value& json, const std::string& pointer) {
    if (const std::string* name = json.as_string()) return by_name(*name, pointer);
    if (const json::Array* branches = json.as_array()) return read_union(*branches, pointer);
    const json::Value* type = json.find("type");
    if (type == nullptr) return at(pointer, invalid("a type is a name, a list or has a 'type'"));
    // {"type": {"type": "array", …}} means what it holds.
    const std::string* name = type->as_string();
    if (name == nullptr) return read(*type, pointer + "/type");
    if (*name == "record" || *name == "error") return read_record(json, pointer);
    if (*name == "array") return read_child(Kind::array, json, "items", pointer);
    if (*name == "map") return read_child(Kind::map, json, "values", pointer);
    if (*name == "enum") return read_enumeration(json, pointer);
    if (*name == "fixed") return read_fixed(json, pointer);
    return by_name(*name, pointer + "/type");
  }

 private:
  Result<NodeIndex> add(Node node, const std::string& pointer) {
    if (schema_.nodes_.size() >= Schema::kNodesMax) {
      return at(pointer, unsupported("the schema has more than {} types", Schema::kNodesMax));
    }
    schema_.nodes_.push_back(std::move(node));
    return static_cast<NodeIndex>(schema_.nodes_.size() - 1);
  }

  Result<NodeIndex> by_name(const std::string& name, const std::string& pointer) {
    for (const auto& [primitive, kind] : kPrimitives) {
      if (name == primitive) return add({.kind = kind}, pointer);
    }
    const auto found = named_.find(name);
    if (found == named_.end()) return at(pointer, invalid("there is no type '{}'", name));
    return found->second;
  }

  Result<NodeIndex> read_union(const json::Array& branches, const std::string& pointer) {
    Node node{.kind = Kind::choice};
    for (std::size_t i = 0; i < branches.size(); ++i) {
      REEL_ASSIGN(const NodeIndex branch, read(branches[i], json::join_pointer(pointer, i)));
      node.children.push_back(branch);
    }
    if (node.children.empty()) return at(pointer, invalid("a union has no branch"));
    return add(std::move(node), pointer);
  }

  Result<NodeIndex> read_child(Kind kind, const json::Value& json, std::string_view member,
                               const std::string& pointer) {
    const json::Value* child = json.find(member);
    if (child == nullptr) return at(pointer, invalid("'{}' is missing", member));
    REEL_ASSIGN(const NodeIndex type, read(*child, json::join_pointer(pointer, member)));
    return add({.kind = kind, .children = {type}}, pointer);
  }

  //! A node with a name, under which the rest of the schema may refer to it.
  Result<NodeIndex> add_named(Kind kind, const json::Value& json, const std::string& pointer) {
    const json::Value* name = json.find("name");
    if (name == nullptr || name->as_string() == nullptr) {
      return at(pointer, invalid("a named type has no 'name'"));
    }
    REEL_ASSIGN(const NodeIndex index, add({.kind = kind, .name = *name->as_string()}, pointer));
    const json::Value* space = json.find("namespace");
    const bool qualified = space != nullptr && space->as_string() != nullptr;
    named_[*name->as_string()] = index;
    if (qualified) named_[*space->as_string() + "." + *name->as_string()] = index;
    return index;
  }

  Result<NodeIndex> read_record(const json::Value& json, const std::string& pointer) {
    REEL_ASSIGN(const NodeIndex index, add_named(Kind::record, json, pointer));
    const json::Value* fields = json.find("fields");
    if (fields == nullptr || fields->as_array() == nullptr) {
      return at(pointer, invalid("a record has no list 'fields'"));
    }
    const std::string place = pointer + "/fields";
    for (std::size_t i = 0; i < fields->as_array()->size(); ++i) {
      const json::Value& field = (*fields->as_array())[i];
      const std::string field_place = json::join_pointer(place, i);
      const json::Value* name = field.find("name");
      const json::Value* type = field.find("type");
      if (name == nullptr || name->as_string() == nullptr || type == nullptr) {
        return at(field_place, invalid("a field needs a 'name' and a 'type'"));
      }
      REEL_ASSIGN(const NodeIndex child, read(*type, field_place + "/type"));
      std::int64_t id = 0;
      const json::Value* given = field.find("field-id");
      const bool has_id =
          given != nullptr && given->get_int64(id) && id >= INT32_MIN && id <= INT32_MAX;
      schema_.nodes_[index].fields.push_back(
          {.name = *name->as_string(),
           .id = has_id ? std::optional(static_cast<std::int32_t>(id)) : std::nullopt,
           .type = child});
    }
    return index;
  }

  Result<NodeIndex> read_enumeration(const json::Value& json, const std::string& pointer) {
    REEL_ASSIGN(const NodeIndex index, add_named(Kind::enumeration, json, pointer));
    const json::Value* symbols = json.find("symbols");
    if (symbols == nullptr || symbols->as_array() == nullptr) {
      return at(pointer, invalid("an enum has no list 'symbols'"));
    }
    for (const json::Value& symbol : *symbols->as_array()) {
      if (symbol.as_string() == nullptr) return at(pointer, invalid("a symbol is no text"));
      schema_.nodes_[index].symbols.push_back(*symbol.as_string());
    }
    return index;
  }

  Result<NodeIndex> read_fixed(const json::Value& json, const std::string& pointer) {
    REEL_ASSIGN(const NodeIndex index, add_named(Kind::fixed, json, pointer));
    std::int64_t size = 0;
    const json::Value* given = json.find("size");
    if (given == nullptr || !given->get_int64(size) || size < 0 || size > kFixedBytesMax) {
      return at(pointer, invalid("a fixed has a 'size' of 0 to {} bytes", kFixedBytesMax));
    }
    schema_.nodes_[index].size = static_cast<std::size_t>(size);
    return index;
  }

  Schema& schema_;
  std::unordered_map<std::string, NodeIndex> named_;
};

Result<Schema> Schema::parse(std::string_view json) {
  REEL_ASSIGN(const json::Value document, json::parse(json));
  Schema schema;
  SchemaParser parser(schema);
  REEL_ASSIGN(schema.root_, parser.read(document, ""));
  schema.text_ = std::string(json);
  return schema;
}

}  // namespace reel::iceberg::avro
