// The plain SHA-256 functions are marked as deprecated since OpenSSL 3; see HmacSha256::State.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hash.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <xxhash.h>

#include "base/result.h"

namespace reel {
namespace {
constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

Hash128& Hash128::operator+=(Hash128 other) {
  low += other.low;
  high += other.high + (low < other.low ? 1 : 0);
  return *this;
}

Hash128& Hash128::operator-=(Hash128 other) {
  const std::uint64_t borrow = low < other.low ? 1 : 0;
  low -= other.low;
  high -= other.high + borrow;
  return *this;
}

std::string Hash128::to_hex() const { return fmt::format("{:016x}{:016x}", high, low); }

Hash128 hash128(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  REEL_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteSpan bytes) {
  REEL_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  REEL_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
  return digest;
}

Sha256Digest sha256(std::string_view bytes) {
  // Not EVP, whose contexts live on the heap: each request with a credential comes here.
  Sha256Digest digest;
  SHA256_CTX context;
  REEL_CHECK(SHA256_Init(&context) == 1 &&
             SHA256_Update(&context, bytes.data(), bytes.size()) == 1 &&
             SHA256_Final(digest.data(), &context) == 1);
  return digest;
}

//! The hash states after the two padded keys; signing works on copies. Not EVP, whose contexts live
//! on the heap: copying them costs three times as much as the hashing.
struct HmacSha256::State {
  SHA256_CTX inner;
  SHA256_CTX outer;
};

HmacSha256::HmacSha256(std::string_view key) {
  std::array<unsigned char, SHA256_CBLOCK> block{};
  if (key.size() > block.size()) {
    const Sha256Digest digest = sha256(key);
    std::copy(digest.begin(), digest.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  auto state = std::make_unique<State>();
  const auto start = [&](SHA256_CTX& context, unsigned char padding) {
    std::array<unsigned char, SHA256_CBLOCK> padded{};
    for (std::size_t i = 0; i < padded.size(); ++i) padded[i] = block[i] ^ padding;
    REEL_CHECK(SHA256_Init(&context) == 1 &&
               SHA256_Update(&context, padded.data(), padded.size()) == 1);
    OPENSSL_cleanse(padded.data(), padded.size());
  };
  start(state->inner, 0x36);
  start(state->outer, 0x5c);
  OPENSSL_cleanse(block.data(), block.size());
  state_ = std::move(state);
}

HmacSha256::~HmacSha256() = default;

Sha256Digest HmacSha256::sign(std::string_view message) const {
  Sha256Digest digest;
  SHA256_CTX inner = state_->inner;
  REEL_CHECK(SHA256_Update(&inner, message.data(), message.size()) == 1 &&
             SHA256_Final(digest.data(), &inner) == 1);
  SHA256_CTX outer = state_->outer;
  REEL_CHECK(SHA256_Update(&outer, digest.data(), digest.size()) == 1 &&
             SHA256_Final(digest.data(), &outer) == 1);
  return digest;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 0x0f]);
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string to_base64url(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    window = (window << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out.push_back(kBase64[(window >> bits) & 63]);
    }
  }
  if (bits > 0) out.push_back(kBase64[(window << (6 - bits)) & 63]);
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  static constexpr std::string_view kAlphabet(kBase64, 64);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t window = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    window = (window << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>((window >> bits) & 0xff));
    }
  }
  if ((window & ((1U << bits) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace reel
