#pragma once
//! What is running.

#include <string_view>

namespace reel {

//! The same as project(VERSION) in CMakeLists.txt.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace reel
