#include "store/value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "base/percent.h"
namespace reel::store {
namespace {

__extension__ typedef unsigned __int128 UInt128;

constexpr int kDepthMax = 8;
constexpr std::uint32_t kFixedListMax = 65'536;
constexpr std::size_t kStructMembersMax = 1'000;
constexpr unsigned kPrecisionMax = 28;

struct KindName {
  TypeKind kind;
  std::string_view name;
};

constexpr KindName kScalarNames[] = {
    {TypeKind::boolean, "bool"},        {TypeKind::int8, "int8"},
    {TypeKind::int16, "int16"},         {TypeKind::int32, "int32"},
    {TypeKind::int64, "int64"},         {TypeKind::uint8, "uint8"},
    {TypeKind::uint16, "uint16"},       {TypeKind::uint32, "uint32"},
    {TypeKind::uint64, "uint64"},       {TypeKind::float32, "float32"},
    {TypeKind::float64, "float64"},     {TypeKind::string, "string"},
    {TypeKind::binary, "binary"},       {TypeKind::uuid, "uuid"},
    {TypeKind::timestamp, "timestamp"}, {TypeKind::date, "date"},
};

struct IntegerRange {
  Int128 min;
  Int128 max;
};

template <class T>
constexpr IntegerRange range_of() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

std::optional<IntegerRange> integer_range(TypeKind kind) {
  switch (kind) {
    case TypeKind::int8: return range_of<std::int8_t>();
    case TypeKind::int16: return range_of<std::int16_t>();
    case TypeKind::int32: return range_of<std::int32_t>();
    case TypeKind::int64: return range_of<std::int64_t>();
    case TypeKind::uint8: return range_of<std::uint8_t>();
    case TypeKind::uint16: return range_of<std::uint16_t>();
    case TypeKind::uint32: return range_of<std::uint32_t>();
    case TypeKind::uint64: return range_of<std::uint64_t>();
    default: return std::nullopt;
  }
}

std::optional<Int128> integer_of(const Value& value) {
  if (const auto* number = value.get_if<std::int64_t>()) return *number;
  if (const auto* number = value.get_if<std::uint64_t>()) return *number;
  return std::nullopt;
}

constexpr Int128 power_of_ten(unsigned exponent) {
  Int128 power = 1;
  for (unsigned i = 0; i < exponent; ++i) power *= 10;
  return power;
}

bool is_float32(double number) {
  return std::isnan(number) || static_cast<double>(static_cast<float>(number)) == number;
}

// --- writing ---

void append_varint(std::string& out, UInt128 number) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(number) | 0x80U));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

void append_integer(std::string& out, Int128 number) {
  append_varint(out, (static_cast<UInt128>(number) << 1) ^ static_cast<UInt128>(number >> 127));
}

template <class Unsigned>
void append_little_endian(std::string& out, Unsigned bits) {
  char bytes[sizeof bits];
  for (char& byte : bytes) {
    byte = static_cast<char>(bits & 0xff);
    bits = static_cast<Unsigned>(bits >> 8);
  }
  out.append(bytes, sizeof bytes);
}

void append_float64(std::string& out, double number) {
  if (std::isnan(number)) number = std::numeric_limits<double>::quiet_NaN();
  append_little_endian(out, std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number));
}

void append_float32(std::string& out, double number) {
  auto narrow = static_cast<float>(number);
  if (std::isnan(narrow)) narrow = std::numeric_limits<float>::quiet_NaN();
  append_little_endian(out, std::bit_cast<std::uint32_t>(narrow == 0 ? 0.0F : narrow));
}

void append_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out.append(text);
}

//! Members that are not null, by ascending id: a renamed, moved or added member changes nothing.
void append_struct(std::string& out, const Type& type, const ValueList& members) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!members[i].is_null()) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return type.children[a].id < type.children[b].id;
  });
  append_varint(out, order.size());
  std::string bytes;
  for (const std::size_t i : order) {
    bytes.clear();
    encode_value(bytes, type.children[i].type, members[i]);
    append_varint(out, type.children[i].id);
    append_text(out, bytes);
  }
}

