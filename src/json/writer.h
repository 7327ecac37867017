#pragma once
//! JSON out: appends to a string, keeps no tree.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace reel::json {

//! Writes one document into `out`, which it does not own. Commas and colons are its business:
//!   Writer w(out); w.begin_object(); w.key("id"); w.string(id); w.end_object();
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);

  void null() { raw("null"); }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  //! Shortest text that reads back the same; NaN and infinities become null.
  void number(double value);
  //! Invalid UTF-8 is replaced by U+FFFD, so that the output is always valid JSON.
  void string(std::string_view value);
  void value(const Value& value);
  //! Text that is JSON already.
  void raw(std::string_view json);

  // key + value in one call
  void field(std::string_view name, std::string_view text) { key(name), string(text); }
  void field(std::string_view name, const char* text) { key(name), string(text); }
  void field(std::string_view name, bool flag) { key(name), boolean(flag); }
  void field(std::string_view name, std::int64_t number) { key(name), integer(number); }
  void field(std::string_view name, std::uint64_t number) { key(name), unsigned_integer(number); }
  void field(std::string_view name, int number) { key(name), integer(number); }
  void field(std::string_view name, double value) { key(name), number(value); }
  void raw_field(std::string_view name, std::string_view json) { key(name), raw(json); }

  //! The text being written, for values that append themselves (between string_open/close).
  std::string& out() { return out_; }
  //! A string whose content, appended to out() by the caller, needs no escaping.
  void open_plain_string() { separate(), out_.push_back('"'); }
  void close_plain_string() { out_.push_back('"'); }

 private:
  void separate();
  void open(char bracket);
  void close(char bracket);

  std::string& out_;
  bool need_comma_ = false;
};

//! Appends `text` as a quoted JSON string.
void append_quoted(std::string& out, std::string_view text);

}  // namespace reel::json
