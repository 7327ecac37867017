#pragma once
//! Byte ranges of one representation (RFC 9110 14).

#include <cstdint>
#include <string>
#include <string_view>

#include "api/message.h"

namespace reel::http {

struct RangeRequest {
  enum class Kind : std::uint8_t {
    whole,          //!< no range that is served: answer 200 with everything
    part,           //!< answer 206
    unsatisfiable,  //!< answer 416
  };
  Kind kind = Kind::whole;
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  friend bool operator==(const RangeRequest&, const RangeRequest&) = default;
};

//! Reads a Range field for a representation of `total` bytes. One range or suffix of bytes is
//! served; other units, several ranges and malformed fields are ignored, as the standard allows.
//! A representation of zero bytes has no satisfiable range.
RangeRequest read_range(std::string_view field, std::uint64_t total);

//! Whether an If-Range field lets the range be served: the strong ETag or the Last-Modified date of
//! the answer, exactly.
bool if_range_holds(std::string_view field, const api::Headers& answer);

//! Turns a 200 answer with a file into 206 or 416 when `request` asks for it.
void apply_range(const api::Headers& request, api::Response& answer);

}  // namespace reel::http