void append_nested(std::string& out, const Type& type, const Value& value) {
  if (type.kind == TypeKind::map) {
    const auto& entries = value.get<ValueMap>();
    append_varint(out, entries.size());
    for (const auto& [key, item] : entries) {
      append_text(out, key);
      encode_value(out, type.children[0].type, item);
    }
    return;
  }
  const auto& items = value.get<ValueList>();
  if (type.kind == TypeKind::structure) return append_struct(out, type, items);
  if (type.kind == TypeKind::fixed_list) {
    const bool narrow = type.children[0].type.kind == TypeKind::float32;
    for (const Value& item : items) {
      narrow ? append_float32(out, item.get<double>()) : append_float64(out, item.get<double>());
    }
    return;
  }
  append_varint(out, items.size());
  for (const Value& item : items) encode_value(out, type.children[0].type, item);
}

// --- reading ---

Failure cut_short() { return corrupt("the bytes of a value end too early"); }

Result<std::string_view> take(std::string_view& bytes, std::size_t count) {
  if (bytes.size() < count) return cut_short();
  const std::string_view taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return taken;
}

Result<UInt128> take_varint(std::string_view& bytes) {
  UInt128 number = 0;
  for (unsigned shift = 0; shift < 128; shift += 7) {
    REEL_ASSIGN(const std::string_view one, take(bytes, 1));
    const auto byte = static_cast<unsigned char>(one[0]);
    if (shift == 126 && byte > 3) break;
    number |= static_cast<UInt128>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) != 0) continue;
    if (byte == 0 && shift > 0) return corrupt("a number is longer than it needs to be");
    return number;
  }
  return corrupt("a number has more than 128 bits");
}

Result<Int128> take_integer(std::string_view& bytes) {
  REEL_ASSIGN(const UInt128 zigzag, take_varint(bytes));
  return static_cast<Int128>(zigzag >> 1) ^ -static_cast<Int128>(zigzag & 1);
}

Result<std::string_view> take_text(std::string_view& bytes) {
  REEL_ASSIGN(const UInt128 size, take_varint(bytes));
  if (size > bytes.size()) return cut_short();
  return take(bytes, static_cast<std::size_t>(size));
}

//! A count of things that take at least one byte each, so it bounds what is reserved for them.
Result<std::size_t> take_count(std::string_view& bytes) {
  REEL_ASSIGN(const UInt128 count, take_varint(bytes));
  if (count > bytes.size()) return cut_short();
  return static_cast<std::size_t>(count);
}

template <class Unsigned>
Result<Unsigned> take_little_endian(std::string_view& bytes) {
  REEL_ASSIGN(const std::string_view taken, take(bytes, sizeof(Unsigned)));
  Unsigned bits = 0;
  for (std::size_t i = sizeof bits; i-- > 0;) {
    bits = static_cast<Unsigned>((bits << 8) | static_cast<unsigned char>(taken[i]));
  }
  return bits;
}

Result<Value> take_float(std::string_view& bytes, bool narrow) {
  double number = 0;
  std::string again;
  const std::string_view before = bytes;
  if (narrow) {
    REEL_ASSIGN(const auto bits, take_little_endian<std::uint32_t>(bytes));
    number = static_cast<double>(std::bit_cast<float>(bits));
    append_float32(again, number);
  } else {
    REEL_ASSIGN(const auto bits, take_little_endian<std::uint64_t>(bytes));
    number = std::bit_cast<double>(bits);
    append_float64(again, number);
  }
  if (!before.starts_with(again)) return corrupt("a float is not in its one form");
  return Value(number);
}

Result<Value> take_map(const Type& type, std::string_view& bytes) {
  REEL_ASSIGN(const std::size_t count, take_count(bytes));
  ValueMap entries;
  entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    REEL_ASSIGN(const std::string_view key, take_text(bytes));
    if (!is_utf8(key)) return corrupt("a map key is not UTF-8");
    if (i > 0 && entries.back().first >= key) return corrupt("map keys are not in order");
    REEL_ASSIGN(Value item, decode_value(type.children[0].type, bytes));
    entries.emplace_back(key, std::move(item));
  }
  return Value(std::move(entries));
}

Result<Value> take_struct(const Type& type, std::string_view& bytes) {
  REEL_ASSIGN(const std::size_t count, take_count(bytes));
  ValueList members(type.children.size());
  UInt128 last = 0;
  for (std::size_t i = 0; i < count; ++i) {
    REEL_ASSIGN(const UInt128 id, take_varint(bytes));
    if (i > 0 && id <= last) return corrupt("struct members are not in order");
    last = id;
    REEL_ASSIGN(std::string_view member, take_text(bytes));
    const auto child = std::find_if(type.children.begin(), type.children.end(),
                                    [&](const Field& field) { return field.id == id; });
    if (child == type.children.end()) continue;  // dropped since
    const auto at = static_cast<std::size_t>(child - type.children.begin());
    REEL_ASSIGN(members[at], decode_value(child->type, member));
    if (!member.empty() || members[at].is_null())
      return corrupt("a struct member has a wrong size");
  }
  return Value(std::move(members));
}

