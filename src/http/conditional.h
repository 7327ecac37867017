#pragma once
//! Entity tags and If-None-Match (RFC 9110 8.8.3 and 13.1.2).

#include <string>
#include <string_view>

#include "api/message.h"

namespace reel::http {

//! A strong entity tag of these bytes, quoted: 32 hex digits of their 128-bit hash.
std::string strong_etag(std::string_view bytes);

//! The tag of the gzip form of what `etag` names: different bytes need a different strong tag. A
//! weak tag names both.
std::string gzip_etag(std::string_view etag);

//! Whether an If-None-Match field ("*" or a list of tags) names `etag`, by weak comparison. What is
//! not a tag ends the list.
bool names_etag(std::string_view if_none_match, std::string_view etag);

//! Turns an answer whose tag the client has into 304, without body and its description.
void apply_if_none_match(const api::Headers& request, api::Response& answer);

}  // namespace reel::http
