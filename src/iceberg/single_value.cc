#include "iceberg/single_value.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace reel::iceberg {
namespace {

using store::Binary;
using store::Date;
using store::Decimal;
using store::Int128;

constexpr std::size_t kBoundLengthMax = 16;

template <class Bits>
std::string little_endian(Bits bits) {
  std::string out;
  for (std::size_t i = 0; i < sizeof(Bits); ++i, bits >>= 8) out.push_back(static_cast<char>(bits));
  return out;
}

std::uint64_t from_little_endian(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    bits = (bits << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return bits;
}

//! An integer of 4 or 8 bytes, with its sign.
std::int64_t integer_from(std::string_view bytes) {
  const std::uint64_t bits = from_little_endian(bytes);
  if (bytes.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits));
  return static_cast<std::int64_t>(bits);
}

Failure mismatch(const Type& type) { return invalid("the value is no {}", type.to_string()); }

Result<std::string> integer_bytes(const Type& type, const store::Value& value) {
  std::int64_t number = 0;
  if (const auto* given = value.get_if<std::int64_t>()) {
    number = *given;
  } else if (const auto* big = value.get_if<std::uint64_t>(); big != nullptr && *big <= INT64_MAX) {
    number = static_cast<std::int64_t>(*big);
  } else {
    return mismatch(type);
  }
  if (type.kind != TypeKind::int32) return little_endian(static_cast<std::uint64_t>(number));
  if (number < INT32_MIN || number > INT32_MAX) return mismatch(type);
  return little_endian(static_cast<std::uint32_t>(number));
}

Result<std::string> float_bytes(const Type& type, const store::Value& value) {
  const auto* number = value.get_if<double>();
  if (number == nullptr) return mismatch(type);
  if (type.kind == TypeKind::float64) return little_endian(std::bit_cast<std::uint64_t>(*number));
  return little_endian(std::bit_cast<std::uint32_t>(static_cast<float>(*number)));
}

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

Result<std::string> decimal_bytes(const Type& type, const store::Value& value) {
  Int128 unscaled = 0;
  if (const auto* decimal = value.get_if<Decimal>()) {
    unscaled = decimal->unscaled;
  } else if (const auto* big = value.get_if<std::uint64_t>(); big != nullptr && type.scale == 0) {
    unscaled = Int128{*big};
  } else if (const auto* number = value.get_if<std::int64_t>();
             number != nullptr && type.scale == 0) {
    unscaled = *number;
  } else {
    return mismatch(type);
  }
  const Int128 limit = power_of_ten(type.precision);
  if (unscaled >= limit || unscaled <= -limit) return mismatch(type);
  return minimal_big_endian(unscaled);
}

Result<store::Value> decimal_from(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > sizeof(Int128)) {
    return corrupt("a decimal of {} bytes", bytes.size());
  }
  // The first byte carries the sign; unsigned, because the number may be shifted into it.
  auto bits =
      static_cast<unsigned __int128>(static_cast<Int128>(static_cast<signed char>(bytes.front())));
  for (const char byte : bytes.substr(1)) bits = (bits << 8) | static_cast<unsigned char>(byte);
  return store::Value(Decimal{static_cast<Int128>(bits)});
}

Status check_length(const Type& type, std::string_view bytes, bool fits) {
  if (fits) return {};
  return corrupt("{} bytes are no {}", bytes.size(), type.to_string());
}

// ---- bounds ----

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

//! The first characters, complete ones. REQUIRES: valid UTF-8.
std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (!is_continuation(text[at]) && count-- == 0) break;
    ++at;
  }
  return text.substr(0, at);
}

char32_t decode_character(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  if (bytes.size() == 1) return lead;
  char32_t point = lead & (0x7Fu >> bytes.size());
  for (const char byte : bytes.substr(1))
    point = (point << 6) | (static_cast<unsigned>(byte) & 0x3F);
  return point;
}

void append_character(std::string& out, char32_t point) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | ((point >> shift) & 0x3F)));
  };
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (point >> 6)));
    tail(0);
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (point >> 12)));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | (point >> 18)));
    tail(12), tail(6), tail(0);
  }
}

//! The smallest text of no more characters that is above every text that begins like this.
std::optional<std::string> round_up_text(std::string text) {
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && is_continuation(text[begin])) --begin;
    const char32_t point = decode_character(std::string_view(text).substr(begin));
    text.resize(begin);
    if (point == 0x10FFFF) continue;
    // What follows the last character before the surrogates is the first one behind them.
    append_character(text, point == 0xD7FF ? 0xE000 : point + 1);
    return text;
  }
  return std::nullopt;
}

std::optional<std::string> round_up_bytes(std::string bytes) {
  while (!bytes.empty()) {
    const auto last = static_cast<unsigned char>(bytes.back());
    if (last < 0xFF) {
      bytes.back() = static_cast<char>(last + 1);
      return bytes;
    }
    bytes.pop_back();
  }
  return std::nullopt;
}

enum class Side : std::uint8_t { lower, upper };