Result<Value> take_nested(const Type& type, std::string_view& bytes) {
  if (type.kind == TypeKind::map) return take_map(type, bytes);
  if (type.kind == TypeKind::structure) return take_struct(type, bytes);
  ValueList items;
  if (type.kind == TypeKind::fixed_list) {
    const bool narrow = type.children[0].type.kind == TypeKind::float32;
    if (bytes.size() / (narrow ? 4 : 8) < type.size) return cut_short();
    items.reserve(type.size);
    for (std::uint32_t i = 0; i < type.size; ++i) {
      REEL_ASSIGN(Value item, take_float(bytes, narrow));
      items.push_back(std::move(item));
    }
    return Value(std::move(items));
  }
  REEL_ASSIGN(const std::size_t count, take_count(bytes));
  items.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    REEL_ASSIGN(Value item, decode_value(type.children[0].type, bytes));
    items.push_back(std::move(item));
  }
  return Value(std::move(items));
}

Result<Value> take_scalar(const Type& type, std::string_view& bytes) {
  switch (type.kind) {
    case TypeKind::boolean: {
      REEL_ASSIGN(const std::string_view one, take(bytes, 1));
      if (one[0] != 0 && one[0] != 1) return corrupt("a bool is neither 0 nor 1");
      return Value(one[0] == 1);
    }
    case TypeKind::float32:
    case TypeKind::float64: return take_float(bytes, false);
    case TypeKind::string: {
      REEL_ASSIGN(const std::string_view text, take_text(bytes));
      return Value(text);
    }
    case TypeKind::binary: {
      REEL_ASSIGN(const std::string_view text, take_text(bytes));
      return Value(Binary{std::string(text)});
    }
    case TypeKind::uuid: {
      REEL_ASSIGN(const std::string_view text, take(bytes, 16));
      Uuid uuid;
      std::memcpy(uuid.bytes.data(), text.data(), uuid.bytes.size());
      return Value(uuid);
    }
    default: break;
  }
  REEL_ASSIGN(const Int128 number, take_integer(bytes));
  if (type.kind == TypeKind::decimal) return Value(Decimal{number});
  if (type.kind == TypeKind::uint64 && number > std::numeric_limits<std::int64_t>::max() &&
      number <= std::numeric_limits<std::uint64_t>::max()) {
    return Value(static_cast<std::uint64_t>(number));
  }
  const auto range = type.kind == TypeKind::date        ? range_of<std::int32_t>()
                     : type.kind == TypeKind::timestamp ? range_of<std::int64_t>()
                                                        : *integer_range(type.kind);
  if (number < range.min || number > range.max) return corrupt("a number is out of range");
  if (type.kind == TypeKind::date) return Value(Date{static_cast<std::int32_t>(number)});
  if (type.kind == TypeKind::timestamp) return Value(Instant{static_cast<std::int64_t>(number)});
  if (range.min == 0) return Value(static_cast<std::uint64_t>(number));
  return Value(static_cast<std::int64_t>(number));
}

