#include "json/shape.h"

#include <algorithm>

#include <fmt/format.h>

#include "json/place_internal.h"

namespace reel::json {

enum class Kind : std::uint8_t {
  any,
  boolean,
  number,
  integer,
  string,
  form,
  choice,
  array,
  dictionary,
  object,
  either,
  tagged,
  select,
  both,
};

struct Shape::Node {
  Kind kind = Kind::any;
  std::string name = {};  //!< of a named shape
  std::int64_t minimum = INT64_MIN;
  std::int64_t maximum = INT64_MAX;
  std::size_t size_min = 0;
  std::size_t size_max = SIZE_MAX;
  std::string form_name = {};
  std::string pattern = {};
  std::string format = {};
  Status (*form_check)(std::string_view) = nullptr;
  std::vector<std::string> choices = {};
  std::vector<Shape> parts = {};  //!< items, values, alternatives, variants
  std::vector<MemberShape> members = {};
  Extra extra = Extra::allow;
  std::string tag = {};
  std::size_t (*which)(const Value&) = nullptr;
  std::vector<Rule> rules = {};
  Keywords keywords = {};  //!< of the rules
};

namespace {

Failure expected(const std::string& pointer, std::string_view what, const Value& value) {
  std::string shown = to_text(value);
  if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
  return at(pointer, invalid("must be {}, not {}", what, shown));
}

//! Whether a value has the JSON type that a shape of this kind describes.
bool has_type(Kind kind, const Value& value) {
  switch (kind) {
    case Kind::boolean: return value.as_bool() != nullptr;
    case Kind::number:
    case Kind::integer: return value.is_number();
    case Kind::string:
    case Kind::form:
    case Kind::choice: return value.as_string() != nullptr;
    case Kind::array: return value.as_array() != nullptr;
    case Kind::dictionary:
    case Kind::object:
    case Kind::tagged: return value.as_object() != nullptr;
    default: return true;
  }
}

std::string_view type_phrase(Kind kind) {
  switch (kind) {
    case Kind::boolean: return "true or false";
    case Kind::number: return "a number";
    case Kind::integer: return "an integer";
    case Kind::array: return "an array";
    case Kind::dictionary:
    case Kind::object:
    case Kind::tagged: return "an object";
    default: return "a string";
  }
}

//! Of UTF-8.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not one that continues another
  }));
}

//! Moves an error found inside an object to its place in the whole document.
Failure below(const std::string& pointer, Error error) {
  std::string place = pointer + error.pointer();
  return Failure(std::move(error).at(std::move(place)));
}

}  // namespace

Shape Shape::any() { return Shape(std::make_shared<Node>()); }

Shape Shape::boolean() { return Shape(std::make_shared<Node>(Node{.kind = Kind::boolean})); }

Shape Shape::number() { return Shape(std::make_shared<Node>(Node{.kind = Kind::number})); }

Shape Shape::integer(std::int64_t minimum, std::int64_t maximum) {
  return Shape(
      std::make_shared<Node>(Node{.kind = Kind::integer, .minimum = minimum, .maximum = maximum}));
}

Shape Shape::string(std::size_t characters_max) {
  return Shape(std::make_shared<Node>(Node{.kind = Kind::string, .size_max = characters_max}));
}

Shape Shape::nonempty_string(std::size_t characters_max) {
  return Shape(std::make_shared<Node>(
      Node{.kind = Kind::string, .size_min = 1, .size_max = characters_max}));
}

Shape Shape::form(std::string name, std::string pattern, Status (*check)(std::string_view),
                  std::string format) {
  return Shape(std::make_shared<Node>(Node{.kind = Kind::form,
                                           .form_name = std::move(name),
                                           .pattern = std::move(pattern),
                                           .format = std::move(format),
                                           .form_check = check}));
}

Shape Shape::choice(std::vector<std::string> values) {
  return Shape(std::make_shared<Node>(Node{.kind = Kind::choice, .choices = std::move(values)}));
}

Shape Shape::array(Shape items, std::size_t items_min) {
  return Shape(std::make_shared<Node>(
      Node{.kind = Kind::array, .size_min = items_min, .parts = {std::move(items)}}));
}

Shape Shape::dictionary(Shape values) {
  return Shape(
      std::make_shared<Node>(Node{.kind = Kind::dictionary, .parts = {std::move(values)}}));
}

Shape Shape::object(std::vector<MemberShape> members, Extra extra) {
  return Shape(std::make_shared<Node>(
      Node{.kind = Kind::object, .members = std::move(members), .extra = extra}));
}

Shape Shape::either(Shape first, Shape second) {
  return Shape(std::make_shared<Node>(
      Node{.kind = Kind::either, .parts = {std::move(first), std::move(second)}}));
}

Shape Shape::tagged(std::string tag, std::vector<std::pair<std::string, Shape>> variants) {
  Node node{.kind = Kind::tagged, .tag = std::move(tag)};
  for (auto& [value, shape] : variants) {
    node.choices.push_back(std::move(value));
    node.parts.push_back(std::move(shape));
  }
  return Shape(std::make_shared<Node>(std::move(node)));
}

