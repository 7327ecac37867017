#pragma once
//! Hashes and text forms of bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reel {

using ByteSpan = std::span<const std::byte>;

inline ByteSpan as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

//! A 128-bit number that adds and subtracts modulo 2^128; sums of row hashes do not depend on
//! the order of the rows.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  Hash128& operator+=(Hash128 other);
  Hash128& operator-=(Hash128 other);
  std::string to_hex() const;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

//! XXH3, 128 bit: fast, well mixed, not for secrets. The value of given bytes never changes.
Hash128 hash128(std::string_view bytes);

using Sha256Digest = std::array<std::uint8_t, 32>;

//! SHA-256 over bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteSpan bytes);
  //! The digest of everything so far. The object must not be used afterwards.
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Digest sha256(std::string_view bytes);

//! HMAC-SHA-256 whose key is mixed in once, so that signing a short text costs little more than
//! hashing it. Thread-safe.
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  ~HmacSha256();
  Sha256Digest sign(std::string_view message) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

//! Compares without telling by its duration where the difference is.
bool equal_constant_time(std::string_view a, std::string_view b);

std::string to_hex(std::span<const std::uint8_t> bytes);
std::optional<std::string> from_hex(std::string_view hex);

//! Base64 with '-' and '_' and no padding (RFC 4648 §5): safe in URLs.
std::string to_base64url(std::span<const std::uint8_t> bytes);
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace reel
