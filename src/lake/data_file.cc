#include "lake/data_file.h"

#include <cmath>
#include <optional>

namespace reel::lake {
namespace {

using store::TypeKind;
using store::Value;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

//! The first bytes; of text whole characters.
std::string cut(std::string_view bytes, bool text) {
  std::size_t size = std::min(bytes.size(), kBoundBytesMax);
  while (text && size > 0 && size < bytes.size() && !starts_character(bytes[size])) --size;
  return std::string(bytes.substr(0, size));
}

//! The character behind this one as UTF-8; nullopt: it is the last.
std::optional<std::string> next_character(std::string_view character) {
  constexpr std::uint32_t kLast = 0x10FFFF;
  constexpr std::uint32_t kSurrogates = 0xD800;
  constexpr std::uint32_t kBehindSurrogates = 0xE000;
  const auto first = static_cast<unsigned char>(character[0]);
  const std::size_t size = character.size();
  std::uint32_t point = size == 1 ? first : first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    point = (point << 6) | (static_cast<unsigned char>(character[i]) & 0x3FU);
  }
  if (point == kLast) return std::nullopt;
  if (++point == kSurrogates) point = kBehindSurrogates;
  const auto continued = [&](unsigned shift) {
    return static_cast<char>(0x80U | ((point >> shift) & 0x3FU));
  };
  if (point < 0x80) return std::string{static_cast<char>(point)};
  if (point < 0x800) return std::string{static_cast<char>(0xC0U | (point >> 6)), continued(0)};
  if (point < 0x10000) {
    return std::string{static_cast<char>(0xE0U | (point >> 12)), continued(6), continued(0)};
  }
  return std::string{static_cast<char>(0xF0U | (point >> 18)), continued(12), continued(6),
                     continued(0)};
}

//! The shortest text or bytes above everything that begins with these; nullopt: there is none.
std::optional<std::string> next_prefix(std::string prefix, bool text) {
  while (!prefix.empty()) {
    std::size_t start = prefix.size() - 1;
    while (text && start > 0 && !starts_character(prefix[start])) --start;
    if (text) {
      const auto next = next_character(std::string_view(prefix).substr(start));
      prefix.resize(start);
      if (next) return prefix + *next;
    } else {
      const auto last = static_cast<unsigned char>(prefix[start]);
      prefix.resize(start);
      if (last != 0xFF) return prefix + static_cast<char>(last + 1);
    }
  }
  return std::nullopt;
}

Value cut_bound(const Value& bound, bool upper) {
  const auto* text = bound.get_if<std::string>();
  const auto* bytes = bound.get_if<store::Binary>();
  if (text == nullptr && bytes == nullptr) return bound;
  const std::string& whole = text != nullptr ? *text : bytes->bytes;
  std::optional<std::string> kept = cut(whole, text != nullptr);
  if (upper && kept->size() < whole.size()) {
    kept = next_prefix(*std::move(kept), text != nullptr);
    if (!kept) return {};
  }
  return text != nullptr ? Value(*std::move(kept)) : Value(store::Binary{*std::move(kept)});
}

}  // namespace

void BoundsCollector::add(const Value& value) {
  if (value.is_null()) return;
  if (kind_ == TypeKind::float32 || kind_ == TypeKind::float64) {
    if (std::isnan(value.get<double>())) {
      ++nans_;
      return;
    }
  }
  if (lower_.is_null() || compare(value, lower_) < 0) lower_ = value;
  if (upper_.is_null() || compare(value, upper_) > 0) upper_ = value;
}

void BoundsCollector::write_to(ColumnStatistics& statistics) const {
  statistics.nans = nans_;
  statistics.lower = cut_bound(lower_, false);
  statistics.upper = cut_bound(upper_, true);
}

}  // namespace reel::lake
