#pragma once
//! Which request is being worked on: W3C trace context and request id.

#include <optional>
#include <string>
#include <string_view>

namespace reel::obs {

//! W3C Trace Context level 1: 16-byte trace id, 8-byte span id, flags, as lower-case hex.
struct TraceContext {
  std::string trace_id;
  std::string span_id;
  bool sampled = false;

  //! Reads a `traceparent` header; nullopt when it is malformed (then a new trace starts).
  static std::optional<TraceContext> parse(std::string_view traceparent);
  static TraceContext start();
  //! Same trace, new span.
  TraceContext child() const;
  std::string to_traceparent() const;
};

//! A request id: the client's X-Request-Id when it is at most 128 printable ASCII characters
//! without spaces or quotes, else a new one.
std::string choose_request_id(std::string_view from_client);

class Tracer;

//! What a thread is working on.
struct Work {
  std::string_view request_id = {};
  const TraceContext* trace = nullptr;
  Tracer* tracer = nullptr;  //!< null: spans of this work are not recorded
};

//! Attaches the request id and trace to the log lines of this thread for a scope. With a tracer, a
//! Span on this thread becomes a child of a trace that is sampled. REQUIRES: all of them outlive
//! the scope.
class TraceScope {
 public:
  TraceScope(std::string_view request_id, const TraceContext& trace, Tracer* tracer = nullptr);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  const Work outer_;
};

}  // namespace reel::obs
