#include "cli/tams_client.h"

#include <cstdlib>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/percent.h"
#include "cli/json_fields.h"

namespace reel::cli {
namespace {

constexpr std::chrono::milliseconds kFirstWait{200};
constexpr std::chrono::milliseconds kLongestWait{5'000};

//! Waits, but not longer than until a stop is requested.
void wait_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, time, [] { return false; });
}

Code code_of(int status) {
  switch (status) {
    case 400:
    case 422: return Code::invalid;
    case 401: return Code::unauthorized;
    case 403: return Code::forbidden;
    case 404: return Code::not_found;
    case 409:
    case 412: return Code::conflict;
    case 413: return Code::too_large;
    case 429:
    case 503: return Code::overloaded;
    default: return status >= 500 ? Code::io : Code::unsupported;
  }
}

bool worth_another_try(Code code) {
  return code == Code::io || code == Code::timeout || code == Code::overloaded;
}

Result<json::Value> parse_answer(const http::ClientRequest& request, const std::string& text) {
  auto parsed = json::parse(text);
  if (parsed) return parsed;
  return Failure(std::move(parsed).error().while_doing("reading the answer to " + request.url));
}

Result<time::Timestamp> timestamp_field(const json::Value& object, std::string_view name) {
  const std::string text = string_field(object, name);
  return text.empty() ? time::Timestamp() : time::Timestamp::parse(text);
}

//! The first of get_urls that is http, empty when there is none.
std::string first_url(const json::Value& object) {
  for (const json::Value& entry : array_field(object, "get_urls")) {
    std::string url = string_field(entry, "url");
    if (url.starts_with("http://") || url.starts_with("https://")) return url;
  }
  return {};
}

}  // namespace

std::string error_text(const http::ClientResponse& response) {
  const auto parsed = json::parse(response.body);
  std::string text;
  if (parsed) {
    // Ours say in the message what is wrong; TAMS itself knows only the summary.
    text = string_field(*parsed, "message");
    if (text.empty()) text = string_field(*parsed, "summary");
    const std::string pointer = string_field(*parsed, "pointer");
    if (!pointer.empty()) text += fmt::format(" (at {})", pointer);
  }
  if (text.empty()) text = response.body.substr(0, 200);
  return fmt::format("{} {}", response.status, text);
}

Result<Segment> parse_segment(const json::Value& entry) {
  Segment segment;
  segment.object_id = string_field(entry, "object_id");
  REEL_ASSIGN(segment.timerange, time::TimeRange::parse(string_field(entry, "timerange")));
  REEL_ASSIGN(segment.ts_offset, timestamp_field(entry, "ts_offset"));
  segment.url = first_url(entry);
  if (const json::Value* init = entry.find("init_object")) {
    segment.init_id = string_field(*init, "object_id");
    segment.init_url = first_url(*init);
  }
  segment.key_frames = integer_field(entry, "key_frame_count").value_or(0);
  return segment;
}

Result<std::vector<Allocation>> parse_allocations(const json::Value& answer) {
  std::vector<Allocation> places;
  for (const json::Value& entry : array_field(answer, "media_objects")) {
    Allocation place;
    place.object_id = string_field(entry, "object_id");
    const json::Value* put = entry.find("put_url");
    if (put == nullptr || place.object_id.empty()) return corrupt("an allocation without put_url");
    place.url = string_field(*put, "url");
    const std::string type = string_field(*put, "content-type");
    if (!type.empty()) place.headers.emplace_back("Content-Type", type);
    const json::Value* headers = put->find("headers");
    const json::Object* fields = headers != nullptr ? headers->as_object() : nullptr;
    for (const json::Member& field : fields != nullptr ? *fields : json::Object()) {
      const std::string* value = field.value.as_string();
      const bool repeated = !type.empty() && http::same_field_name(field.name, "content-type");
      if (value != nullptr && !repeated) place.headers.emplace_back(field.name, *value);
    }
    places.push_back(std::move(place));
  }
  if (places.empty()) return corrupt("the server allocated no object");
  return places;
}

