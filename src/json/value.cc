#include "json/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "json/place_internal.h"
#include "json/writer.h"

namespace reel::json {
namespace {

using Element = simdjson::dom::element;
using simdjson::dom::element_type;

Result<Value> convert(const Element& element, const Place& place);

Result<Value> convert_array(const Element& element, const Place& place) {
  const auto items = element.get_array().value_unsafe();
  Array array;
  array.reserve(items.size());
  for (const Element child : items) {
    REEL_ASSIGN(Value value, convert(child, Place::item(place, array.size())));
    array.push_back(std::move(value));
  }
  return Value(std::move(array));
}

//! A name that occurs more than once, nullptr when all are unique.
const std::string* repeated_name(const Object& object) {
  constexpr std::size_t kFew = 16;
  if (object.size() <= kFew) {
    for (auto member = object.begin(); member != object.end(); ++member) {
      const auto same = [&](const Member& earlier) { return earlier.name == member->name; };
      if (std::any_of(object.begin(), member, same)) return &member->name;
    }
    return nullptr;
  }
  // A hostile document may have a great many.
  std::vector<const std::string*> names;
  names.reserve(object.size());
  for (const Member& member : object) names.push_back(&member.name);
  std::sort(names.begin(), names.end(), [](auto* a, auto* b) { return *a < *b; });
  const auto twice =
      std::adjacent_find(names.begin(), names.end(), [](auto* a, auto* b) { return *a == *b; });
  return twice == names.end() ? nullptr : *twice;
}

Result<Value> convert_object(const Element& element, const Place& place) {
  const auto members = element.get_object().value_unsafe();
  Object object;
  object.reserve(members.size());
  for (const auto& [name, child] : members) {
    REEL_ASSIGN(Value value, convert(child, Place::member(place, name)));
    object.push_back({std::string(name), std::move(value)});
  }
  if (const std::string* twice = repeated_name(object)) {
    return at(Place::member(place, *twice).pointer(),
              invalid("the name '{}' occurs twice", *twice));
  }
  return Value(std::move(object));
}

Result<Value> convert(const Element& element, const Place& place) {
  switch (element.type()) {
    case element_type::ARRAY: return convert_array(element, place);
    case element_type::OBJECT: return convert_object(element, place);
    case element_type::INT64: return Value(std::int64_t{element.get_int64().value_unsafe()});
    case element_type::UINT64: return Value(std::uint64_t{element.get_uint64().value_unsafe()});
    case element_type::DOUBLE: return Value(element.get_double().value_unsafe());
    case element_type::STRING: return Value(std::string(element.get_string().value_unsafe()));
    case element_type::BOOL: return Value(element.get_bool().value_unsafe());
    case element_type::NULL_VALUE: return Value();
  }
  return internal("simdjson returned an unknown element type");
}

bool equal_numbers(const Value& a, const Value& b) {
  std::int64_t left = 0;
  std::int64_t right = 0;
  const bool left_fits = a.get_int64(left);
  const bool right_fits = b.get_int64(right);
  if (left_fits && right_fits) return left == right;
  if (left_fits != right_fits) return false;
  double left_double = 0;
  double right_double = 0;
  return a.get_double(left_double) && b.get_double(right_double) && left_double == right_double;
}

bool equal_objects(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const Member& member) {
    const auto other =
        std::find_if(b.begin(), b.end(), [&](const Member& m) { return m.name == member.name; });
    return other != b.end() && other->value == member.value;
  });
}

}  // namespace

bool Value::is_number() const {
  return std::holds_alternative<std::int64_t>(storage_) ||
         std::holds_alternative<std::uint64_t>(storage_) ||
         std::holds_alternative<double>(storage_);
}

bool Value::get_int64(std::int64_t& out) const {
  if (const auto* integer = std::get_if<std::int64_t>(&storage_)) {
    out = *integer;
    return true;
  }
  if (const auto* big = std::get_if<std::uint64_t>(&storage_)) {
    if (*big > static_cast<std::uint64_t>(INT64_MAX)) return false;
    out = static_cast<std::int64_t>(*big);
    return true;
  }
  if (const auto* real = std::get_if<double>(&storage_)) {
    constexpr double kExactLimit = 9007199254740992.0;  // 2^53
    if (std::trunc(*real) != *real || std::fabs(*real) > kExactLimit) return false;
    out = static_cast<std::int64_t>(*real);
    return true;
  }
  return false;
}

bool Value::get_double(double& out) const {
  if (const auto* integer = std::get_if<std::int64_t>(&storage_)) {
    out = static_cast<double>(*integer);
  } else if (const auto* big = std::get_if<std::uint64_t>(&storage_)) {
    out = static_cast<double>(*big);
  } else if (const auto* real = std::get_if<double>(&storage_)) {
    out = *real;
  } else {
    return false;
  }
  return true;
}

