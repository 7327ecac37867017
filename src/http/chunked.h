#pragma once
//! The chunked transfer coding (RFC 9112 7.1), incoming side.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace reel::http {

//! Decodes a chunked body piece by piece. Strict: lines end in CR LF, sizes are 1 to 16 hex digits.
//! Chunk extensions and trailers are read, bounded and dropped. (Beast 1.81 has a decoder too, but
//! one that asserts when "0\r\n" and "\r" of an empty body arrive apart.)
class ChunkedDecoder {
 public:
  //! Per size line with extensions, and for all trailers together.
  static constexpr std::size_t kLineBytesMax = 4096;

  //! Takes bytes from `in` and appends content to `out` until `in` is used up, `out` has
  //! `out_bytes_max` bytes or the body is complete. Returns how many bytes of `in` were taken.
  //! Code::invalid when it is malformed; the decoder must not be used afterwards.
  Result<std::size_t> feed(std::string_view in, std::string& out, std::size_t out_bytes_max);

  bool done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done
  };

  Status step(char c);
  Status size_digit(char c);
  Status count_line_byte();

  State state_ = State::size;
  int digits_ = 0;
  std::uint64_t remaining_ = 0;  //!< of the current chunk
  std::size_t line_bytes_ = 0;
};

}  // namespace reel::http
