#include "sql/scan_shares.h"

#include <algorithm>
#include <utility>

namespace reel::sql {
namespace {

using store::Int128;
using store::Value;
__extension__ typedef unsigned __int128 UInt128;

//! Above low, not above high. The distance may be more than a signed number holds.
template <class Unsigned, class Number>
Number half_way(Number low, Number high) {
  const auto distance = static_cast<Unsigned>(high) - static_cast<Unsigned>(low);
  return static_cast<Number>(static_cast<Unsigned>(low) + distance / 2 + distance % 2);
}

UInt128 to_number(const Uuid& uuid) {
  UInt128 number = 0;
  for (const std::uint8_t byte : uuid.bytes) number = number << 8 | byte;
  return number;
}

Uuid to_uuid(UInt128 number) {
  Uuid uuid;
  for (std::size_t i = uuid.bytes.size(); i-- > 0; number >>= 8) {
    uuid.bytes[i] = static_cast<std::uint8_t>(number);
  }
  return uuid;
}

//! `last_byte`: of the first byte that differs. Beyond ASCII, half of a character is no text.
std::string half_way(const std::string& low, const std::string& high, unsigned char last_byte) {
  const auto differ = std::mismatch(low.begin(), low.end(), high.begin(), high.end());
  const auto byte = [&](const std::string& text, std::string::const_iterator at) {
    return at == text.end() ? 0 : static_cast<unsigned char>(*at);
  };
  const int below = byte(low, differ.first);
  const int above = byte(high, differ.second);
  if (below > last_byte || above > last_byte) return high;
  std::string cut(high.begin(), differ.second);
  cut.push_back(static_cast<char>(below + (above - below + 1) / 2));
  return cut;
}

Value half_way(const Value& low, const Value& high) {
  if (low.is_null()) return high;
  if (const auto* number = high.get_if<std::int64_t>()) {
    return half_way<std::uint64_t>(low.get<std::int64_t>(), *number);
  }
  if (const auto* number = high.get_if<std::uint64_t>()) {
    return half_way<std::uint64_t>(low.get<std::uint64_t>(), *number);
  }
  if (const auto* decimal = high.get_if<store::Decimal>()) {
    const Int128 from = low.get<store::Decimal>().unscaled;
    return store::Decimal{half_way<UInt128>(from, decimal->unscaled)};
  }
  if (const auto* at = high.get_if<Instant>()) {
    return Instant{half_way<std::uint64_t>(low.get<Instant>().micros, at->micros)};
  }
  if (const auto* date = high.get_if<store::Date>()) {
    return store::Date{half_way<std::uint32_t>(low.get<store::Date>().days, date->days)};
  }
  if (const auto* uuid = high.get_if<Uuid>()) {
    return to_uuid(half_way<UInt128>(to_number(low.get<Uuid>()), to_number(*uuid)));
  }
  if (const auto* text = high.get_if<std::string>()) {
    return half_way(low.get<std::string>(), *text, 0x7f);
  }
  if (const auto* binary = high.get_if<store::Binary>()) {
    return store::Binary{half_way(low.get<store::Binary>().bytes, binary->bytes, 0xff)};
  }
  return high;
}

//! A bound on how often probing may go wrong, where the keys lie very unevenly.
constexpr std::size_t kHalvingsMax = 40;

}  // namespace

store::Key cut_between(const store::Key& low, const store::Key& high) {
  store::Key cut;
  for (std::size_t i = 0; i < high.size(); ++i) {
    const bool differs = low[i] != high[i];
    cut.push_back(differs ? half_way(low[i], high[i]) : high[i]);
    if (differs) break;
  }
  return cut;
}

ScanShares::ScanShares(const store::TableSchema& schema, AccessPath path) : path_(std::move(path)) {
  for (const std::size_t position : path_.order) {
    order_columns_.push_back(store::column_reference(schema.columns[position].id));
  }
}

store::ScanSpec ScanShares::spec_of(const Range& range) const {
  store::ScanSpec spec = path_.spec;
  spec.lower = range.lower;
  spec.upper = range.upper;
  return spec;
}

store::Key ScanShares::key_of(const store::RowView& row) const {
  store::Key key;
  for (const std::size_t position : path_.order) key.push_back(row[position]);
  return key;
}

Result<std::optional<ScanShares::Share>> ScanShares::take(store::Snapshot& snapshot) {
  const MutexLock lock(mutex_);
  if (ranges_.empty()) {
    ranges_.push_back({.lower = path_.spec.lower, .upper = path_.spec.upper});
    return Share{0};
  }
  while (true) {
    // The range that was divided least often promises most.
    const auto range =
        std::min_element(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) {
          return std::pair(a.done, a.halvings) < std::pair(b.done, b.halvings);
        });
    if (range->done || range->halvings == kHalvingsMax) return std::nullopt;
    REEL_ASSIGN(std::optional<store::Key> cut, find_cut(snapshot, *range));
    if (!cut) {
      range->halvings = kHalvingsMax;
      continue;
    }
    ++range->halvings;
    Range taken = *range;
    range->upper = store::RangeBound{.prefix = *cut, .inclusive = false};
    taken.lower = store::RangeBound{.prefix = *std::move(cut), .inclusive = true};
    ranges_.push_back(std::move(taken));
    return ranges_.size() - 1;
  }
}

Result<std::optional<store::Key>> ScanShares::find_cut(store::Snapshot& snapshot,
                                                       const Range& range) const {
  store::ScanSpec spec = spec_of(range);
  spec.columns = order_columns_;
  const std::size_t being_read = spec.limit;
  spec.limit = 2 * being_read;
  std::size_t count = 0;
  store::Key low;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    if (++count == being_read) low = key_of(row);
    return true;
  }));
  if (count < spec.limit) return std::nullopt;
  spec.limit = 1;
  spec.reverse = true;
  store::Key high;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    high = key_of(row);
    return true;
  }));
  return cut_between(low, high);
}

store::ScanSpec ScanShares::rest_of(Share share) {
  const MutexLock lock(mutex_);
  return spec_of(ranges_[share]);
}

void ScanShares::advance(Share share, store::Key last) {
  const MutexLock lock(mutex_);
  ranges_[share].lower = store::RangeBound{.prefix = std::move(last), .inclusive = false};
}

void ScanShares::finish(Share share) {
  const MutexLock lock(mutex_);
  ranges_[share].done = true;
}

}  // namespace reel::sql
