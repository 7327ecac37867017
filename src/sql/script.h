#pragma once
//! SQL as it is typed, line by line: where one statement ends and the next begins.

#include <string>
#include <string_view>
#include <vector>

namespace reel::sql {

struct Script {
  std::vector<std::string> statements = {};  //!< complete ones, without their semicolons
  std::string rest = {};  //!< of one that is not complete yet; empty when none is
};

//! Splits at the semicolons that end statements: those in texts, quoted names and comments do not.
//! Whether the statements are right is not looked at.
Script split_script(std::string_view text);

}  // namespace reel::sql
