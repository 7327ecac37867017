#pragma once
//! The description of a document: from it come the check of a body and its JSON Schema.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "json/writer.h"

namespace reel::json {

struct Place;

//! How a value must look. Immutable and cheap to copy; built once at start.
class Shape {
 public:
  struct MemberShape;
  //! What may stand in an object beside its named members.
  enum class Extra : std::uint8_t { allow, forbid };
  //! A rule across members that a structure cannot say; its error names the pointer relative to
  //! the object.
  using Rule = std::function<Status(const Value&)>;

  static Shape any();
  static Shape boolean();
  static Shape number();
  static Shape integer(std::int64_t minimum = INT64_MIN, std::int64_t maximum = INT64_MAX);
  //! Lengths are in characters (code points), as JSON Schema counts them.
  static Shape string(std::size_t characters_max = SIZE_MAX);
  static Shape nonempty_string(std::size_t characters_max = SIZE_MAX);
  //! A string of a named form: `check` decides; `pattern` and `format` (of JSON Schema, such as
  //! "date-time"), where not empty, tell readers of the schema.
  static Shape form(std::string name, std::string pattern, Status (*check)(std::string_view),
                    std::string format = {});
  static Shape choice(std::vector<std::string> values);
  static Shape array(Shape items, std::size_t items_min = 0);
  //! An object whose members all have the same shape and free names.
  static Shape dictionary(Shape values);
  static Shape object(std::vector<MemberShape> members, Extra extra = Extra::allow);
  //! The first alternative that has the right JSON type decides.
  static Shape either(Shape first, Shape second);
  //! The string member `tag` selects which further object shape must hold.
  static Shape tagged(std::string tag, std::vector<std::pair<std::string, Shape>> variants);
  //! `which` picks the one alternative that must hold; for choices that no type or tag makes.
  static Shape select(std::vector<Shape> alternatives, std::size_t (*which)(const Value&));
  //! Both hold.
  static Shape both(Shape first, Shape second);

  //! Members of a JSON Schema object, each a keyword and JSON text.
  using Keywords = std::vector<std::pair<std::string, std::string>>;
  //! The same, with a rule that is checked after the structure. `keywords` say the rule to readers
  //! of the schema, as far as a schema can.
  Shape with_rule(Rule rule, Keywords keywords = {}) const;
  //! The same, written as a reference to `#/components/schemas/<name>`.
  Shape named(std::string name) const;

  //! Code::invalid with the JSON pointer of the first place that breaks a rule.
  Status check(const Value& value) const;
  //! The same for a value that comes as plain text, such as a query parameter: booleans are
  //! exactly "true" or "false", numbers are in JSON's notation, everything else is a string.
  Status check_text(std::string_view text) const;

  //! JSON Schema (2020-12). References are written for named shapes below the top.
  void write_schema(Writer& out) const;
  //! The schema where it is used: a reference when the shape is named.
  void write_use(Writer& out) const;
  //! Calls `visit` for this shape and everything below it that has a name.
  void each_named(const std::function<void(const std::string&, const Shape&)>& visit) const;

 private:
  struct Node;
  explicit Shape(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  static Status check_length(const Node& node, std::string_view text, const Place& place);
  static Status check_node(const Node& node, const Value& value, const Place& place);
  static Status check_object(const Node& node, const Value& value, const Place& place);
  static Status check_tagged(const Node& node, const Value& value, const Place& place);
  static void write_body(const Node& node, Writer& out);
  static void write_members(const Node& node, Writer& out);
  static void write_variants(const Node& node, Writer& out);

  std::shared_ptr<const Node> node_;
};

struct Shape::MemberShape {
  std::string name;
  Shape shape;
  bool required = false;
};

inline Shape::MemberShape required(std::string name, Shape shape) {
  return {std::move(name), std::move(shape), true};
}
inline Shape::MemberShape optional(std::string name, Shape shape) {
  return {std::move(name), std::move(shape), false};
}

}  // namespace reel::json
