#pragma once
//! Files of others that are part of this program: Swagger UI and ReDoc, from npm (packages.toml).

#include <string_view>

namespace reel::api::asset {

//! Constant for the life of the process.
std::string_view swagger_ui_css();
std::string_view swagger_ui_js();
std::string_view swagger_ui_license();
std::string_view redoc_js();
std::string_view redoc_license();

}  // namespace reel::api::asset