Shape Shape::select(std::vector<Shape> alternatives, std::size_t (*which)(const Value&)) {
  return Shape(std::make_shared<Node>(
      Node{.kind = Kind::select, .parts = std::move(alternatives), .which = which}));
}

Shape Shape::both(Shape first, Shape second) {
  return Shape(std::make_shared<Node>(
      Node{.kind = Kind::both, .parts = {std::move(first), std::move(second)}}));
}

Shape Shape::with_rule(Rule rule, Keywords keywords) const {
  Node copy = *node_;
  copy.rules.push_back(std::move(rule));
  std::move(keywords.begin(), keywords.end(), std::back_inserter(copy.keywords));
  return Shape(std::make_shared<Node>(std::move(copy)));
}

Shape Shape::named(std::string name) const {
  Node copy = *node_;
  copy.name = std::move(name);
  return Shape(std::make_shared<Node>(std::move(copy)));
}

Status Shape::check(const Value& value) const { return check_node(*node_, value, Place{}); }

Status Shape::check_text(std::string_view text) const {
  switch (node_->kind) {
    case Kind::boolean:
      if (text == "true" || text == "false") return check(text == "true");
      break;
    case Kind::number:
    case Kind::integer:
      if (text.find_first_of(" \t\r\n") != std::string_view::npos) break;
      if (const auto number = parse(text); number && number->is_number()) return check(*number);
      break;
    default: break;
  }
  return check(text);
}

Status Shape::check_object(const Node& node, const Value& value, const Place& place) {
  for (const MemberShape& member : node.members) {
    const Value* child = value.find(member.name);
    if (child == nullptr) {
      if (!member.required) continue;
      return at(place.pointer(), invalid("the member '{}' is required", member.name));
    }
    REEL_TRY(check_node(*member.shape.node_, *child, Place::member(place, member.name)));
  }
  if (node.extra == Extra::allow) return {};
  for (const Member& child : *value.as_object()) {
    const bool known = std::any_of(node.members.begin(), node.members.end(),
                                   [&](const MemberShape& m) { return m.name == child.name; });
    if (!known) {
      return at(Place::member(place, child.name).pointer(),
                invalid("unknown member '{}'", child.name));
    }
  }
  return {};
}

Status Shape::check_tagged(const Node& node, const Value& value, const Place& place) {
  const Value* tag = value.find(node.tag);
  if (tag == nullptr) return at(place.pointer(), invalid("the member '{}' is required", node.tag));
  const std::string* text = tag->as_string();
  const auto found = text == nullptr ? node.choices.end()
                                     : std::find(node.choices.begin(), node.choices.end(), *text);
  if (found == node.choices.end()) {
    return expected(Place::member(place, node.tag).pointer(),
                    fmt::format("one of {}", fmt::join(node.choices, ", ")), *tag);
  }
  const auto which = static_cast<std::size_t>(found - node.choices.begin());
  return check_node(*node.parts[which].node_, value, place);
}

Status Shape::check_length(const Node& node, std::string_view text, const Place& place) {
  if (text.size() > node.size_max && characters(text) > node.size_max) {
    return at(place.pointer(), invalid("longer than {} characters", node.size_max));
  }
  if (text.size() < node.size_min) return at(place.pointer(), invalid("must not be empty"));
  return {};
}

Status Shape::check_node(const Node& node, const Value& value, const Place& place) {
  if (!has_type(node.kind, value)) return expected(place.pointer(), type_phrase(node.kind), value);
  switch (node.kind) {
    case Kind::any:
    case Kind::boolean:
    case Kind::number: break;
    case Kind::integer: {
      std::int64_t number = 0;
      if (!value.get_int64(number)) return expected(place.pointer(), "an integer", value);
      if (number < node.minimum || number > node.maximum) {
        return at(place.pointer(),
                  invalid("{} is not in the range {} to {}", number, node.minimum, node.maximum));
      }
      break;
    }
    case Kind::string: REEL_TRY(check_length(node, *value.as_string(), place)); break;
    case Kind::form: {
      Status status = node.form_check(*value.as_string());
      if (!status) return Failure(std::move(status).error().at(place.pointer()));
      break;
    }
    case Kind::choice:
      if (std::find(node.choices.begin(), node.choices.end(), *value.as_string()) ==
          node.choices.end()) {
        return expected(place.pointer(), fmt::format("one of {}", fmt::join(node.choices, ", ")),
                        value);
      }
      break;
    case Kind::array: {
      const Array& array = *value.as_array();
      if (array.size() < node.size_min) {
        return at(place.pointer(), invalid("must have at least {} items", node.size_min));
      }
      for (std::size_t i = 0; i < array.size(); ++i) {
        REEL_TRY(check_node(*node.parts[0].node_, array[i], Place::item(place, i)));
      }
      break;
    }
    case Kind::dictionary:
      for (const Member& member : *value.as_object()) {
        REEL_TRY(check_node(*node.parts[0].node_, member.value, Place::member(place, member.name)));
      }
      break;
    case Kind::object: REEL_TRY(check_object(node, value, place)); break;
    case Kind::either: {
      const bool first = has_type(node.parts[0].node_->kind, value);
      REEL_TRY(check_node(*node.parts[first ? 0 : 1].node_, value, place));
      break;
    }
    case Kind::tagged: REEL_TRY(check_tagged(node, value, place)); break;
    case Kind::select:
      REEL_TRY(check_node(*node.parts[node.which(value)].node_, value, place));
      break;
    case Kind::both:
      REEL_TRY(check_node(*node.parts[0].node_, value, place));
      REEL_TRY(check_node(*node.parts[1].node_, value, place));
      break;
  }
  for (const Rule& rule : node.rules) {
    Status status = rule(value);
    if (!status) return below(place.pointer(), std::move(status).error());
  }
  return {};
}

