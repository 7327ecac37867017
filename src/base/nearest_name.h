#pragma once
//! What somebody probably meant who wrote a name that does not exist.

#include <string>
#include <string_view>
#include <vector>

namespace reel {

//! So much of a name is shown in an error, and longer ones are near to nothing.
inline constexpr std::size_t kNameShownMax = 128;

//! The name that differs from the given one in the fewest letters put in, taken out or exchanged
//! (Levenshtein), A and a being one letter; nullptr when half of the letters or more than three
//! would have to change.
const std::string_view* nearest_name(std::string_view name,
                                     const std::vector<std::string_view>& names);

//! The same as the end of an error: " (the nearest is 'x')", or nothing.
std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& names);

}  // namespace reel
