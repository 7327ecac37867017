#pragma once
//! What two headers say differently.

#include <string>
#include <string_view>
#include <vector>

#include "exr/header.h"

namespace reel::exr {

//! One thing that is not the same. `first` and `second` are JSON (inspect_json.h); empty: it is not
//! there.
struct Difference {
  enum class Kind : std::uint8_t { version_word, part, attribute, channel };
  Kind kind;
  std::string part;  //!< its name in a file of several parts, else its number; empty: the file
  std::string name;  //!< of the attribute or channel
  std::string first;
  std::string second;
};

//! "version_word", "part", "attribute", "channel".
std::string_view kind_name(Difference::Kind kind);

//! By meaning, not by place: parts that have names are compared with those of the same name, and
//! the order of attributes does not matter. Attributes whose names are `ignored` are left out.
std::vector<Difference> diff(const Header& first, const Header& second,
                             const std::vector<std::string>& ignored = {});

}  // namespace reel::exr
