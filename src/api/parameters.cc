#include "api/parameters.h"

#include <algorithm>

#include "base/percent.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

//! schemas/url-label-list.json: items separated by single commas, or nothing.
Status check_list(std::string_view text) {
  if (text.empty()) return {};
  if (text.front() == ',' || text.back() == ',' || text.find(",,") != std::string_view::npos) {
    return invalid("'{}' has an empty item", text.substr(0, 64));
  }
  return {};
}

json::Shape list() {
  return json::Shape::form("Comma-separated list", "^([^,]+(,[^,]+)*)?$", check_list);
}

//! The letters of base64url, and no fewer than the shortest key has. What the key says is for the
//! listing to judge.
Status check_page_key(std::string_view text) {
  constexpr std::size_t kLengthMin = 2;
  const bool letters = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  if (text.empty() || (letters && text.size() >= kLengthMin)) return {};
  return invalid("'{}' is not a key of a page", text.substr(0, 64));
}

std::string uuids_pattern() {
  constexpr std::string_view kUuid =
      "[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
  return fmt::format("{0}(,{0})*", kUuid);
}

Status check_uuid_list(std::string_view text) {
  if (text.empty()) return invalid("at least one UUID is needed");
  REEL_TRY(check_list(text));
  for (const std::string& item : comma_list(text)) REEL_TRY(Uuid::parse(item));
  return {};
}

constexpr std::size_t kKeyBytesMax = 255;

Status check_key(std::string_view text) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!text.empty() && text.size() <= kKeyBytesMax &&
      std::all_of(text.begin(), text.end(), printable)) {
    return {};
  }
  return invalid("a key has 1 to {} printable ASCII characters", kKeyBytesMax);
}

}  // namespace

