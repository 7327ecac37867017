#pragma once
//! Entity tags (RFC 9110 8.8.3) and the fields that list them.

#include <string>
#include <string_view>

namespace reel::api {

//! A strong entity tag of these bytes, quoted: 32 hex digits of their 128-bit hash.
std::string strong_etag(std::string_view bytes);

//! The tag of the gzip form of what `etag` names: different bytes need a different strong tag. A
//! weak tag names both.
std::string gzip_etag(std::string_view etag);

//! Whether a list of tags ("*" or "a", W/"b") names `etag`, by weak comparison (If-None-Match).
//! What is not a tag ends the list.
bool names_etag(std::string_view list, std::string_view etag);

//! The same by strong comparison (If-Match): a weak tag on either side never matches.
bool names_etag_strongly(std::string_view list, std::string_view etag);

}  // namespace reel::api
