#pragma once
//! From the application's Response to the bytes that go out. No sockets.

#include <cstdint>
#include <string>
#include <string_view>

#include "api/message.h"

namespace reel::http {

//! What the request and the edge say about the answer.
struct AnswerContext {
  api::Method method = api::Method::get;
  bool http_1_1 = true;
  bool keep_alive = true;
  bool tls = false;
  std::string_view date;
  std::string_view server_name;
  std::string_view request_id;
  std::string_view traceparent;
};

//! Does to a response what HTTP wants of any response to `head`: an ETag for JSON, 304 when the
//! client has it, one range of a file, gzip when it is large and wanted. Costs time in proportion
//! to the body, so it runs where the handler ran.
void finish_response(const api::RequestHead& head, bool compressible, std::size_t gzip_bytes_min,
                     api::Response& response);

//! How many bytes of body the response stands for; 0 for a stream, which nobody can tell.
std::uint64_t body_bytes(const api::Response& response);

//! Whether the body is of unknown length.
bool is_stream(const api::Response& response);

//! Whether bytes follow the head: not for HEAD, 204 and 304.
bool sends_body(api::Method method, const api::Response& response);

//! Status line and fields with the empty line. Framing fields are the edge's: those of the
//! application are dropped, but for the Content-Length of a HEAD answer without body. Control
//! characters in values become spaces.
std::string head_text(const AnswerContext& context, const api::Response& response);

}  // namespace reel::http
