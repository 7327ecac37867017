#pragma once
//! Types and values of table cells. The types are Arrow's.

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "time/timestamp.h"

namespace reel::store {

using time::Int128;

enum class TypeKind : std::uint8_t {
  boolean = 1,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
  decimal,  //!< precision <= 28, kept as an unscaled integer
  string,   //!< UTF-8
  binary,
  uuid,        //!< 16 bytes
  timestamp,   //!< microseconds since 1970 UTC
  date,        //!< days since 1970
  list,        //!< one child
  fixed_list,  //!< one child of float32/float64, `size` elements: embeddings
  map,         //!< string keys, one child
  structure,   //!< named children, which have permanent ids as well
};

struct Field;

//! A column type. Compare with ==, print with to_string ("decimal(24,9)", "list<string>").
struct Type {
  TypeKind kind = TypeKind::string;
  std::uint8_t precision = 0;  //!< decimal
  std::uint8_t scale = 0;      //!< decimal
  std::uint32_t size = 0;      //!< fixed_list
  std::vector<Field> children;

  static Type of(TypeKind kind);
  static Type decimal(std::uint8_t precision, std::uint8_t scale);
  //! TAMS time: DECIMAL(24,9) seconds, exact over the whole PTP range.
  static Type media_time();
  static Type list(Type element);
  static Type fixed_list(Type element, std::uint32_t size);
  static Type map(Type value);
  static Type structure(std::vector<Field> members);

  //! "list<string>", "map<string,int64>", "struct<a:int64,b:date>"; a child that has its
  //! permanent id shows it: "list<string#7>".
  std::string to_string() const;
  //! The inverse of to_string(). Code::invalid also for what check_type refuses.
  static Result<Type> parse(std::string_view text);

  bool is_nested() const;
  friend bool operator==(const Type&, const Type&);
};

//! A child of a nested type. A map has one, its value; the map's key has the id before it.
struct Field {
  std::uint32_t id = 0;  //!< permanent, unique in the table, like a column's
  std::string name = {};
  Type type = {};
  friend bool operator==(const Field&, const Field&);
};

//! Limits of types: nesting depth, precision, sizes, names of struct members.
Status check_type(const Type& type);

struct Decimal {
  Int128 unscaled = 0;
  friend auto operator<=>(const Decimal&, const Decimal&) = default;
};
struct Binary {
  std::string bytes;
  friend auto operator<=>(const Binary&, const Binary&) = default;
};
struct Date {
  std::int32_t days = 0;
  friend auto operator<=>(const Date&, const Date&) = default;
};

class Value;
//! Elements of a list or fixed list, or members of a struct in the order of the type's children.
using ValueList = std::vector<Value>;
//! Entries of a map, sorted by key.
using ValueMap = std::vector<std::pair<std::string, Value>>;

//! One cell. All integer types are held as int64 or uint64, both float types as double; the
//! column's type says which widths are allowed. Default constructed = null.
class Value {
 public:
  using Storage = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, Decimal,
                               std::string, Binary, Uuid, Instant, Date, ValueList, ValueMap>;

  Value() = default;
  // NOLINTBEGIN(google-explicit-constructor): a literal is a value.
  Value(bool value) : storage_(value) {}
  Value(int value) : storage_(std::int64_t{value}) {}
  Value(std::int64_t value) : storage_(value) {}
  Value(std::uint64_t value) : storage_(value) {}
  Value(double value) : storage_(value) {}
  Value(const char* value) : storage_(std::string(value)) {}
  Value(std::string value) : storage_(std::move(value)) {}
  Value(std::string_view value) : storage_(std::string(value)) {}
  Value(Binary value) : storage_(std::move(value)) {}
  Value(Uuid value) : storage_(value) {}
  template <class Tag>
  Value(Id<Tag> id) : storage_(id.uuid) {}
  Value(Instant value) : storage_(value) {}
  Value(Date value) : storage_(value) {}
  Value(Decimal value) : storage_(value) {}
  //! TAMS time as DECIMAL(24,9) seconds.
  Value(time::Timestamp value) : storage_(Decimal{value.nanoseconds()}) {}
  Value(ValueList value);
  Value(ValueMap value);
  // NOLINTEND(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::monostate>(storage_); }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&storage_);
  }
  //! REQUIRES: it holds a T.
  template <class T>
  const T& get() const {
    const T* value = std::get_if<T>(&storage_);
    REEL_CHECK(value != nullptr);
    return *value;
  }
  const Storage& storage() const { return storage_; }

  //! Makes it a T (empty, unless it already was one) and gives access, so that a value that is
  //! read again and again keeps its buffer. A map that is filled this way must stay sorted.
  template <class T>
  T& hold() {
    if (T* value = std::get_if<T>(&storage_)) return *value;
    return storage_.emplace<T>();
  }

  //! Equal as the store sees it: 5 is 5 whether signed or not, NaN equals NaN, -0.0 equals 0.0.
  friend bool operator==(const Value& a, const Value& b);

 private:
  Storage storage_;
};

//! The order of keys and indexes, of cells of one column: null first, then by value; text byte by
//! byte, NaN after every number. Equal exactly when == is.
std::strong_ordering compare(const Value& a, const Value& b);

//! Whether the value may stand in a column of this type (null: always true); range of narrow
//! integers, scale of decimals and element types included. Code::invalid says what is wrong.
Status check_value(const Type& type, const Value& value);

//! Compact, canonical, self-delimiting bytes; equal values of one type give equal bytes, and an
//! integer or decimal gives the same bytes in every wider type (docs/formats/store.md).
//! REQUIRES: check_value(type, value).
void encode_value(std::string& out, const Type& type, const Value& value);
//! Reads one value from the front of `bytes` and removes it. Code::corrupt on bad bytes.
Result<Value> decode_value(const Type& type, std::string_view& bytes);

//! 12 bytes, big-endian, + 2^95: byte order is number order. The form of decimals in keys.
std::string encode_decimal_key(Decimal value);
//! The same into 12 bytes of the caller.
void write_decimal_key(Decimal value, char* bytes);
Result<Decimal> decode_decimal_key(std::string_view bytes);

//! A cell of type list<uuid>, and the identifiers in one.
template <class IdType>
Value id_list(const std::vector<IdType>& ids) {
  ValueList list;
  list.reserve(ids.size());
  for (const IdType& id : ids) list.emplace_back(id.uuid);
  return Value(std::move(list));
}
template <class IdType>
std::vector<IdType> ids_of(const Value& cell) {
  std::vector<IdType> ids;
  for (const Value& item : cell.get<ValueList>()) ids.push_back({item.get<Uuid>()});
  return ids;
}

}  // namespace reel::store