// --- types ---

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : whole_(text), rest_(text) {}

  Result<Type> parse_all() {
    REEL_ASSIGN(Type type, parse_type(0));
    if (!rest_.empty()) return refuse();
    REEL_TRY(check_type(type));
    return type;
  }

 private:
  Failure refuse() const { return invalid("'{}' is not a type", whole_.substr(0, 200)); }

  bool accept(char c) {
    skip_spaces();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_spaces() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }

  std::string_view word() {
    skip_spaces();
    std::size_t size = 0;
    while (size < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[size])) != 0 || rest_[size] == '_')) {
      ++size;
    }
    const std::string_view found = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return found;
  }

  Result<std::uint32_t> number() {
    const std::string_view digits = word();
    if (digits.empty() || digits.size() > 9) return refuse();
    std::uint32_t value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return refuse();
      value = value * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return value;
  }

  Result<Field> parse_field(std::string name, int depth) {
    REEL_ASSIGN(Type type, parse_type(depth + 1));
    Field field{.id = 0, .name = std::move(name), .type = std::move(type)};
    if (accept('#')) {
      REEL_ASSIGN(field.id, number());
    }
    return field;
  }

  Result<Type> parse_type(int depth) {
    if (depth > kDepthMax) return refuse();
    const std::string_view name = word();
    for (const KindName& scalar : kScalarNames) {
      if (scalar.name == name) return Type::of(scalar.kind);
    }
    if (name == "decimal") return parse_decimal();
    if (!accept('<')) return refuse();
    Type type;
    if (name == "list" || name == "fixed_list") {
      type.kind = name == "list" ? TypeKind::list : TypeKind::fixed_list;
      REEL_ASSIGN(Field child, parse_field("element", depth));
      type.children.push_back(std::move(child));
      if (type.kind == TypeKind::fixed_list) {
        if (!accept(',')) return refuse();
        REEL_ASSIGN(type.size, number());
      }
    } else if (name == "map") {
      type.kind = TypeKind::map;
      if (word() != "string" || !accept(',')) return refuse();
      REEL_ASSIGN(Field child, parse_field("value", depth));
      type.children.push_back(std::move(child));
    } else if (name == "struct") {
      type.kind = TypeKind::structure;
      do {
        std::string member(word());
        if (!accept(':')) return refuse();
        REEL_ASSIGN(Field child, parse_field(std::move(member), depth));
        type.children.push_back(std::move(child));
      } while (accept(','));
    } else {
      return refuse();
    }
    if (!accept('>')) return refuse();
    return type;
  }

  Result<Type> parse_decimal() {
    if (!accept('(')) return refuse();
    REEL_ASSIGN(const std::uint32_t precision, number());
    if (!accept(',')) return refuse();
    REEL_ASSIGN(const std::uint32_t scale, number());
    if (!accept(')') || precision > kPrecisionMax || scale > precision) return refuse();
    return Type::decimal(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale));
  }

  std::string_view whole_;
  std::string_view rest_;
};

std::string field_text(const Field& field) {
  return field.id == 0 ? field.type.to_string()
                       : fmt::format("{}#{}", field.type.to_string(), field.id);
}

Status check_type_at(const Type& type, int depth) {
  if (depth > kDepthMax) return invalid("a type is nested deeper than {}", kDepthMax);
  const bool has_child = type.kind == TypeKind::list || type.kind == TypeKind::fixed_list ||
                         type.kind == TypeKind::map;
  if (has_child ? type.children.size() != 1
                : (type.kind == TypeKind::structure) == type.children.empty()) {
    return invalid("a type has {} children", type.children.size());
  }
  if (type.kind == TypeKind::decimal &&
      (type.precision < 1 || type.precision > kPrecisionMax || type.scale > type.precision)) {
    return invalid("decimal({},{}) is not offered: precision is 1 to {}, scale at most precision",
                   type.precision, type.scale, kPrecisionMax);
  }
  if (type.kind == TypeKind::fixed_list) {
    const TypeKind element = type.children[0].type.kind;
    if (element != TypeKind::float32 && element != TypeKind::float64) {
      return invalid("a fixed_list holds float32 or float64");
    }
    if (type.size < 1 || type.size > kFixedListMax) {
      return invalid("a fixed_list has 1 to {} elements", kFixedListMax);
    }
  }
  std::set<std::string_view> names;
  for (const Field& child : type.children) {
    if (type.kind == TypeKind::structure && !names.insert(child.name).second) {
      return invalid("a struct has two members '{}'", child.name);
    }
    if (child.name.empty()) return invalid("a member of a type has no name");
    REEL_TRY(check_type_at(child.type, depth + 1));
  }
  if (names.size() > kStructMembersMax) {
    return invalid("a struct has more than {} members", kStructMembersMax);
  }
  return {};
}

Failure wrong_kind(const Type& type) { return invalid("the value is not a {}", type.to_string()); }

Status check_items(const Type& type, const ValueList& items) {
  if (type.kind == TypeKind::structure && items.size() != type.children.size()) {
    return invalid("a struct of {} members has {} values", type.children.size(), items.size());
  }
  if (type.kind == TypeKind::fixed_list && items.size() != type.size) {
    return invalid("a fixed_list of {} has {} elements", type.size, items.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (type.kind == TypeKind::fixed_list && items[i].is_null()) {
      return invalid("element {} of a fixed_list is null", i);
    }
    const Type& child = type.children[type.kind == TypeKind::structure ? i : 0].type;
    REEL_TRY(check_value(child, items[i]));
  }
  return {};
}

Status check_entries(const Type& type, const ValueMap& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!is_utf8(entries[i].first)) return invalid("a map key is not UTF-8");
    if (i > 0 && entries[i - 1].first == entries[i].first) {
      return invalid("a map has the key '{}' twice", entries[i].first);
    }
    REEL_TRY(check_value(type.children[0].type, entries[i].second));
  }
  return {};
}

}  // namespace

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

