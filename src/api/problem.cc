#include "api/problem.h"

#include <array>

#include "json/writer.h"
#include "obs/log.h"

namespace reel::api {
namespace {

//! Who may read an error's own message.
enum class Audience : std::uint8_t { client, operators };

struct Treatment {
  Code code;
  int status;
  std::string_view summary;
  Audience audience;
  //! The level at which the edge logs it; debug for what clients do wrong.
  obs::Level level;
  int retry_after_s;  //!< 0: no Retry-After
};

using enum Audience;
using obs::Level;

constexpr std::array kTreatments = {
    Treatment{Code::invalid, 400, "Invalid request", client, Level::debug, 0},
    // Understood but not offered here: TAMS has no other status for it than "bad request".
    Treatment{Code::unsupported, 400, "Not supported", client, Level::debug, 0},
    Treatment{Code::unauthorized, 401, "Authentication required", client, Level::debug, 0},
    Treatment{Code::forbidden, 403, "Forbidden", client, Level::debug, 0},
    Treatment{Code::not_found, 404, "Not found", client, Level::debug, 0},
    Treatment{Code::conflict, 409, "Conflict", client, Level::debug, 0},
    Treatment{Code::precondition_failed, 412, "Precondition failed", client, Level::debug, 0},
    Treatment{Code::too_large, 413, "Too large", client, Level::debug, 0},
    Treatment{Code::key_reused, 422, "Key used before", client, Level::debug, 0},
    Treatment{Code::cancelled, 499, "Cancelled", client, Level::debug, 0},
    Treatment{Code::corrupt, 500, "Internal error", operators, Level::error, 0},
    Treatment{Code::io, 500, "Internal error", operators, Level::error, 0},
    Treatment{Code::internal, 500, "Internal error", operators, Level::error, 0},
    Treatment{Code::unknown_outcome, 500, "Unknown outcome", operators, Level::error, 0},
    Treatment{Code::timeout, 503, "Timeout", client, Level::warning, 1},
    Treatment{Code::overloaded, 503, "Overloaded", client, Level::warning, 1},
    Treatment{Code::shutting_down, 503, "Shutting down", client, Level::info, 1},
    Treatment{Code::read_only, 503, "Read only", operators, Level::error, 5},
};

const Treatment& treatment(Code code) {
  for (const Treatment& entry : kTreatments) {
    if (entry.code == code) return entry;
  }
  return treatment(Code::internal);
}

//! The words for a status that the edge chose itself.
std::string_view refusal_type(int status) {
  switch (status) {
    case 405: return "method_not_allowed";
    case 406: return "not_acceptable";
    case 408: return "timeout";
    case 411: return "length_required";
    case 413: return "too_large";
    case 414: return "uri_too_long";
    case 415: return "unsupported_media_type";
    case 416: return "range_not_satisfiable";
    case 417: return "expectation_failed";
    case 429: return "rate_limited";
    case 431: return "header_too_large";
    case 501: return "unsupported";
    case 503: return "overloaded";
    case 504: return "timeout";
    case 505: return "unsupported_version";
    default: break;
  }
  for (const Treatment& entry : kTreatments) {
    if (entry.status == status) return code_name(entry.code);
  }
  return status < 500 ? "invalid" : "internal";
}

//! What a client is told instead of a message that is for operators.
std::string_view public_message(Code code) {
  switch (code) {
    case Code::unknown_outcome:
      return "It is not known whether the write was stored; read it back before trying again.";
    case Code::read_only: return "Writes are refused until the server's disk is healthy again.";
    default: return "The server failed to answer; its log has the reason under this request id.";
  }
}

//! Messages are written as phrases; as an answer they become a sentence.
std::string sentence(std::string_view phrase) {
  std::string text(phrase);
  if (text.empty()) return "No further detail.";
  if (text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  if (text.back() != '.' && text.back() != '!' && text.back() != '?') text.push_back('.');
  return text;
}

struct Body {
  std::string_view type;
  std::string summary;
  std::string_view message;
  std::string_view pointer;
};

//! `request_id`: empty when the answer around it has it.
void write_body(json::Writer& out, const Body& body, std::string_view request_id, Instant at) {
  out.begin_object();
  out.field("type", body.type);
  out.field("summary", body.summary);
  out.field("time", at.to_string());
  out.field("message", sentence(body.message));
  if (!request_id.empty()) out.field("request_id", request_id);
  if (!body.pointer.empty()) out.field("pointer", body.pointer);
  out.end_object();
}

Response answer(int status, const Body& body, std::string_view request_id, const Clock& clock) {
  std::string text;
  json::Writer out(text);
  write_body(out, body, request_id, clock.now());
  Response response = Response::json(status, std::move(text));
  response.problem = body.type;
  return response;
}

//! The log gets what the client may not see.
Body body_of(const Error& error) {
  const Treatment& entry = treatment(error.code());
  if (obs::log_enabled(entry.level)) {
    obs::log(entry.level, error.message(),
             {{"code", code_name(error.code())},
              {"status", entry.status},
              {"origin", error.origin()},
              {"pointer", error.pointer()}});
  }
  const bool tell = entry.audience == Audience::client;
  return {.type = code_name(error.code()),
          .summary = std::string(entry.summary),
          .message = tell ? error.message() : public_message(error.code()),
          .pointer = tell ? error.pointer() : std::string_view()};
}

//! "method_not_allowed" as "Method not allowed".
std::string spoken(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c == '_') c = ' ';
  }
  text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text;
}

}  // namespace

json::Shape problem_shape() {
  using json::Shape;
  return Shape::object(
             {json::required("type", Shape::string()), json::required("summary", Shape::string()),
              json::required("time", Shape::string()), json::required("message", Shape::string()),
              json::required("request_id", Shape::string()),
              json::optional("pointer", Shape::string())})
      .named("Problem");
}

int http_status(Code code) { return treatment(code).status; }

Response problem(const Error& error, std::string_view request_id, const Clock& clock) {
  const Treatment& entry = treatment(error.code());
  Response response = answer(entry.status, body_of(error), request_id, clock);
  if (entry.retry_after_s > 0) {
    response.headers.set("Retry-After", std::to_string(entry.retry_after_s));
  }
  return response;
}

void write_problem(json::Writer& out, const Error& error, Instant at) {
  write_body(out, body_of(error), {}, at);
}

Response problem(int status, std::string_view message, std::string_view request_id,
                 const Clock& clock) {
  const std::string_view type = refusal_type(status);
  const Body body{.type = type, .summary = spoken(type), .message = message, .pointer = {}};
  Response response = answer(status, body, request_id, clock);
  if (status == 503) response.headers.set("Retry-After", "1");
  return response;
}

}  // namespace reel::api
