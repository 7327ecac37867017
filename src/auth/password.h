#pragma once
//! Users with passwords, from a file of lines "name:role:hash[:class,class]".

#include <map>
#include <string>
#include <string_view>

#include "auth/identity.h"
#include "base/uuid.h"

namespace reel::auth {

//! "scrypt$15$8$1$<salt>$<hash>": parameters beside the hash, so that they can be raised later.
//! About 50 ms and 32 MB. Code::invalid for an empty or very long password.
Result<std::string> hash_password(std::string_view password, Random& random = system_random());

//! Whether the password belongs to the hash; compares in constant time. Code::invalid when the hash
//! is not of that form or asks for too much memory.
Result<bool> check_password(std::string_view password, std::string_view hash);

//! The line of a users file. Code::invalid for a name that would break it.
Result<std::string> user_line(std::string_view name, Role role, std::string_view hash);

//! Immutable.
class Users {
 public:
  //! Lines; empty ones and those that begin with '#' are skipped. Code::invalid names the line.
  static Result<Users> parse(std::string_view text);
  static Result<Users> read(const std::string& file);

  //! nullptr when name or password is wrong. As slow for a name that does not exist.
  IdentityPtr check(const std::string& name, std::string_view password) const;

 private:
  struct User {
    IdentityPtr identity;
    std::string hash;
  };
  std::map<std::string, User, std::less<>> by_name_;
};

}  // namespace reel::auth