void Shape::write_schema(Writer& out) const {
  out.begin_object();
  write_body(*node_, out);
  for (const auto& [keyword, json] : node_->keywords) out.raw_field(keyword, json);
  out.end_object();
}

void Shape::write_use(Writer& out) const {
  if (node_->name.empty()) return write_schema(out);
  out.begin_object();
  out.field("$ref", "#/components/schemas/" + node_->name);
  out.end_object();
}

void Shape::write_members(const Node& node, Writer& out) {
  out.field("type", "object");
  if (!node.members.empty()) {
    out.key("properties");
    out.begin_object();
    for (const MemberShape& member : node.members) {
      out.key(member.name);
      member.shape.write_use(out);
    }
    out.end_object();
  }
  std::vector<std::string_view> needed;
  for (const MemberShape& member : node.members) {
    if (member.required) needed.push_back(member.name);
  }
  if (!needed.empty()) {
    out.key("required");
    out.begin_array();
    for (const std::string_view name : needed) out.string(name);
    out.end_array();
  }
  if (node.extra == Extra::forbid) out.field("additionalProperties", false);
}

//! Each variant with the value of the tag that selects it, so that exactly one can hold.
void Shape::write_variants(const Node& node, Writer& out) {
  out.key("oneOf");
  out.begin_array();
  for (std::size_t i = 0; i < node.parts.size(); ++i) {
    out.begin_object();
    out.key("properties");
    out.begin_object();
    out.key(node.tag);
    out.begin_object();
    out.field("const", std::string_view(node.choices[i]));
    out.end_object();
    out.end_object();
    out.key("required");
    out.begin_array();
    out.string(node.tag);
    out.end_array();
    out.key("allOf");
    out.begin_array();
    node.parts[i].write_use(out);
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

void Shape::write_body(const Node& node, Writer& out) {
  const auto list = [&](std::string_view keyword) {
    out.key(keyword);
    out.begin_array();
    for (const Shape& part : node.parts) part.write_use(out);
    out.end_array();
  };
  switch (node.kind) {
    case Kind::any: break;
    case Kind::boolean: out.field("type", "boolean"); break;
    case Kind::number: out.field("type", "number"); break;
    case Kind::integer:
      out.field("type", "integer");
      out.field("minimum", node.minimum);
      out.field("maximum", node.maximum);
      break;
    case Kind::string:
      out.field("type", "string");
      if (node.size_min > 0) out.field("minLength", std::uint64_t{node.size_min});
      if (node.size_max < SIZE_MAX) out.field("maxLength", std::uint64_t{node.size_max});
      break;
    case Kind::form:
      out.field("type", "string");
      out.field("title", node.form_name);
      if (!node.pattern.empty()) out.field("pattern", node.pattern);
      if (!node.format.empty()) out.field("format", node.format);
      break;
    case Kind::choice:
      out.field("type", "string");
      out.key("enum");
      out.begin_array();
      for (const std::string& choice : node.choices) out.string(choice);
      out.end_array();
      break;
    case Kind::array:
      out.field("type", "array");
      if (node.size_min > 0) out.field("minItems", std::uint64_t{node.size_min});
      out.key("items");
      node.parts[0].write_use(out);
      break;
    case Kind::dictionary:
      out.field("type", "object");
      out.key("additionalProperties");
      node.parts[0].write_use(out);
      break;
    case Kind::object: write_members(node, out); break;
    case Kind::either: list("anyOf"); break;
    case Kind::tagged: write_variants(node, out); break;
    case Kind::select: list("anyOf"); break;  // which one is for code to say, so several may fit
    case Kind::both: list("allOf"); break;
  }
}

void Shape::each_named(const std::function<void(const std::string&, const Shape&)>& visit) const {
  if (!node_->name.empty()) visit(node_->name, *this);
  for (const Shape& part : node_->parts) part.each_named(visit);
  for (const MemberShape& member : node_->members) member.shape.each_named(visit);
}

}  // namespace reel::json
