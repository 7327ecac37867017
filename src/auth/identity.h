#pragma once
//! Who asks, and what they may do.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace reel::auth {

//! What a credential allows: the four scopes of TAMS AppNote 0016. Independent of each other, but
//! admin contains all.
enum class Permission : std::uint8_t { read = 1, write = 2, erase = 4, admin = 8 };

class Permissions {
 public:
  Permissions() = default;
  Permissions(std::initializer_list<Permission> all) {
    for (const Permission one : all) add(one);
  }

  void add(Permission one) { bits_ |= static_cast<std::uint8_t>(one); }
  void add(Permissions others) { bits_ |= others.bits_; }
  bool has(Permission one) const {
    return ((bits_ & static_cast<std::uint8_t>(one)) != 0) || is_admin();
  }
  bool is_admin() const { return (bits_ & static_cast<std::uint8_t>(Permission::admin)) != 0; }
  bool empty() const { return bits_ == 0; }

  friend bool operator==(Permissions, Permissions) = default;

 private:
  std::uint8_t bits_ = 0;
};

//! Usual sets of permissions: viewer reads, editor also writes and deletes, admin may do all.
enum class Role : std::uint8_t { viewer, editor, admin };

std::string_view role_name(Role role);
//! Code::invalid names the roles there are.
Result<Role> parse_role(std::string_view name);
Permissions role_permissions(Role role);

//! Someone who asks. Immutable, shared by the requests in flight.
struct Identity {
  std::string name;  //!< what created_by and updated_by say
  Permissions permissions;
  //! Set: sees only sources and flows whose tag `auth_classes` names one of these (AppNote 0016).
  std::optional<std::vector<std::string>> classes = std::nullopt;
};
using IdentityPtr = std::shared_ptr<const Identity>;

//! Whether finding out who it is may take a password hash (50 ms) or a request to an issuer of
//! tokens: not on a thread that serves others meanwhile.
enum class Patience : std::uint8_t { none, some };

//! What an operation asks for.
enum class Need : std::uint8_t {
  nothing,   //!< open to all, also without a credential
  identity,  //!< any valid credential
  read,
  write,
  erase,
  admin,
};

std::string_view need_name(Need need);
bool satisfies(const Identity& identity, Need need);

}  // namespace reel::auth
