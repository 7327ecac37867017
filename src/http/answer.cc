#include "http/answer.h"

#include <boost/beast/http/status.hpp>

#include "base/hash.h"
#include "http/field_internal.h"

namespace reel::http {
namespace {

std::string_view reason_phrase(int status) {
  const auto text = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return {text.data(), text.size()};
}

bool belongs_to_edge(std::string_view name) {
  for (const std::string_view field : {"Content-Length", "Connection", "Transfer-Encoding", "Date",
                                       "Server", "Keep-Alive", "X-Request-Id", "traceparent"}) {
    if (same_text(field, name)) return true;
  }
  return false;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  const std::size_t from = out.size();
  out.append(value);
  for (std::size_t i = from; i < out.size(); ++i) {
    const char c = out[i];
    if ((c >= 0 && c < ' ' && c != '\t') || c == 0x7f) out[i] = ' ';
  }
  out.append("\r\n");
}

bool has_no_body(int status) { return status == 204 || status == 304; }

void append_length(std::string& out, const AnswerContext& context,
                   const api::Response& response) {
  if (has_no_body(response.status)) return;
  const std::uint64_t bytes = body_bytes(response);
  if (const std::string* given = response.headers.find("Content-Length");
      given != nullptr && bytes == 0 && context.method == api::Method::head) {
    return append_field(out, "Content-Length", *given);
  }
  fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", bytes);
}

}  // namespace

void finish_response(const api::RequestHead& head, bool compressible, std::size_t gzip_bytes_min,
                     api::Response& response) {
  (void)head, (void)compressible, (void)gzip_bytes_min, (void)response;
}

std::uint64_t body_bytes(const api::Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  return std::get<api::FileBody>(response.body).length;
}

bool sends_body(api::Method method, const api::Response& response) {
  return method != api::Method::head && !has_no_body(response.status);
}

std::string head_text(const AnswerContext& context, const api::Response& response) {
  std::string out;
  out.reserve(512);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                 reason_phrase(response.status));
  append_field(out, "Date", context.date);
  append_field(out, "Server", context.server_name);
  append_length(out, context, response);
  if (!context.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (!context.http_1_1) {
    out.append("Connection: keep-alive\r\n");
  }
  append_field(out, "X-Request-Id", context.request_id);
  append_field(out, "traceparent", context.traceparent);
  for (const auto& [name, value] : response.headers.all()) {
    if (!belongs_to_edge(name)) append_field(out, name, value);
  }
  out.append("\r\n");
  return out;
}

}  // namespace reel::http
