#pragma once
//! gzip for answers, and whether a client wants it.

#include <string>
#include <string_view>

namespace reel::http {

//! Whether an Accept-Encoding field prefers gzip to the plain bytes: q-values count, "*" stands for
//! gzip when it is not named, and a malformed q-value is 0.
bool prefers_gzip(std::string_view accept_encoding);

//! Whether a Content-Type is text that becomes much smaller: JSON, XML, text, playlists, scripts.
bool is_compressible_type(std::string_view content_type);

//! The gzip form at zlib's fastest level: most of the gain for a third of the time. The same bytes
//! always give the same form.
std::string gzip(std::string_view bytes);

}  // namespace reel::http