Result<std::optional<std::string>> bound(const Type& type, const store::Value& value, Side side) {
  if (value.is_null() || type.is_nested()) return std::nullopt;
  if (const auto* number = value.get_if<double>()) {
    if (std::isnan(*number)) return std::nullopt;
    // Of the two zeros the one that is safe: the store does not tell them apart.
    if (*number == 0) return to_bytes(type, store::Value(side == Side::lower ? -0.0 : 0.0));
  }
  REEL_ASSIGN(std::string bytes, to_bytes(type, value));
  if (type.kind == TypeKind::string) {
    const std::string_view cut = first_characters(bytes, kBoundLengthMax);
    if (cut.size() == bytes.size()) return bytes;
    if (side == Side::lower) return std::string(cut);
    return round_up_text(std::string(cut));
  }
  const bool cut = type.kind == TypeKind::binary && bytes.size() > kBoundLengthMax;
  if (!cut) return bytes;
  bytes.resize(kBoundLengthMax);
  if (side == Side::lower) return bytes;
  return round_up_bytes(std::move(bytes));
}

}  // namespace

std::string minimal_big_endian(Int128 number) {
  std::string out;
  bool complete = false;
  while (!complete) {
    const auto byte = static_cast<signed char>(static_cast<unsigned char>(number & 0xFF));
    out.insert(out.begin(), static_cast<char>(byte));
    number >>= 8;
    // The rest is only the sign of what is there.
    complete = number == (byte < 0 ? -1 : 0);
  }
  return out;
}

Result<std::string> to_bytes(const Type& type, const store::Value& value) {
  switch (type.kind) {
    case TypeKind::boolean: {
      const auto* flag = value.get_if<bool>();
      if (flag == nullptr) return mismatch(type);
      return std::string(1, *flag ? '\1' : '\0');
    }
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::time: return integer_bytes(type, value);
    case TypeKind::float32:
    case TypeKind::float64: return float_bytes(type, value);
    case TypeKind::decimal: return decimal_bytes(type, value);
    case TypeKind::date: {
      const auto* date = value.get_if<Date>();
      if (date == nullptr) return mismatch(type);
      return little_endian(static_cast<std::uint32_t>(date->days));
    }
    case TypeKind::timestamp:
    case TypeKind::timestamptz: {
      const auto* instant = value.get_if<Instant>();
      if (instant == nullptr) return mismatch(type);
      return little_endian(static_cast<std::uint64_t>(instant->micros));
    }
    case TypeKind::string: {
      const auto* text = value.get_if<std::string>();
      if (text == nullptr) return mismatch(type);
      return *text;
    }
    case TypeKind::uuid: {
      const auto* uuid = value.get_if<Uuid>();
      if (uuid == nullptr) return mismatch(type);
      return std::string(uuid->bytes.begin(), uuid->bytes.end());
    }
    case TypeKind::fixed:
    case TypeKind::binary: {
      const auto* binary = value.get_if<Binary>();
      const bool fits =
          binary != nullptr && (type.kind == TypeKind::binary || binary->bytes.size() == type.size);
      if (!fits) return mismatch(type);
      return binary->bytes;
    }
    default: return unsupported("a {} is no single value", type.to_string());
  }
}

Result<store::Value> from_bytes(const Type& type, std::string_view bytes) {
  const std::size_t size = bytes.size();
  switch (type.kind) {
    case TypeKind::boolean:
      REEL_TRY(check_length(type, bytes, size == 1));
      return store::Value(bytes[0] != 0);
    case TypeKind::int32:
      REEL_TRY(check_length(type, bytes, size == 4));
      return store::Value(integer_from(bytes));
    case TypeKind::int64:
      REEL_TRY(check_length(type, bytes, size == 8 || size == 4));
      return store::Value(integer_from(bytes));
    case TypeKind::time:
      REEL_TRY(check_length(type, bytes, size == 8));
      return store::Value(integer_from(bytes));
    case TypeKind::float32:
    case TypeKind::float64: {
      REEL_TRY(
          check_length(type, bytes, size == 4 || (size == 8 && type.kind == TypeKind::float64)));
      const std::uint64_t bits = from_little_endian(bytes);
      if (size == 8) return store::Value(std::bit_cast<double>(bits));
      return store::Value(double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))});
    }
    case TypeKind::decimal: return decimal_from(bytes);
    case TypeKind::date:
      REEL_TRY(check_length(type, bytes, size == 4));
      return store::Value(Date{static_cast<std::int32_t>(integer_from(bytes))});
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
      REEL_TRY(check_length(type, bytes, size == 8));
      return store::Value(Instant{integer_from(bytes)});
    case TypeKind::string: return store::Value(bytes);
    case TypeKind::uuid: {
      REEL_TRY(check_length(type, bytes, size == 16));
      Uuid uuid;
      std::memcpy(uuid.bytes.data(), bytes.data(), size);
      return store::Value(uuid);
    }
    case TypeKind::fixed:
      REEL_TRY(check_length(type, bytes, size == type.size));
      return store::Value(Binary{std::string(bytes)});
    case TypeKind::binary: return store::Value(Binary{std::string(bytes)});
    default: return unsupported("a {} is no single value", type.to_string());
  }
}

Result<std::optional<std::string>> lower_bound(const Type& type, const store::Value& smallest) {
  return bound(type, smallest, Side::lower);
}

Result<std::optional<std::string>> upper_bound(const Type& type, const store::Value& largest) {
  return bound(type, largest, Side::upper);
}

}  // namespace reel::iceberg