const Value* Value::find(std::string_view name) const {
  const Object* object = as_object();
  if (object == nullptr) return nullptr;
  for (const Member& member : *object) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view name) {
  return const_cast<Value*>(std::as_const(*this).find(name));
}

Value& Value::set(std::string_view name, Value value) {
  if (is_null()) storage_ = Object{};
  if (Value* existing = find(name)) {
    *existing = std::move(value);
    return *existing;
  }
  Object* object = as_object();
  REEL_CHECK(object != nullptr);
  object->push_back({std::string(name), std::move(value)});
  return object->back().value;
}

bool Value::erase(std::string_view name) {
  Object* object = as_object();
  return object != nullptr &&
         std::erase_if(*object, [&](const Member& m) { return m.name == name; }) > 0;
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return equal_numbers(a, b);
  if (a.as_object() != nullptr && b.as_object() != nullptr) {
    return equal_objects(*a.as_object(), *b.as_object());
  }
  if (a.as_array() != nullptr && b.as_array() != nullptr) {
    return std::equal(a.as_array()->begin(), a.as_array()->end(), b.as_array()->begin(),
                      b.as_array()->end());
  }
  if (a.as_string() != nullptr && b.as_string() != nullptr) return *a.as_string() == *b.as_string();
  if (a.as_bool() != nullptr && b.as_bool() != nullptr) return *a.as_bool() == *b.as_bool();
  return a.is_null() && b.is_null();
}

namespace {

bool fits_64_bits(std::string_view integer) {
  const char* begin = integer.data();
  const char* end = begin + integer.size();
  std::int64_t narrow = 0;
  std::uint64_t wide = 0;
  return std::from_chars(begin, end, narrow).ec == std::errc() ||
         std::from_chars(begin, end, wide).ec == std::errc();
}

//! The document with ".0" behind every integer that is too large for 64 bits, which simdjson
//! refuses; JSON has no such bound, and readers take such numbers as doubles (RFC 8259 §6).
std::string with_large_integers_as_doubles(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (in_string || (c != '-' && (c < '0' || c > '9'))) {
      out.push_back(c);
      if (c == '\\' && i + 1 < text.size()) out.push_back(text[++i]);
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789.eE+-", i), text.size());
    const std::string_view number = text.substr(i, end - i);
    out += number;
    const bool is_integer = number.find_first_of(".eE") == std::string_view::npos;
    if (is_integer && !fits_64_bits(number)) out += ".0";
    i = end - 1;
  }
  return out;
}

}  // namespace

Result<Value> parse(std::string_view text, int depth_max) {
  if (text.data() == nullptr) text = "";  // it is copied from, be it empty
  // A parser keeps its buffers; a big document gets one of its own so that they do not stay.
  constexpr std::size_t kKeptBytes = 256 * 1024;
  thread_local simdjson::dom::parser kept;
  simdjson::dom::parser once;
  simdjson::dom::parser& parser = text.size() <= kKeptBytes ? kept : once;
  if (parser.capacity() < text.size() ||
      parser.max_depth() != static_cast<std::size_t>(depth_max)) {
    const std::size_t capacity = std::max(text.size(), std::size_t{4096});
    if (parser.allocate(capacity, static_cast<std::size_t>(depth_max)) != simdjson::SUCCESS) {
      return too_large("no memory to parse a JSON document of {} bytes", text.size());
    }
  }
  auto parsed = parser.parse(text.data(), text.size());
  if (parsed.error() == simdjson::NUMBER_ERROR) {
    const std::string widened = with_large_integers_as_doubles(text);
    if (widened.size() > text.size()) return parse(widened, depth_max);
  }
  if (parsed.error() != simdjson::SUCCESS) {
    return invalid("not valid JSON: {}", simdjson::error_message(parsed.error()));
  }
  return convert(parsed.value_unsafe(), Place{});
}

std::string to_text(const Value& value) {
  std::string out;
  Writer(out).value(value);
  return out;
}

std::string join_pointer(std::string_view pointer, std::string_view name) {
  std::string joined(pointer);
  joined.push_back('/');
  for (const char c : name) {
    if (c == '~') {
      joined += "~0";
    } else if (c == '/') {
      joined += "~1";
    } else {
      joined.push_back(c);
    }
  }
  return joined;
}

std::string join_pointer(std::string_view pointer, std::size_t index) {
  return fmt::format("{}/{}", pointer, index);
}

}  // namespace reel::json