std::vector<Parameter> join(std::vector<std::vector<Parameter>> lists) {
  std::vector<Parameter> all;
  for (auto& part : lists) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<Parameter> tag_parameters(const std::string& prefix, const std::string& of) {
  return {{prefix + ".{name}", list(), "Only " + of + " whose tag {name} has one of these values"},
          {prefix + "_exists.{name}", json::Shape::boolean(),
           "Only " + of + " that have (true) or lack (false) the tag {name}"}};
}

std::vector<Parameter> page_parameters() {
  return {{"page", json::Shape::form("Page key", "^([A-Za-z0-9_-]{2,})?$", check_page_key),
           "Key of the page, from the Link of the one before; one that leads nowhere is 404"},
          {"limit", json::Shape::integer(), "At most this many items; clamped to a maximum"}};
}

Parameter reverse_parameter() {
  return {"reverse_order", json::Shape::boolean(), "List in the opposite order"};
}

std::vector<Parameter> url_parameters() {
  return join({{{"verbose_storage", json::Shape::boolean(), "Describe the storage in get_urls"},
                {"accept_get_urls", list(), "Only get_urls with these labels; empty: none"},
                {"accept_storage_ids", uuid_list(), "Only get_urls on these storage backends"},
                {"presigned", json::Shape::boolean(), "Only signed, or only unsigned get_urls"}},
               tag_parameters("storage_backend_tag", "get_urls on storage backends")});
}

std::vector<Parameter> condition_parameters() {
  return {{"If-Match", json::Shape::string(),
           "Only if what GET shows has one of these entity tags; *: if anything is there"},
          {"If-None-Match", json::Shape::string(),
           "Only if what GET shows has none of these entity tags; *: if nothing is there yet"}};
}

Parameter idempotency_parameter() {
  return {"Idempotency-Key", json::Shape::form("Idempotency key", "^[ -~]{1,255}$", check_key),
          "Repeats with the same key within 24 hours have the same answer and no further effect"};
}

Parameter flow_id_parameter() { return {"flowId", shape::uuid(), "The flow"}; }
Parameter soft_delete_parameter() {
  return {"soft_delete", json::Shape::boolean(),
          "Put it into the trash, from where it can return; Location tells where it is"};
}

Parameter source_id_parameter() { return {"sourceId", shape::uuid(), "The source"}; }

json::Shape uuid_list() {
  return json::Shape::form("Comma-separated UUIDs", fmt::format("^{}$", uuids_pattern()),
                           check_uuid_list);
}

json::Shape uuid_list_or_none() {
  return json::Shape::form(
      "Comma-separated UUIDs, or nothing", fmt::format("^({})?$", uuids_pattern()),
      [](std::string_view text) { return text.empty() ? Status() : check_uuid_list(text); });
}

std::optional<std::string> text(const Query& query, std::string_view name) {
  const std::string* value = query.find(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<bool> flag(const Query& query, std::string_view name) {
  const std::string* value = query.find(name);
  return value == nullptr ? std::nullopt : std::optional(*value == "true");
}

std::optional<std::int64_t> integer(const Query& query, std::string_view name) {
  const std::string* value = query.find(name);
  if (value == nullptr) return std::nullopt;
  return std::strtoll(value->c_str(), nullptr, 10);
}

std::vector<std::string> comma_list(std::string_view value) {
  std::vector<std::string> items;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    items.emplace_back(value.substr(0, comma));
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  return items;
}

tams::TagFilter tag_filter(const Query& query, const std::string& prefix) {
  tams::TagFilter filter;
  for (auto& [name, value] : query.with_prefix(prefix + ".")) {
    filter.any_of.push_back({name, comma_list(value)});
  }
  for (auto& [name, value] : query.with_prefix(prefix + "_exists.")) {
    filter.exists.emplace_back(name, value == "true");
  }
  return filter;
}

tams::UrlSelection url_selection(const Query& query) {
  tams::UrlSelection selection;
  if (const std::string* labels = query.find("accept_get_urls")) {
    selection.labels = comma_list(*labels);
  }
  if (const std::string* ids = query.find("accept_storage_ids")) {
    selection.storage_ids = id_list<StorageId>(*ids);
  }
  selection.presigned = flag(query, "presigned");
  selection.verbose = flag(query, "verbose_storage").value_or(false);
  selection.storage_tags = tag_filter(query, "storage_backend_tag");
  return selection;
}

tams::PageRequest page_request(const Call& call) {
  return tams::PageRequest{
      .limit = tams::page_limit(call.tams.limits, integer(call.query, "limit")),
      .key = text(call.query, "page").value_or(""),
      .reverse = flag(call.query, "reverse_order").value_or(false)};
}

time::TimeRange timerange(const Query& query) {
  const std::string* value = query.find("timerange");
  return value == nullptr ? time::TimeRange::eternity() : *time::TimeRange::parse(*value);
}

tams::Caller caller(const Call& call) {
  return {.principal = call.identity->name,
          .base_url = call.base_url,
          .classes = call.identity->permissions.is_admin() ? std::nullopt : call.identity->classes,
          .condition = call.condition,
          .once = call.once};
}

FlowId flow_id(const Call& call) { return *FlowId::parse(call.path[0]); }
SourceId source_id(const Call& call) { return *SourceId::parse(call.path[0]); }

bool accepts(const Request& request, std::string_view type) {
  const std::string named = request.head.headers.list("Accept").value_or("");
  return named.find(type) != std::string::npos;
}

void add_paging(Response& response, const Call& call, const tams::Page& page) {
  Headers& headers = response.headers;
  headers.set("X-Paging-Limit", std::to_string(page.limit));
  headers.set("X-Paging-Count", std::to_string(page.count));
  headers.set("X-Paging-Reverse-Order", page.reverse ? "true" : "false");
  if (page.next_key.empty()) return;
  headers.set("X-Paging-NextKey", page.next_key);
  std::string url = fmt::format("{}{}?", call.base_url, call.raw_path);
  for (const auto& [name, value] : call.query.all()) {
    if (name == "page") continue;
    append_percent_encoded(url, name);
    url += '=';
    append_percent_encoded(url, value);
    url += '&';
  }
  headers.set("Link", "<" + url + "page=" + page.next_key + ">; rel=\"next\"");
}

Response paged(const Call& call, tams::Page page) {
  Response response = Response::json(200, std::move(page.items));
  add_paging(response, call, page);
  return response;
}

Response deletion_answer(const Call& call, int status, tams::DeletionRequest request) {
  Response response = Response::json(status, std::move(request.document));
  response.headers.set("Location",
                       call.base_url + "/flow-delete-requests/" + request.id.to_string());
  return response;
}

Response deleted(const Call& call, std::optional<tams::DeletionRequest> request) {
  if (!request) return Response::empty(204);
  return deletion_answer(call, 202, *std::move(request));
}

Response in_trash(const Call& call, TrashId item) {
  Response response = Response::empty(204);
  response.headers.set("Location", call.base_url + "/trash/" + item.to_string());
  return response;
}

std::vector<Answer> deleted_answers(std::vector<Answer> failures) {
  std::vector<Answer> answers = {{204, "Deleted"},
                                 {202, "Being deleted; Location tells where to look how far it is",
                                  shape::deletion_request()}};
  std::move(failures.begin(), failures.end(), std::back_inserter(answers));
  return answers;
}

Answer bad_request() { return {400, "A parameter or the body breaks a rule", shape::error()}; }
Answer forbidden_answer() { return {403, "Not allowed, for example read-only", shape::error()}; }
Answer not_found_answer() { return {404, "There is no such thing", shape::error()}; }
Answer condition_answer() {
  return {412, "If-Match or If-None-Match does not hold", shape::error()};
}
std::vector<Answer> conditional_answers(std::vector<Answer> own) {
  for (const auto& refusal : {forbidden_answer, not_found_answer, condition_answer}) {
    own.push_back(refusal());
  }
  return own;
}
Answer reused_key_answer() {
  return {422, "The Idempotency-Key belongs to another request", shape::error()};
}

}  // namespace reel::api
