#include "http/chunked.h"

#include <algorithm>

namespace reel::http {
namespace {

constexpr int kSizeDigitsMax = 16;

Failure malformed(std::string_view what) { return invalid("chunked body: {}", what); }

bool is_control(char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; }

}  // namespace

Result<std::size_t> ChunkedDecoder::feed(std::string_view in, std::string& out,
                                         std::size_t out_bytes_max) {
  std::size_t taken = 0;
  while (taken < in.size() && state_ != State::done) {
    if (state_ != State::data) {
      REEL_TRY(step(in[taken]));
      ++taken;
      continue;
    }
    if (out.size() >= out_bytes_max) break;
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(
        remaining_, std::min(in.size() - taken, out_bytes_max - out.size())));
    out.append(in.substr(taken, count));
    taken += count;
    remaining_ -= count;
    if (remaining_ == 0) state_ = State::data_cr;
  }
  return taken;
}

Status ChunkedDecoder::count_line_byte() {
  if (++line_bytes_ > kLineBytesMax) return malformed("an extension or trailer is too long");
  return {};
}

Status ChunkedDecoder::size_digit(char c) {
  int digit = -1;
  if (c >= '0' && c <= '9') digit = c - '0';
  if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
  if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
  if (digit >= 0) {
    if (++digits_ > kSizeDigitsMax) return malformed("the size has too many digits");
    remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
    return {};
  }
  if (digits_ == 0) return malformed("there is no size");
  if (c == '\r') {
    state_ = State::size_lf;
  } else if (c == ';' || c == ' ' || c == '\t') {
    state_ = State::extension;
  } else {
    return malformed("the size is not a hexadecimal number");
  }
  return {};
}

Status ChunkedDecoder::step(char c) {
  const auto expect = [&](char wanted, State next) -> Status {
    if (c != wanted) return malformed("a line does not end in CR LF");
    state_ = next;
    return {};
  };
  switch (state_) {
    case State::size: return size_digit(c);
    case State::extension:
    case State::trailer:
      if (c == '\r') {
        state_ = state_ == State::trailer ? State::trailer_lf : State::size_lf;
        return {};
      }
      if (is_control(c)) return malformed("there is a control character");
      return count_line_byte();
    case State::size_lf:
      line_bytes_ = 0;
      digits_ = 0;
      return expect('\n', remaining_ > 0 ? State::data : State::trailer_start);
    case State::data_cr: return expect('\r', State::data_lf);
    case State::data_lf: return expect('\n', State::size);
    case State::trailer_start:
      if (c == '\r') return expect('\r', State::end_lf);
      if (is_control(c)) return malformed("there is a control character");
      state_ = State::trailer;
      return count_line_byte();
    case State::trailer_lf: return expect('\n', State::trailer_start);
    case State::end_lf: return expect('\n', State::done);
    case State::data:
    case State::done: break;
  }
  return internal("chunked decoder: no byte is expected here");
}

}  // namespace reel::http
