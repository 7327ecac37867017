#include "auth/password.h"

#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

#include <openssl/evp.h>

#include "base/hash.h"

namespace reel::auth {
namespace {

constexpr std::size_t kPasswordBytesMax = 1024;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMemoryBytesMax = 256ULL << 20;

//! Parameters of RFC 7914.
struct Cost {
  std::uint64_t log2_n = 15;
  std::uint64_t r = 8;
  std::uint64_t p = 1;
};

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::array<std::uint8_t, kHashBytes>> scrypt(std::string_view password,
                                                    std::string_view salt, const Cost& cost) {
  std::array<std::uint8_t, kHashBytes> hash{};
  const int done = EVP_PBE_scrypt(password.data(), password.size(),
                                  reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                                  std::uint64_t{1} << cost.log2_n, cost.r, cost.p, kMemoryBytesMax,
                                  hash.data(), hash.size());
  if (done != 1) return invalid("scrypt refuses these parameters");
  return hash;
}

struct PasswordHash {
  Cost cost;
  std::string salt;
  std::string hash;
};

Result<PasswordHash> read_hash(std::string_view text) {
  const auto wrong = [] {
    return invalid("a password hash is like scrypt$15$8$1$<salt>$<hash>, see `reelhouse password`");
  };
  const auto parts = split(text, '$');
  if (parts.size() != 6 || parts[0] != "scrypt") return wrong();
  const auto log2_n = number(parts[1]);
  const auto r = number(parts[2]);
  const auto p = number(parts[3]);
  const auto salt = from_base64url(parts[4]);
  const auto hash = from_base64url(parts[5]);
  if (!log2_n || !r || !p || !salt || !hash || hash->size() != kHashBytes) return wrong();
  if (*log2_n < 10 || *log2_n > 20 || *r < 1 || *r > 32 || *p < 1 || *p > 16 ||
      (std::uint64_t{128} * *r << *log2_n) > kMemoryBytesMax / 2) {
    return invalid("the scrypt parameters {}, {}, {} are not allowed", *log2_n, *r, *p);
  }
  return PasswordHash{.cost = {*log2_n, *r, *p}, .salt = *salt, .hash = *hash};
}

Result<std::pair<std::string, Identity>> read_user(const std::vector<std::string_view>& parts) {
  if (parts.size() < 3 || parts.size() > 4 || parts[0].empty()) {
    return invalid("a user is name:role:hash or name:role:hash:class,class");
  }
  REEL_ASSIGN(const Role role, parse_role(parts[1]));
  REEL_TRY(read_hash(parts[2]));
  Identity identity{.name = std::string(parts[0]), .permissions = role_permissions(role)};
  if (parts.size() == 4) {
    identity.classes.emplace();
    for (const std::string_view name : split(parts[3], ',')) identity.classes->emplace_back(name);
  }
  return std::pair(std::string(parts[2]), std::move(identity));
}

}  // namespace

Result<std::string> hash_password(std::string_view password, Random& random) {
  if (password.empty() || password.size() > kPasswordBytesMax) {
    return invalid("a password has 1 to {} bytes", kPasswordBytesMax);
  }
  std::array<unsigned char, kSaltBytes> salt{};
  random.fill(salt.data(), salt.size());
  const Cost cost;
  REEL_ASSIGN(const auto hash,
              scrypt(password, {reinterpret_cast<const char*>(salt.data()), salt.size()}, cost));
  return fmt::format("scrypt${}${}${}${}${}", cost.log2_n, cost.r, cost.p, to_base64url(salt),
                     to_base64url(hash));
}

Result<bool> check_password(std::string_view password, std::string_view hash) {
  REEL_ASSIGN(const PasswordHash known, read_hash(hash));
  if (password.size() > kPasswordBytesMax) return false;
  REEL_ASSIGN(const auto given, scrypt(password, known.salt, known.cost));
  return equal_constant_time({reinterpret_cast<const char*>(given.data()), given.size()},
                             known.hash);
}

Result<std::string> user_line(std::string_view name, Role role, std::string_view hash) {
  if (name.empty() || name.front() == '#' || name.find_first_of(":\n\r") != name.npos) {
    return invalid("'{}' cannot be a user's name: no colon, no line break, no # at its start",
                   name);
  }
  return fmt::format("{}:{}:{}", name, role_name(role), hash);
}

Result<Users> Users::parse(std::string_view text) {
  Users users;
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    auto user = read_user(split(line, ':'));
    if (!user) return invalid("line {}: {}", number, user.error().message());
    std::string name = user->second.name;
    const auto [place, added] = users.by_name_.try_emplace(
        std::move(name),
        User{std::make_shared<const Identity>(std::move(user->second)), std::move(user->first)});
    if (!added) return invalid("line {}: the user '{}' is there twice", number, place->first);
  }
  return users;
}

Result<Users> Users::read(const std::string& file) {
  const std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return io("the users file {} cannot be read", file);
  auto users = parse(text.str());
  if (!users) return invalid("{}: {}", file, users.error().message());
  return users;
}

IdentityPtr Users::check(const std::string& name, std::string_view password) const {
  // Any hash will do for a name that does not exist: it is the time that must be the same.
  static const std::string kNobody =
      "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const auto user = by_name_.find(name);
  const bool known = user != by_name_.end();
  const auto right = check_password(password, known ? user->second.hash : kNobody);
  return known && right && *right ? user->second.identity : nullptr;
}

}  // namespace reel::auth
