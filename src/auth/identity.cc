#include "auth/identity.h"

#include <array>

namespace reel::auth {
namespace {

constexpr std::array<std::string_view, 3> kRoles = {"viewer", "editor", "admin"};
constexpr std::array<std::string_view, 6> kNeeds = {"nothing", "identity", "read",
                                                    "write",   "delete",   "admin"};

}  // namespace

std::string_view role_name(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

Result<Role> parse_role(std::string_view name) {
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (kRoles[i] == name) return static_cast<Role>(i);
  }
  return invalid("a role is viewer, editor or admin, not '{}'", name);
}

Permissions role_permissions(Role role) {
  using enum Permission;
  switch (role) {
    case Role::viewer: return {read};
    case Role::editor: return {read, write, erase};
    case Role::admin: return {admin};
  }
  return {};
}

std::string_view need_name(Need need) { return kNeeds[static_cast<std::size_t>(need)]; }

bool satisfies(const Identity& identity, Need need) {
  switch (need) {
    case Need::nothing:
    case Need::identity: return true;
    case Need::read: return identity.permissions.has(Permission::read);
    case Need::write: return identity.permissions.has(Permission::write);
    case Need::erase: return identity.permissions.has(Permission::erase);
    case Need::admin: return identity.permissions.is_admin();
  }
  return false;
}

}  // namespace reel::auth
