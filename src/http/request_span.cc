#include "http/request_span_internal.h"

#include "http/client/client.h"

namespace reel::http {
namespace {

//! Longer texts of clients are cut: a span is small whatever is asked.
constexpr std::size_t kTextBytesMax = 512;

std::string text(std::string_view value) { return std::string(value.substr(0, kTextBytesMax)); }

void set_times(obs::FinishedSpan& span, TimePoint began) {
  const auto took = std::chrono::nanoseconds(SteadyClock::now() - began).count();
  span.end_ns = obs::unix_ns();
  span.start_ns = span.end_ns - took;
}

//! The edge's own words for what has no template, such as "unmatched".
bool is_template(std::string_view route) { return route.starts_with('/'); }

using Attributes = std::vector<std::pair<std::string_view, obs::AttributeValue>>;

void describe_url(const api::RequestHead& head, Attributes& attributes) {
  attributes.emplace_back("url.path", text(head.path));
  attributes.emplace_back("url.scheme", std::string(head.tls ? "https" : "http"));
  if (const std::string* host = head.headers.find("Host")) {
    const auto [address, port] = split_authority(*host);
    attributes.emplace_back("server.address", text(address));
    if (port != 0) attributes.emplace_back("server.port", std::int64_t{port});
  }
  attributes.emplace_back("client.address", head.peer);
}

}  // namespace

obs::FinishedSpan request_span(const Exchange& exchange, bool sent) {
  const api::RequestHead& head = exchange.request.head;
  const std::string_view method = api::method_name(exchange.method);
  const int status = exchange.response.status;
  obs::FinishedSpan span{.context = exchange.trace,
                         .parent_span_id = exchange.parent_span_id,
                         .name = std::string(method),
                         .kind = obs::SpanKind::server,
                         .failed = status >= 500};
  set_times(span, exchange.started);
  auto& attributes = span.attributes;
  attributes.reserve(12);
  attributes.emplace_back("http.request.method", std::string(method));
  if (is_template(exchange.route)) {
    span.name.append(" ").append(exchange.route);
    attributes.emplace_back("http.route", std::string(exchange.route));
  }
  attributes.emplace_back("http.response.status_code", std::int64_t{status});
  if (!head.path.empty()) describe_url(head, attributes);
  attributes.emplace_back("reelhouse.request_id", exchange.request_id);
  if (!sent) {
    attributes.emplace_back("error.type", std::string("client_gone"));
  } else if (span.failed) {
    attributes.emplace_back("error.type", std::string(exchange.response.problem));
  }
  return span;
}

obs::FinishedSpan part_span(const Exchange& exchange, std::string_view name,
                            std::string_view size_name, TimePoint began, std::uint64_t bytes) {
  obs::FinishedSpan span{.context = exchange.trace.child(),
                         .parent_span_id = exchange.trace.span_id,
                         .name = std::string(name)};
  set_times(span, began);
  span.attributes = {{size_name, static_cast<std::int64_t>(bytes)}};
  return span;
}

}  // namespace reel::http
