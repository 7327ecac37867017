#pragma once
//! Cross-origin requests (the Fetch standard's CORS protocol), answered by the edge alone.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/message.h"

namespace reel::http {

struct CorsOptions {
  //! Origins as browsers send them ("https://ui.example:8443"); "*" allows every origin. Empty
  //! turns CORS off: no header is sent and OPTIONS goes to the application.
  std::vector<std::string> allowed_origins = {"*"};
  std::uint32_t preflight_cache_seconds = 600;
};

//! The answer to a preflight (OPTIONS with Origin and Access-Control-Request-Method); nullopt when
//! the request is none or CORS is off. A foreign origin gets an answer without permission.
std::optional<api::Response> preflight_answer(const CorsOptions& options,
                                              const api::RequestHead& head);

//! Adds permission and the exposed names to an ordinary answer to a cross-origin request.
void add_cors_headers(const CorsOptions& options, const api::RequestHead& head,
                      api::Headers& answer);

//! Adds `name` to the Vary field unless it is there.
void add_vary(api::Headers& answer, std::string_view name);

}  // namespace reel::http
