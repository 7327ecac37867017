#pragma once
//! JSON documents as values: parsed once, looked at, changed, written again.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace reel::json {

class Value;
struct Member;

using Array = std::vector<Value>;
//! Members in the order in which they were written; names are unique.
using Object = std::vector<Member>;

//! One JSON value. Integers that fit stay integers (int64 or uint64); everything else is a double.
class Value {
 public:
  using Storage = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, Array, Object>;

  Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  // NOLINTBEGIN(google-explicit-constructor): a literal is a value.
  Value(std::nullptr_t);
  Value(bool value);
  Value(int value);
  Value(std::int64_t value);
  Value(std::uint64_t value);
  Value(double value);
  Value(const char* value);
  Value(std::string_view value);
  Value(std::string value);
  Value(Array value);
  Value(Object value);
  // NOLINTEND(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(storage_); }
  bool is_number() const;
  //! The value if it has this type, otherwise nullptr.
  const bool* as_bool() const { return std::get_if<bool>(&storage_); }
  const std::string* as_string() const { return std::get_if<std::string>(&storage_); }
  const Array* as_array() const { return std::get_if<Array>(&storage_); }
  Array* as_array() { return std::get_if<Array>(&storage_); }
  const Object* as_object() const { return std::get_if<Object>(&storage_); }
  Object* as_object() { return std::get_if<Object>(&storage_); }
  //! True and the number if it is an integer (also 3.0) that fits.
  bool get_int64(std::int64_t& out) const;
  bool get_double(double& out) const;

  //! The member of an object, nullptr when absent or when this is no object.
  const Value* find(std::string_view name) const;
  Value* find(std::string_view name);
  //! Sets or adds a member. A null value becomes an object first.
  Value& set(std::string_view name, Value value);
  //! Removes a member; true when it was there.
  bool erase(std::string_view name);

  const Storage& storage() const { return storage_; }

  //! Equal as JSON: member order does not matter, 1 equals 1.0.
  friend bool operator==(const Value& a, const Value& b);

 private:
  Storage storage_;
};

struct Member {
  std::string name;
  Value value;
};

// A Value needs to know Member before it can be made or destroyed.
inline Value::Value() = default;
inline Value::Value(const Value&) = default;
inline Value::Value(Value&&) noexcept = default;
inline Value& Value::operator=(const Value&) = default;
inline Value& Value::operator=(Value&&) noexcept = default;
inline Value::~Value() = default;
inline Value::Value(std::nullptr_t) {}
inline Value::Value(bool value) : storage_(value) {}
inline Value::Value(int value) : storage_(std::int64_t{value}) {}
inline Value::Value(std::int64_t value) : storage_(value) {}
inline Value::Value(std::uint64_t value) : storage_(value) {}
inline Value::Value(double value) : storage_(value) {}
inline Value::Value(const char* value) : storage_(std::string(value)) {}
inline Value::Value(std::string_view value) : storage_(std::string(value)) {}
inline Value::Value(std::string value) : storage_(std::move(value)) {}
inline Value::Value(Array value) : storage_(std::move(value)) {}
inline Value::Value(Object value) : storage_(std::move(value)) {}

//! Reads one complete document. Code::invalid with the reason and, for duplicate names, the
//! pointer; depth is limited to `depth_max`. Needs valid UTF-8.
Result<Value> parse(std::string_view text, int depth_max = 64);

//! Compact text.
std::string to_text(const Value& value);

//! Appends `/` and the escaped name (RFC 6901).
std::string join_pointer(std::string_view pointer, std::string_view name);
std::string join_pointer(std::string_view pointer, std::size_t index);

}  // namespace reel::json