Result<std::unique_ptr<TamsClient>> TamsClient::connect(TamsClientOptions options) {
  while (options.url.ends_with('/')) options.url.pop_back();
  REEL_ASSIGN(auto http, http::Client::make());
  std::unique_ptr<TamsClient> client(new TamsClient(std::move(options), std::move(http)));
  // Waiting for a server that is not there would only hide a mistyped URL.
  http::ClientRequest request{.url = client->absolute("/service")};
  request.stop = client->options_.stop;
  client->add_token(request);
  auto response = client->http_->send(request);
  if (!response) return Failure(std::move(response).error());
  if (response->status == 401) {
    return unauthorized("{} wants a credential: an API key or JWT in REELHOUSE_TOKEN",
                        client->url());
  }
  const auto service = json::parse(response->body);
  if (!response->ok() || !service || service->find("api_version") == nullptr) {
    return unsupported("{} is not a TAMS API: GET /service answered {}", client->url(),
                       error_text(*response));
  }
  const auto lifetime = timestamp_field(*service, "min_presigned_url_timeout");
  if (lifetime && lifetime->nanoseconds() > 0) {
    client->upload_url_lifetime_ =
        std::chrono::seconds(static_cast<std::int64_t>(lifetime->nanoseconds() / 1'000'000'000));
  }
  return client;
}

std::string token_of_environment() {
  const char* token = std::getenv("REELHOUSE_TOKEN");
  return token == nullptr ? std::string() : std::string(token);
}

std::string TamsClient::absolute(const std::string& path) const {
  return path.find("://") == path.npos ? options_.url + path : path;
}

void TamsClient::add_token(http::ClientRequest& request) const {
  // A signed URL needs no token, and one on another server must not see it.
  const bool ours = http::url_origin(request.url) == http::url_origin(options_.url);
  const bool is_signed = request.url.find("signature=") != request.url.npos;
  if (options_.token.empty() || !ours || is_signed) return;
  request.headers.emplace_back("Authorization", "Bearer " + options_.token);
}

Result<http::ClientResponse> TamsClient::send(http::ClientRequest request) {
  request.stop = options_.stop;
  add_token(request);
  const auto start = std::chrono::steady_clock::now();
  std::chrono::milliseconds wait = kFirstWait;
  while (true) {
    auto response = http_->send(request);
    if (response && response->ok()) return response;
    Error error = response ? Error(code_of(response->status),
                                   fmt::format("{} {}: {}", request.method,
                                               request.url.substr(0, request.url.find('?')),
                                               error_text(*response)))
                           : std::move(response).error();
    const auto waited = std::chrono::steady_clock::now() - start;
    const bool patient = !options_.patience || waited + wait < *options_.patience;
    if (!worth_another_try(error.code()) || !patient) return Failure(std::move(error));
    if (options_.on_retry) options_.on_retry(error, wait);
    wait_for(wait, options_.stop);
    if (options_.stop.stop_requested()) return Failure(std::move(error));
    wait = std::min(wait * 2, kLongestWait);
  }
}

Result<http::ClientResponse> TamsClient::send_json(std::string method, const std::string& path,
                                                   const json::Value& body) {
  const std::string text = json::to_text(body);
  http::ClientRequest request{.method = std::move(method), .url = absolute(path)};
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = text;
  return send(std::move(request));
}

Result<json::Value> TamsClient::get(const std::string& path) {
  http::ClientRequest request{.url = absolute(path)};
  REEL_ASSIGN(const auto response, send(request));
  return parse_answer(request, response.body);
}

Result<json::Value> TamsClient::post(const std::string& path, const json::Value& body) {
  REEL_ASSIGN(const auto response, send_json("POST", path, body));
  return json::parse(response.body);
}

Result<json::Value> TamsClient::remove(const std::string& path) {
  REEL_ASSIGN(const auto response, send({.method = "DELETE", .url = absolute(path)}));
  if (response.body.empty()) return json::Value();
  return json::parse(response.body);
}

Status TamsClient::get_pages(const std::string& path,
                             const std::function<bool(json::Array&)>& on_page) {
  std::string next = absolute(path);
  while (!next.empty()) {
    http::ClientRequest request{.url = next};
    REEL_ASSIGN(const auto response, send(request));
    REEL_ASSIGN(json::Value page, parse_answer(request, response.body));
    json::Array* entries = page.as_array();
    if (entries == nullptr) return corrupt("{} did not answer a list", next);
    if (!on_page(*entries)) return {};
    const std::string* link = response.find_header("link");
    std::string following = link != nullptr ? http::link_next(*link) : std::string();
    if (following == next) return corrupt("{} names itself as the next page", next);
    next = std::move(following);
  }
  return {};
}

Result<std::optional<json::Value>> TamsClient::find_flow(const std::string& id) {
  auto flow = get("/flows/" + id);
  if (!flow && flow.error().code() == Code::not_found) return std::optional<json::Value>();
  if (!flow) return Failure(std::move(flow).error());
  return std::optional<json::Value>(*std::move(flow));
}

Status TamsClient::put_flow(const json::Value& flow) {
  return put_value("/flows/" + string_field(flow, "id"), flow);
}

Status TamsClient::put_value(const std::string& path, const json::Value& value) {
  REEL_TRY(send_json("PUT", path, value));
  return {};
}

Result<std::vector<Segment>> TamsClient::list_segments(const std::string& flow_id,
                                                       const time::TimeRange& range,
                                                       bool with_urls) {
  std::vector<Segment> segments;
  Status parsed;
  const std::string path =
      fmt::format("/flows/{}/segments?limit=1000&timerange={}{}", flow_id,
                  percent_encode(range.to_string()), with_urls ? "" : "&accept_get_urls=");
  REEL_TRY(get_pages(path, [&](json::Array& page) {
    for (const json::Value& entry : page) {
      auto segment = parse_segment(entry);
      if (!segment) {
        parsed = Failure(std::move(segment).error());
        return false;
      }
      segments.push_back(*std::move(segment));
    }
    return true;
  }));
  if (!parsed) return Failure(std::move(parsed).error());
  return segments;
}

Result<std::vector<Allocation>> TamsClient::allocate(const std::string& flow_id, std::size_t count,
                                                     const std::string& content_type) {
  json::Value body(json::Object{});
  body.set("limit", static_cast<std::int64_t>(count));
  if (!content_type.empty()) body.set("content_type", content_type);
  const std::string path = fmt::format("/flows/{}/storage", flow_id);
  REEL_ASSIGN(const auto response, send_json("POST", path, body));
  REEL_ASSIGN(const auto answer, json::parse(response.body));
  return parse_allocations(answer);
}

Status TamsClient::upload(const Allocation& place, std::string_view bytes,
                          const std::string& file) {
  http::ClientRequest request{.method = "PUT", .url = absolute(place.url)};
  request.headers = place.headers;
  request.body = bytes;
  request.body_file = file;
  REEL_TRY(send(std::move(request)));
  return {};
}

Result<std::vector<FailedSegment>> TamsClient::register_segments(const std::string& flow_id,
                                                                 const json::Array& segments) {
  const std::string path = fmt::format("/flows/{}/segments", flow_id);
  // One segment is sent alone: then a server that knows no bulk registration will do.
  const json::Value body = segments.size() == 1 ? segments[0] : json::Value(segments);
  auto response = send_json("POST", path, body);
  std::vector<FailedSegment> refused;
  if (!response) {
    if (response.error().code() != Code::invalid) return Failure(std::move(response).error());
    for (const json::Value& segment : segments) {
      refused.push_back({string_field(segment, "object_id"), response.error().message()});
    }
  } else if (response->status == 200) {
    REEL_ASSIGN(const auto answer, json::parse(response->body));
    for (const json::Value& entry : array_field(answer, "failed_segments")) {
      const json::Value* error = entry.find("error");
      refused.push_back({string_field(entry, "object_id"),
                         error != nullptr ? string_field(*error, "summary") : "no reason given"});
    }
  }
  std::vector<FailedSegment> failed;
  for (FailedSegment& one : refused) {
    // An earlier try may have been carried out although its answer was lost.
    const std::string query =
        fmt::format("{}?accept_get_urls=&object_id={}", path, percent_encode(one.object_id));
    REEL_ASSIGN(const json::Value registered, get(query));
    const json::Array* found = registered.as_array();
    if (found == nullptr || found->empty()) failed.push_back(std::move(one));
  }
  return failed;
}

Result<std::string> TamsClient::download(const std::string& url, const std::string& file) {
  http::ClientRequest request{.url = absolute(url)};
  request.answer_file = file;
  request.answer_bytes_max = std::size_t{1} << 30;
  REEL_ASSIGN(auto response, send(std::move(request)));
  return std::move(response.body);
}

}  // namespace reel::cli
