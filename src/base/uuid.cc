#include "base/uuid.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <openssl/evp.h>
#include <sys/random.h>

namespace reel {
namespace {

constexpr char kHex[] = "0123456789abcdef";

//! The positions of the four dashes: 8-4-4-4-12.
constexpr bool is_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

class SystemRandom final : public Random {
 public:
  void fill(unsigned char* bytes, std::size_t count) override {
    while (count > 0) {
      const ssize_t got = ::getrandom(bytes, count, 0);
      if (got < 0 && errno == EINTR) continue;
      REEL_CHECK(got > 0);
      bytes += got;
      count -= static_cast<std::size_t>(got);
    }
  }
};

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto refuse = [&] {
    return invalid("'{}' is not a lower-case UUID of version 1 to 5", text.substr(0, 64));
  };
  if (text.size() != 36) return refuse();
  Uuid uuid;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash(i)) {
      if (text[i] != '-') return refuse();
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return refuse();
    auto& byte = uuid.bytes[nibble / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | value);
    ++nibble;
  }
  const int version = uuid.bytes[6] >> 4;
  const int variant = uuid.bytes[8] >> 6;
  if (version < 1 || version > 5 || variant != 2) return refuse();
  return uuid;
}

Uuid Uuid::random(Random& random) {
  Uuid uuid;
  random.fill(uuid.bytes.data(), uuid.bytes.size());
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

Uuid Uuid::from_name(const Uuid& name_space, std::string_view name) {
  std::string text(reinterpret_cast<const char*>(name_space.bytes.data()), name_space.bytes.size());
  text += name;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const int done = EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha1(), nullptr);
  REEL_CHECK(done == 1 && length >= 16);
  Uuid uuid;
  std::copy_n(digest, uuid.bytes.size(), uuid.bytes.begin());
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x50);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

void Uuid::append_to(std::string& out) const {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out.push_back(kHex[bytes[i] >> 4]);
    out.push_back(kHex[bytes[i] & 0x0f]);
  }
}

std::string Uuid::to_string() const {
  std::string out;
  out.reserve(36);
  append_to(out);
  return out;
}

}  // namespace reel

std::size_t std::hash<reel::Uuid>::operator()(const reel::Uuid& uuid) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, uuid.bytes.data() + 8, sizeof(value));
  std::size_t low = 0;
  std::memcpy(&low, uuid.bytes.data(), sizeof(low));
  return value ^ (low * 0x9e3779b97f4a7c15ULL);
}
