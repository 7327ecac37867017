#pragma once
//! Structured logs: one line per event, JSON or for people.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace reel::obs {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { human, json };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  template <std::integral T>
  LogField(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

//! Where log lines go (stderr). Called once at start; before it, lines are human on stderr.
void configure_log(Level minimum, LogFormat format);
bool log_enabled(Level level);

//! Writes one line; the request id of the thread's TraceScope is added. Never blocks on a slow
//! reader for long: lines beyond a bounded queue are dropped and counted.
void log(Level level, std::string_view message, std::initializer_list<LogField> fields = {});
void log_error(std::string_view message, const Error& error,
               std::initializer_list<LogField> fields = {});
void flush_log();

}  // namespace reel::obs
