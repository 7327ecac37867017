#include "json/writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace reel::json {
namespace {

//! 1 for bytes that a JSON string cannot hold as they are, and for the start of non-ASCII.
constexpr std::array<bool, 256> kNeedsCare = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = true;
  table['"'] = true;
  table['\\'] = true;
  return table;
}();

//! The first place from `from` on whose byte a string cannot hold as it is; the end if there is
//! none.
std::size_t skip_plain(std::string_view text, std::size_t from) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = 0x8080808080808080;
  // Eight at a time: a top bit is set for a byte that is not ASCII or that a subtraction borrows
  // for, being below ' ' or equal to a quote or backslash. A borrow may also mark the next byte.
  for (; from + 8 <= text.size(); from += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + from, sizeof word);
    const std::uint64_t marked = word | (word - kOnes * ' ') | ((word ^ kOnes * '"') - kOnes) |
                                 ((word ^ kOnes * '\\') - kOnes);
    if ((marked & kTops) != 0) break;
  }
  while (from < text.size() && !kNeedsCare[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out.push_back(kHex[c >> 4]);
  out.push_back(kHex[c & 15]);
}

bool is_continuation(std::string_view text, std::size_t i) {
  return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
}

//! Length of the valid UTF-8 sequence at `i`, 0 when it is invalid (RFC 3629: no overlong forms,
//! no surrogates, nothing above U+10FFFF).
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  const auto second = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
  if (lead >= 0xC2 && lead <= 0xDF) return is_continuation(text, i + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
    return is_continuation(text, i + 1) && is_continuation(text, i + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
    return is_continuation(text, i + 1) && is_continuation(text, i + 2) &&
                   is_continuation(text, i + 3)
               ? 4
               : 0;
  }
  return 0;
}

struct ValueWriter {
  Writer& writer;

  void operator()(std::nullptr_t) const { writer.null(); }
  void operator()(bool flag) const { writer.boolean(flag); }
  void operator()(std::int64_t number) const { writer.integer(number); }
  void operator()(std::uint64_t number) const { writer.unsigned_integer(number); }
  void operator()(double number) const { writer.number(number); }
  void operator()(const std::string& text) const { writer.string(text); }
  void operator()(const Array& array) const {
    writer.begin_array();
    for (const Value& child : array) writer.value(child);
    writer.end_array();
  }
  void operator()(const Object& object) const {
    writer.begin_object();
    for (const Member& member : object) {
      writer.key(member.name);
      writer.value(member.value);
    }
    writer.end_object();
  }
};

template <class Number, class... Format>
void append_number(std::string& out, Number number, Format... format) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), number, format...);
  REEL_CHECK(error == std::errc());
  out.append(buffer, end);
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t clean_from = 0;
  for (std::size_t i = skip_plain(text, 0); i < text.size(); i = skip_plain(text, i)) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = c >= 0x80 ? sequence_length(text, i) : 0;
    if (length > 0) {
      i += length;
      continue;
    }
    out.append(text, clean_from, i - clean_from);
    if (c >= 0x80) {
      out += kReplacement;
    } else {
      append_escape(out, c);
    }
    clean_from = ++i;
  }
  out.append(text, clean_from, std::string_view::npos);
  out.push_back('"');
}

void Writer::separate() {
  if (need_comma_) out_.push_back(',');
  need_comma_ = true;
}

void Writer::open(char bracket) {
  separate();
  out_.push_back(bracket);
  need_comma_ = false;
}

void Writer::close(char bracket) {
  out_.push_back(bracket);
  need_comma_ = true;
}

void Writer::key(std::string_view name) {
  separate();
  append_quoted(out_, name);
  out_.push_back(':');
  need_comma_ = false;
}

void Writer::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void Writer::unsigned_integer(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void Writer::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  // Without an exponent a large one would look like an integer, which readers cannot hold.
  constexpr double kIntegerLimit = 9007199254740992.0;  // 2^53
  if (std::fabs(value) < kIntegerLimit) return append_number(out_, value);
  append_number(out_, value, std::chars_format::scientific);
}

void Writer::string(std::string_view value) {
  separate();
  append_quoted(out_, value);
}

void Writer::raw(std::string_view json) {
  separate();
  out_.append(json);
}

void Writer::value(const Value& value) { std::visit(ValueWriter{*this}, value.storage()); }

}  // namespace reel::json
