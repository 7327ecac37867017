#pragma once
//! From the bytes of a request head to a RequestHead, refusing what could be read in two ways.

#include <cstddef>
#include <string_view>

#include <tl/expected.hpp>

#include "api/message.h"

namespace reel::http {

//! Why the edge answers a request itself. All texts are static.
struct Refusal {
  int status = 400;
  std::string_view reason;   //!< short and stable, a metric label
  std::string_view message;  //!< for the client
};

//! Finds the end of a request head while its bytes arrive, looking at each byte once. Refuses at
//! the first control character, bare CR or LF, or folded line, so that garbage does not wait for
//! the header timeout. Empty lines in front of the request line are skipped (RFC 9112 2.2).
class HeadScanner {
 public:
  enum class Outcome : std::uint8_t { need_more, complete, malformed };

  //! `bytes` is everything received since the head began; it only grows between calls.
  Outcome scan(std::string_view bytes);

  //! After `complete`: where the head begins and how long it is, with its empty line.
  std::size_t head_begin() const { return begin_; }
  std::size_t head_bytes() const { return next_ - begin_; }
  //! Whether the request line has ended.
  bool has_request_line() const { return state_ > State::request_line_cr; }

 private:
  enum class State : std::uint8_t {
    leading,
    leading_cr,
    request_line,
    request_line_cr,
    line_start,
    line,
    line_cr,
    end_cr
  };
  std::size_t begin_ = 0;
  std::size_t next_ = 0;
  State state_ = State::leading;
};

//! A head that can be read in one way only.
struct ParsedHead {
  api::RequestHead head;  //!< without peer, tls and request_id
  bool http_1_1 = true;   //!< else HTTP/1.0
  bool keep_alive = true;
  bool expects_continue = false;
};

struct HeadLimits {
  std::size_t url_bytes_max = 8192;
  std::size_t header_fields_max = 100;
};

//! Reads one complete head that HeadScanner found. An absolute-form target is cut to its path and
//! its authority becomes the Host field. Refused are, besides syntax: no Host or two on HTTP/1.1,
//! a Content-Length that is not one number, any Transfer-Encoding but "chunked" on HTTP/1.1, both
//! at once, targets with control or non-ASCII characters, fragments, bad percent escapes or %00,
//! unknown methods (501), other versions (505), expectations but 100-continue (417), and heads
//! above the limits (414, 431).
tl::expected<ParsedHead, Refusal> parse_head(std::string_view head, const HeadLimits& limits);

}  // namespace reel::http