Type Type::media_time() { return decimal(24, 9); }

Type Type::list(Type element) {
  Type type = of(TypeKind::list);
  type.children.push_back({.id = 0, .name = "element", .type = std::move(element)});
  return type;
}

Type Type::fixed_list(Type element, std::uint32_t size) {
  Type type = list(std::move(element));
  type.kind = TypeKind::fixed_list;
  type.size = size;
  return type;
}

Type Type::map(Type value) {
  Type type = of(TypeKind::map);
  type.children.push_back({.id = 0, .name = "value", .type = std::move(value)});
  return type;
}

Type Type::structure(std::vector<Field> members) {
  Type type = of(TypeKind::structure);
  type.children = std::move(members);
  return type;
}

std::string Type::to_string() const {
  for (const KindName& scalar : kScalarNames) {
    if (scalar.kind == kind) return std::string(scalar.name);
  }
  switch (kind) {
    case TypeKind::decimal: return fmt::format("decimal({},{})", precision, scale);
    case TypeKind::list: return fmt::format("list<{}>", field_text(children.at(0)));
    case TypeKind::fixed_list:
      return fmt::format("fixed_list<{},{}>", field_text(children.at(0)), size);
    case TypeKind::map: return fmt::format("map<string,{}>", field_text(children.at(0)));
    default: break;
  }
  std::string out = "struct<";
  for (const Field& child : children) {
    if (out.back() != '<') out += ',';
    out += child.name + ":" + field_text(child);
  }
  return out + ">";
}

Result<Type> Type::parse(std::string_view text) { return TypeParser(text).parse_all(); }

bool Type::is_nested() const {
  return kind == TypeKind::list || kind == TypeKind::fixed_list || kind == TypeKind::map ||
         kind == TypeKind::structure;
}

bool operator==(const Type& a, const Type& b) {
  return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale && a.size == b.size &&
         a.children == b.children;
}

bool operator==(const Field& a, const Field& b) {
  return a.id == b.id && a.name == b.name && a.type == b.type;
}

Status check_type(const Type& type) { return check_type_at(type, 0); }

Value::Value(ValueList value) : storage_(std::move(value)) {}

Value::Value(ValueMap value) : storage_(std::move(value)) {
  auto& entries = std::get<ValueMap>(storage_);
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

bool operator==(const Value& a, const Value& b) {
  if (a.storage_.index() != b.storage_.index()) {
    const auto left = integer_of(a);
    return left && left == integer_of(b);
  }
  if (const auto* left = a.get_if<double>()) {
    const double right = b.get<double>();
    return *left == right || (std::isnan(*left) && std::isnan(right));
  }
  return a.storage_ == b.storage_;
}

namespace {

std::strong_ordering compare_numbers(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) <=> std::isnan(b);
  return a < b   ? std::strong_ordering::less
         : b < a ? std::strong_ordering::greater
                 : std::strong_ordering::equal;
}

template <class T>
std::strong_ordering compare_same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return compare_numbers(a, b);
  } else if constexpr (std::is_same_v<T, ValueList>) {
    return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end(), compare);
  } else if constexpr (std::is_same_v<T, ValueMap>) {
    return std::lexicographical_compare_three_way(
        a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
          const auto by_key = one.first <=> other.first;
          return by_key != 0 ? by_key : compare(one.second, other.second);
        });
  } else {
    return a <=> b;
  }
}

}  // namespace

std::strong_ordering compare(const Value& a, const Value& b) {
  if (a.storage().index() == b.storage().index()) {
    return std::visit(
        [&](const auto& left) {
          return compare_same(left, *b.get_if<std::decay_t<decltype(left)>>());
        },
        a.storage());
  }
  const auto left = integer_of(a);
  const auto right = integer_of(b);
  if (left && right) return *left <=> *right;
  return a.storage().index() <=> b.storage().index();
}

