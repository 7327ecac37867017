#pragma once
//! Random types and values for tests.

#include <bit>
#include <cstdint>
#include <random>
#include <string>

#include "base/test_seed.h"
#include "store/value.h"

namespace reel::store::testing {

//! Types of every kind and values that fit them.
class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  Type type(int depth) {
    const auto kind = static_cast<TypeKind>(1 + below(depth > 3 ? 17 : 21));
    switch (kind) {
      case TypeKind::decimal: return Type::decimal(28, 9);
      case TypeKind::list: return Type::list(type(depth + 1));
      case TypeKind::map: return Type::map(type(depth + 1));
      case TypeKind::fixed_list:
        return Type::fixed_list(Type::of(below(2) == 0 ? TypeKind::float32 : TypeKind::float64), 3);
      case TypeKind::structure: {
        std::vector<Field> fields;
        for (std::uint32_t i = 0; i < 3; ++i) {
          fields.push_back({.id = 9 - 2 * i,
                            .name = std::string(1, static_cast<char>('a' + i)),
                            .type = type(depth + 1)});
        }
        return Type::structure(std::move(fields));
      }
      default: return Type::of(kind);
    }
  }

  Value value(const Type& type) {
    if (below(6) == 0) return {};
    const auto bits = random_() >> below(64);
    switch (type.kind) {
      case TypeKind::boolean: return bits % 2 == 0;
      case TypeKind::int8: return std::int64_t{static_cast<std::int8_t>(bits)};
      case TypeKind::int16: return std::int64_t{static_cast<std::int16_t>(bits)};
      case TypeKind::int32: return std::int64_t{static_cast<std::int32_t>(bits)};
      case TypeKind::int64: return static_cast<std::int64_t>(bits);
      case TypeKind::uint8: return bits & 0xff;
      case TypeKind::uint16: return bits & 0xffff;
      case TypeKind::uint32: return bits & 0xffff'ffff;
      case TypeKind::uint64: return bits;
      case TypeKind::float32: return static_cast<double>(number<float>(std::uint32_t(bits)));
      case TypeKind::float64: return number<double>(bits);
      case TypeKind::decimal:
        return Decimal{static_cast<Int128>(static_cast<std::int64_t>(bits)) * 1'000'000'007};
      case TypeKind::string: return std::string(below(20), static_cast<char>(below(128)));
      case TypeKind::binary: return Binary{std::string(below(20), static_cast<char>(bits))};
      case TypeKind::uuid: {
        Uuid uuid;
        for (auto& byte : uuid.bytes) byte = static_cast<std::uint8_t>(below(256));
        return uuid;
      }
      case TypeKind::timestamp: return Instant{static_cast<std::int64_t>(bits)};
      case TypeKind::date: return Date{static_cast<std::int32_t>(bits)};
      case TypeKind::map: {
        ValueMap map;
        for (std::uint64_t i = below(4); i > 0; --i) {
          map.emplace_back(std::string(i, 'k'), value(type.children[0].type));
        }
        return map;
      }
      default: return list(type);
    }
  }

 private:
  template <class Float, class Bits>
  static Float number(Bits bits) {
    return std::bit_cast<Float>(bits);
  }

  Value list(const Type& type) {
    ValueList items;
    if (type.kind == TypeKind::structure) {
      for (const Field& field : type.children) items.push_back(value(field.type));
    } else if (type.kind == TypeKind::fixed_list) {
      for (std::uint32_t i = 0; i < type.size; ++i) items.emplace_back(static_cast<double>(i) / 4);
    } else {
      for (std::uint64_t i = below(5); i > 0; --i) items.push_back(value(type.children[0].type));
    }
    return items;
  }

  std::mt19937_64 random_;
};

}  // namespace reel::store::testing
