#pragma once
//! SQL as it is typed, line by line: where one statement ends and the next begins.

#include <string>
#include <string_view>
#include <vector>

namespace reel::sql {

struct Script {
  std::vector<std::string> statements = {};  //!< complete ones, without their semicolons
  std::vector<std::size_t> lines = {};       //!< on which each of them begins, from 1
  std::string rest = {};  //!< of one that is not complete yet; empty when none is
  std::size_t rest_line = 1;
};

//! Splits at the semicolons that end statements: those in texts, quoted names and comments do not.
//! Whether the statements are right is not looked at.
Script split_script(std::string_view text);

}  // namespace reel::sql
