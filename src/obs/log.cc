#include "obs/log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include "json/writer.h"
#include "obs/log_internal.h"
#include "obs/trace_internal.h"

namespace reel::obs {
namespace {

constexpr std::size_t kQueuedLinesMax = 8192;
constexpr std::chrono::seconds kFlushWaitMax{2};

std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "error";
}

std::string_view human_level(Level level) {
  switch (level) {
    case Level::debug: return "DEBUG";
    case Level::info: return "INFO ";
    case Level::warning: return "WARN ";
    case Level::error: return "ERROR";
  }
  return "ERROR";
}

//! Writes finished lines to stderr and counts them, so that a flush knows when it is done.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::uint64_t written() const { return written_.load(std::memory_order_acquire); }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    std::fwrite(line.payload.data(), 1, line.payload.size(), stderr);
    std::fputc('\n', stderr);
    written_.fetch_add(1, std::memory_order_release);
  }
  void flush_() override { std::fflush(stderr); }

 private:
  std::atomic<std::uint64_t> written_{0};
};

//! The process's one log. It lives forever: threads may log while statics are being destroyed.
struct Output {
  std::shared_ptr<StderrSink> sink = std::make_shared<StderrSink>();
  std::shared_ptr<spdlog::details::thread_pool> queue =
      std::make_shared<spdlog::details::thread_pool>(kQueuedLinesMax, 1);
  // shared: spdlog's queue holds the logger until the line is written.
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "reel", sink, queue, spdlog::async_overflow_policy::overrun_oldest);
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> drops_reported{0};

  Output() {
    logger->set_level(spdlog::level::trace);
    std::atexit(flush_log);
  }

  void write(std::string_view line) {
    sent.fetch_add(1, std::memory_order_relaxed);
    logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }
};

std::atomic<Level> minimum_level{Level::info};
std::atomic<LogFormat> line_format{LogFormat::human};

Output& output() {
  static Output& only = *new Output;
  return only;
}

//! Says once in a while how many lines are missing above.
void report_drops() {
  Output& out = output();
  const std::uint64_t dropped = log_lines_dropped();
  std::uint64_t reported = out.drops_reported.load(std::memory_order_relaxed);
  if (dropped == reported || out.queue->queue_size() > kQueuedLinesMax / 2) return;
  if (!out.drops_reported.compare_exchange_strong(reported, dropped)) return;
  const LogField lines[] = {{"lines", dropped - reported}};
  out.write(format_line(line_format.load(), system_clock().now(), Level::warning,
                        "log lines were dropped: the reader is too slow", lines));
}

//! For people: as is when it is one plain word, else quoted and escaped.
void append_human(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
  });
  if (plain) {
    out.append(text);
  } else {
    json::append_quoted(out, text);
  }
}

void append_human_value(std::string& out, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_human(out, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *integer);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{:.6g}", *real);
  } else {
    out.append(std::get<bool>(field.value) ? "true" : "false");
  }
}

void write_json_value(json::Writer& writer, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    writer.field(field.name, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    writer.field(field.name, *integer);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    writer.field(field.name, *real);
  } else {
    writer.field(field.name, std::get<bool>(field.value));
  }
}

void format_json(std::string& out, Instant when, Level level, std::string_view message,
                 std::span<const LogField> fields) {
  json::Writer writer(out);
  writer.begin_object();
  writer.field("time", std::string_view(when.to_string()));
  writer.field("level", level_name(level));
  writer.field("message", message);
  if (!current_request_id().empty()) writer.field("request_id", current_request_id());
  if (!current_trace_id().empty()) writer.field("trace_id", current_trace_id());
  for (const LogField& field : fields) write_json_value(writer, field);
  writer.end_object();
}

void format_human(std::string& out, Instant when, Level level, std::string_view message,
                  std::span<const LogField> fields) {
  when.append_to(out);
  out.append(" ").append(human_level(level)).append(" ");
  // The message is ours, but may quote a client's bytes: escaped, without the quotes.
  std::string quoted;
  json::append_quoted(quoted, message);
  out.append(quoted, 1, quoted.size() - 2);
  for (const LogField& field : fields) {
    out.append(" ").append(field.name).append("=");
    append_human_value(out, field);
  }
  if (!current_request_id().empty()) {
    out.append(" request_id=");
    append_human(out, current_request_id());
  }
}

void log_fields(Level level, std::string_view message, std::span<const LogField> fields) {
  report_drops();
  output().write(format_line(line_format.load(std::memory_order_relaxed), system_clock().now(),
                             level, message, fields));
}

}  // namespace

std::string format_line(LogFormat format, Instant when, Level level, std::string_view message,
                        std::span<const LogField> fields) {
  std::string out;
  out.reserve(192);
  if (format == LogFormat::json) {
    format_json(out, when, level, message, fields);
  } else {
    format_human(out, when, level, message, fields);
  }
  return out;
}

std::uint64_t log_lines_dropped() { return output().queue->overrun_counter(); }

void configure_log(Level minimum, LogFormat format) {
  minimum_level.store(minimum);
  line_format.store(format);
}

bool log_enabled(Level level) { return level >= minimum_level.load(std::memory_order_relaxed); }

void log(Level level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  log_fields(level, message, {fields.begin(), fields.size()});
}

void log_error(std::string_view message, const Error& error,
               std::initializer_list<LogField> fields) {
  if (!log_enabled(Level::error)) return;
  const std::string origin = error.origin();
  std::vector<LogField> all = {
      {"code", code_name(error.code())}, {"error", error.message()}, {"origin", origin}};
  if (!error.pointer().empty()) all.emplace_back("pointer", error.pointer());
  all.insert(all.end(), fields.begin(), fields.end());
  log_fields(Level::error, message, all);
}

void flush_log() {
  Output& out = output();
  const std::uint64_t target = out.sent.load();
  const auto give_up = std::chrono::steady_clock::now() + kFlushWaitMax;
  while (out.sink->written() + log_lines_dropped() < target &&
         std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  out.sink->flush();
}

}  // namespace reel::obs