Status check_value(const Type& type, const Value& value) {
  if (value.is_null()) return {};
  if (const auto range = integer_range(type.kind)) {
    const auto number = integer_of(value);
    if (!number) return wrong_kind(type);
    if (*number < range->min || *number > range->max) {
      return invalid("{} does not fit {}", *number, type.to_string());
    }
    return {};
  }
  bool fits = false;
  switch (type.kind) {
    case TypeKind::boolean: fits = value.get_if<bool>() != nullptr; break;
    case TypeKind::float32: {
      const auto* number = value.get_if<double>();
      fits = number != nullptr && is_float32(*number);
      break;
    }
    case TypeKind::float64: fits = value.get_if<double>() != nullptr; break;
    case TypeKind::decimal: {
      const auto* decimal = value.get_if<Decimal>();
      if (decimal == nullptr) break;
      const Int128 limit = power_of_ten(type.precision);
      fits = decimal->unscaled < limit && decimal->unscaled > -limit;
      break;
    }
    case TypeKind::string: {
      const auto* text = value.get_if<std::string>();
      fits = text != nullptr && is_utf8(*text);
      break;
    }
    case TypeKind::binary: fits = value.get_if<Binary>() != nullptr; break;
    case TypeKind::uuid: fits = value.get_if<Uuid>() != nullptr; break;
    case TypeKind::timestamp: fits = value.get_if<Instant>() != nullptr; break;
    case TypeKind::date: fits = value.get_if<Date>() != nullptr; break;
    case TypeKind::map: {
      const auto* entries = value.get_if<ValueMap>();
      if (entries != nullptr) return check_entries(type, *entries);
      break;
    }
    default: {
      const auto* items = value.get_if<ValueList>();
      if (items != nullptr) return check_items(type, *items);
      break;
    }
  }
  if (!fits) return wrong_kind(type);
  return {};
}

void encode_value(std::string& out, const Type& type, const Value& value) {
  if (value.is_null()) return out.push_back(0);
  out.push_back(1);
  switch (type.kind) {
    case TypeKind::boolean: return out.push_back(value.get<bool>() ? 1 : 0);
    case TypeKind::float32:
    case TypeKind::float64: return append_float64(out, value.get<double>());
    case TypeKind::decimal: return append_integer(out, value.get<Decimal>().unscaled);
    case TypeKind::string: return append_text(out, value.get<std::string>());
    case TypeKind::binary: return append_text(out, value.get<Binary>().bytes);
    case TypeKind::uuid: {
      const auto& bytes = value.get<Uuid>().bytes;
      out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return;
    }
    case TypeKind::timestamp: return append_integer(out, value.get<Instant>().micros);
    case TypeKind::date: return append_integer(out, value.get<Date>().days);
    default: break;
  }
  if (type.is_nested()) return append_nested(out, type, value);
  const auto number = integer_of(value);
  REEL_CHECK(number.has_value());
  append_integer(out, *number);
}

Result<Value> decode_value(const Type& type, std::string_view& bytes) {
  REEL_ASSIGN(const std::string_view presence, take(bytes, 1));
  if (presence[0] == 0) return Value();
  if (presence[0] != 1) return corrupt("a value starts with neither 0 nor 1");
  if (type.is_nested()) return take_nested(type, bytes);
  REEL_ASSIGN(Value value, take_scalar(type, bytes));
  if (auto checked = check_value(type, value); !checked) {
    return corrupt("{}", checked.error().message());
  }
  return value;
}

std::string encode_decimal_key(Decimal value) {
  std::string key(12, '\0');
  write_decimal_key(value, key.data());
  return key;
}

namespace {

// Loops over one machine word, which the compiler turns into one load or store.
template <class Word>
Word read_big_endian(const char* bytes) {
  Word word = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    word = static_cast<Word>(word << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return word;
}

template <class Word>
void write_big_endian(Word word, char* bytes) {
  for (std::size_t i = sizeof(Word); i-- > 0; word >>= 8) bytes[i] = static_cast<char>(word);
}

}  // namespace

void write_decimal_key(Decimal value, char* bytes) {
  const auto biased = static_cast<UInt128>(value.unscaled + (Int128{1} << 95));
  write_big_endian(static_cast<std::uint32_t>(biased >> 64), bytes);
  write_big_endian(static_cast<std::uint64_t>(biased), bytes + 4);
}

Result<Decimal> decode_decimal_key(std::string_view bytes) {
  if (bytes.size() != 12) return corrupt("a decimal key has {} bytes", bytes.size());
  const char* const key = bytes.data();
  const auto biased = (UInt128{read_big_endian<std::uint32_t>(key)} << 64) |
                      read_big_endian<std::uint64_t>(key + 4);
  return Decimal{static_cast<Int128>(biased) - (Int128{1} << 95)};
}

}  // namespace reel::store
