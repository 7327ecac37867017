#include "base/percent.h"

#include <algorithm>
#include <cstring>

namespace reel {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

//! Which bytes may follow a lead byte: how many, and the range of the first of them. The ranges
//! exclude overlong forms, surrogates and everything above U+10FFFF.
struct Sequence {
  std::size_t continuations;
  unsigned char second_min;
  unsigned char second_max;
};

//! REQUIRES: `lead` is not ASCII. No continuations: it may not lead.
Sequence sequence_of(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {1, 0x80, 0xBF};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {2, 0x80, 0xBF};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {3, 0x80, 0xBF};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
  }
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_percent_encoded(out, text);
  return out;
}

Result<std::string> percent_decode(std::string_view text, Plus plus) {
  const bool plain = std::all_of(text.begin(), text.end(), [&](char c) {
    return static_cast<unsigned char>(c) < 0x80 && c != '%' && (c != '+' || plus != Plus::space);
  });
  if (plain) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return invalid("'%' must be followed by two hex digits, not '{}'", text.substr(i + 1, 2));
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  if (!is_utf8(out)) return invalid("the decoded text is not UTF-8");
  return out;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint64_t eight = 0;
    while (text.size() - i > sizeof eight) {  // most text is ASCII
      std::memcpy(&eight, text.data() + i, sizeof eight);
      if ((eight & 0x8080'8080'8080'8080U) != 0) break;
      i += sizeof eight;
    }
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) continue;
    const Sequence sequence = sequence_of(lead);
    if (sequence.continuations == 0 || text.size() - i <= sequence.continuations) return false;
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if (second < sequence.second_min || second > sequence.second_max) return false;
    for (std::size_t k = 2; k <= sequence.continuations; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += sequence.continuations;
  }
  return true;
}

}  // namespace reel
