#include "http/answer.h"

#include <boost/beast/http/status.hpp>

#include "api/entity_tag.h"
#include "http/compress.h"
#include "http/conditional.h"
#include "http/cors.h"
#include "http/field_internal.h"
#include "http/range.h"

namespace reel::http {
namespace {

constexpr std::size_t kGzipBytesMax = 1U << 30;

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

bool is_json(const api::Response& response) {
  const std::string* type = response.headers.find("Content-Type");
  return type != nullptr && type->find("json") != std::string::npos;
}

void add_etag(api::Response& response) {
  const auto* body = std::get_if<std::string>(&response.body);
  if (response.status != 200 || body == nullptr || body->empty() || !is_json(response)) return;
  if (response.headers.find("ETag") == nullptr) {
    response.headers.add("ETag", api::strong_etag(*body));
  }
}

//! Whether the body is to be compressed; the fields that say so to caches are set already.
bool negotiate_gzip(const api::RequestHead& head, std::size_t bytes_min, api::Response& response) {
  const auto* body = std::get_if<std::string>(&response.body);
  // zlib counts in 32 bits; nobody should get such an answer as one text anyway.
  if (body == nullptr || body->size() < bytes_min || body->size() > kGzipBytesMax) return false;
  const std::string* type = response.headers.find("Content-Type");
  if (type == nullptr || !is_compressible_type(*type)) return false;
  if (response.headers.find("Content-Encoding") != nullptr) return false;
  add_vary(response.headers, "Accept-Encoding");
  const std::string* accepted = head.headers.find("Accept-Encoding");
  if (accepted == nullptr || !prefers_gzip(*accepted)) return false;
  if (const std::string* etag = response.headers.find("ETag")) {
    response.headers.set("ETag", api::gzip_etag(*etag));
  }
  return true;
}

bool has_no_body(int status) { return status == 204 || status == 304; }

//! What browsers are told with every answer: believe the content type, show us in no frame, tell
//! nobody our URLs (which may hold a token), and under TLS never come back without it.
constexpr std::string_view kSecurityFields =
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";
constexpr std::string_view kFramePolicy = "Content-Security-Policy: frame-ancestors 'none'\r\n";
constexpr std::string_view kTlsFields = "Strict-Transport-Security: max-age=31536000\r\n";

void append_security(std::string& out, const AnswerContext& context,
                     const api::Response& response) {
  out.append(kSecurityFields);
  if (response.headers.find("Content-Security-Policy") == nullptr) out.append(kFramePolicy);
  if (context.tls) out.append(kTlsFields);
}

void append_length(std::string& out, const AnswerContext& context, const api::Response& response) {
  if (has_no_body(response.status)) return;
  if (is_stream(response)) {
    // HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
    if (context.http_1_1) append_field(out, "Transfer-Encoding", "chunked");
    return;
  }
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
  const bool reading = head.method == api::Method::get || head.method == api::Method::head;
  if (reading) add_etag(response);
  const bool zip = compressible && negotiate_gzip(head, gzip_bytes_min, response);
  if (reading) {
    apply_conditions(head.headers, response);
    if (response.status == 304 || response.status == 412) return;
    apply_range(head.headers, response);
  }
  if (zip) {
    response.headers.set("Content-Encoding", "gzip");
    std::string& body = std::get<std::string>(response.body);
    body = gzip(body);
  }
}

std::uint64_t body_bytes(const api::Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  const auto* file = std::get_if<api::FileBody>(&response.body);
  return file == nullptr ? 0 : file->length;
}

bool is_stream(const api::Response& response) {
  return std::holds_alternative<std::shared_ptr<api::BodyStream>>(response.body);
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
  append_security(out, context, response);
  for (const auto& [name, value] : response.headers.all()) {
    if (!belongs_to_edge(name)) append_field(out, name, value);
  }
  out.append("\r\n");
  return out;
}

}  // namespace reel::http
