#include "tams/webhooks.h"

#include <algorithm>
#include <array>

#include "events/change_log.h"
#include "tams/edit.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

const std::string kWebhooks(table::kWebhooks);
constexpr std::size_t kUrlBytesMax = 2048;

//! Fields that are ours, or that say where a message ends.
constexpr std::array<std::string_view, 9> kOwnFields = {
    "host",       "content-length", "content-type", "transfer-encoding",
    "connection", "trailer",        "expect",       "te",
    "upgrade"};

std::string_view text_of(const json::Value& body, std::string_view member) {
  const json::Value* value = body.find(member);
  return value == nullptr ? std::string_view() : std::string_view(*value->as_string());
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

//! The host of an authority without its port; brackets stay.
std::string_view host_of(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return authority;
  if (bracket != std::string_view::npos && bracket > colon) return authority;
  return authority.substr(0, colon);
}

//! What can be said without asking a name server; the sender checks again when it connects.
Status check_url(const Limits& limits, std::string_view url) {
  const auto refuse = [](std::string_view why) {
    return at("/url", invalid("the URL of a webhook {}", why));
  };
  if (url.size() > kUrlBytesMax) return refuse("may have 2048 bytes");
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 127; });
  if (!plain || url.find('\\') != std::string_view::npos) {
    return refuse("has only printable ASCII characters, without spaces and backslashes");
  }
  const std::size_t scheme = url.find("://");
  const std::string name = lower(url.substr(0, scheme));
  if (scheme == std::string_view::npos || (name != "http" && name != "https")) {
    return refuse("begins with http:// or https://");
  }
  const std::string_view rest = url.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return refuse("has no user and password; use api_key_name and api_key_value");
  }
  if (url.find('#') != std::string_view::npos) return refuse("has no fragment");
  const std::string_view host = host_of(authority);
  if (host.empty()) return refuse("names a host");
  const auto address = IpAddress::parse(host);
  if (address && !is_permitted(*address, limits.webhook_networks)) {
    return refuse("is on a public address, or on one that webhooks.allowed_networks permits");
  }
  return {};
}

Status check_key(const json::Value& body) {
  const std::string_view name = text_of(body, "api_key_name");
  if (const json::Value* given = body.find("api_key_name"); given != nullptr) {
    constexpr std::string_view kToken = "!#$%&'*+-.^_`|~";
    const bool token = !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             kToken.find(c) != std::string_view::npos;
    });
    const bool ours =
        std::find(kOwnFields.begin(), kOwnFields.end(), lower(name)) != kOwnFields.end();
    if (!token || ours) {
      return at("/api_key_name", invalid("'{}' is not a header field for a key", name));
    }
  }
  const std::string_view value = text_of(body, "api_key_value");
  if (body.find("api_key_value") != nullptr && name.empty()) {
    return at("/api_key_value", invalid("a key needs the header field it goes to: api_key_name"));
  }
  const bool clean = std::all_of(value.begin(), value.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 127);
  });
  if (!clean) return at("/api_key_value", invalid("a key has no control characters"));
  return {};
}

//! What GET shows, without id, status and error.
json::Value document_of(const json::Value& body) {
  json::Value document = body;
  for (const char* member : {"id", "status", "error", "api_key_value"}) document.erase(member);
  return document;
}

std::string shown(const Record& webhook) {
  auto document = json::parse(webhook.text("document"));
  REEL_CHECK(document.has_value());
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("id", std::string_view(webhook.uuid("id").to_string()));
  for (const json::Member& member : *document->as_object()) {
    out.key(member.name);
    out.value(member.value);
  }
  out.field("status", webhook.text("status"));
  if (!webhook["error"].is_null()) out.raw_field("error", webhook.text("error"));
  out.end_object();
  return text;
}

Result<Record> find_webhook(store::Snapshot& snapshot, WebhookId id) {
  REEL_ASSIGN(auto found, load(snapshot, table::kWebhooks, {id}));
  if (!found) return not_found("webhook {} does not exist", id.to_string());
  return std::move(*found);
}

template <class IdType>
std::optional<std::vector<IdType>> ids_of(const json::Value& document, std::string_view member) {
  const json::Value* list = document.find(member);
  if (list == nullptr) return std::nullopt;
  std::vector<IdType> ids;
  for (const json::Value& id : *list->as_array()) ids.push_back(*IdType::parse(*id.as_string()));
  return ids;
}

bool flag_of(const json::Value& document, std::string_view member) {
  const json::Value* value = document.find(member);
  return value != nullptr && *value->as_bool();
}

EventShaping shaping_of(const json::Value& document) {
  EventShaping shaping;
  if (const json::Value* labels = document.find("accept_get_urls")) {
    shaping.urls.labels.emplace();
    for (const json::Value& label : *labels->as_array()) {
      shaping.urls.labels->push_back(*label.as_string());
    }
  }
  shaping.urls.storage_ids =
      ids_of<StorageId>(document, "accept_storage_ids").value_or(std::vector<StorageId>());
  if (const json::Value* presigned = document.find("presigned")) {
    shaping.urls.presigned = *presigned->as_bool();
  }
  shaping.urls.verbose = flag_of(document, "verbose_storage");
  shaping.include_object_timerange = flag_of(document, "include_object_timerange");
  return shaping;
}

//! That clients and the sender have left what GET shows as it was.
void require_unchanged(store::Batch& batch, const Record& webhook) {
  batch.require_cells(kWebhooks, {webhook["id"]},
                      {{"revision", webhook["revision"]}, {"status", webhook["status"]}});
}

//! The cells that a replacement sets, for a webhook that was like `old`.
Result<store::Cells> replacement_cells(store::Snapshot& snapshot, const Record& old,
                                       const json::Value& body) {
  const std::string_view status = text_of(body, "status");
  const std::string_view was = old.text("status");
  if (was == "error" && status == "disabled") {
    return at("/status", invalid("a failed webhook cannot be disabled; set it to created first"));
  }
  const bool runs = status == "created" && was == "started";
  store::Cells cells = {{"url", std::string(text_of(body, "url"))},
                        {"document", json::to_text(document_of(body))},
                        {"status", std::string(runs ? was : status)},
                        {"error", store::Value()},
                        {"failing_since", store::Value()},
                        {"revision", old.integer("revision") + 1}};
  if (body.find("api_key_value") != nullptr) {
    cells.emplace_back("api_key_value", std::string(text_of(body, "api_key_value")));
  } else {
    REEL_ASSIGN(const json::Value document, json::parse(old.text("document")));
    if (text_of(body, "api_key_name") != text_of(document, "api_key_name")) {
      cells.emplace_back("api_key_value", store::Value());
    }
  }
  if (was == "disabled" && status == "created") {
    REEL_ASSIGN(const std::int64_t newest, events::newest_change(snapshot));
    cells.emplace_back("cursor", newest);
  }
  return cells;
}

}  // namespace

Status check_webhook(const Limits& limits, const json::Value& body) {
  REEL_TRY(check_url(limits, text_of(body, "url")));
  return check_key(body);
}

events::EventFilter webhook_filter(const json::Value& document) {
  events::EventFilter filter{.types = {}};
  for (const json::Value& type : *document.find("events")->as_array()) {
    filter.types.push_back(*type.as_string());
  }
  filter.flow_ids = ids_of<FlowId>(document, "flow_ids");
  filter.source_ids = ids_of<SourceId>(document, "source_ids");
  filter.flow_collected_by = ids_of<FlowId>(document, "flow_collected_by_ids");
  filter.source_collected_by = ids_of<SourceId>(document, "source_collected_by_ids");
  return filter;
}

Result<std::string> create_webhook(const Context& context, const Caller& caller,
                                   const json::Value& body) {
  REEL_TRY(check_webhook(context.limits, body));
  const auto id = WebhookId::random(context.random);
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const std::int64_t newest, events::newest_change(*snapshot));
  const std::string_view status = text_of(body, "status");
  store::Cells cells = {{"url", std::string(text_of(body, "url"))},
                        {"document", json::to_text(document_of(body))},
                        {"status", status.empty() ? "created" : std::string(status)},
                        {"cursor", newest},
                        {"created", context.clock.now()},
                        {"created_by", caller.principal}};
  if (body.find("api_key_value") != nullptr) {
    cells.emplace_back("api_key_value", std::string(text_of(body, "api_key_value")));
  }
  store::Batch batch;
  batch.insert(kWebhooks, {id}, std::move(cells));
  REEL_TRY(context.store.commit(std::move(batch)));
  return get_webhook(context, id);
}

Result<std::string> get_webhook(const Context& context, WebhookId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record webhook, find_webhook(*snapshot, id));
  return shown(webhook);
}

Result<std::string> replace_webhook(const Context& context, const Caller& caller, WebhookId id,
                                    const json::Value& body) {
  if (text_of(body, "id") != id.to_string()) {
    return at("/id", not_found("the body is about webhook {}, the path about {}",
                               text_of(body, "id"), id.to_string()));
  }
  REEL_TRY(check_webhook(context.limits, body));
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record old, find_webhook(*snapshot, id));
    REEL_TRY(check_condition(caller, [&] { return shown(old); }));
    REEL_ASSIGN(store::Cells cells, replacement_cells(*snapshot, old, body));
    store::Batch batch;
    require_unchanged(batch, old);
    batch.update(kWebhooks, {id}, std::move(cells));
    return context.store.commit(std::move(batch));
  }));
  return get_webhook(context, id);
}

Status delete_webhook(const Context& context, const Caller& caller, WebhookId id) {
  return retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record old, find_webhook(*snapshot, id));
    REEL_TRY(check_condition(caller, [&] { return shown(old); }));
    store::Batch batch;
    require_unchanged(batch, old);
    batch.erase(kWebhooks, {id});
    return context.store.commit(std::move(batch));
  });
}

Result<Page> list_webhooks(const Context& context, const TagFilter& tags, const PageRequest& page) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  const auto accept = [&](const Record& webhook) -> Result<bool> {
    if (tags.empty()) return true;
    REEL_ASSIGN(const json::Value document, json::parse(webhook.text("document")));
    const json::Value* own = document.find("tags");
    return tags.matches(own == nullptr ? "" : json::to_text(*own));
  };
  const auto write = [](json::Writer& out, const Record& webhook) -> Status {
    out.raw(shown(webhook));
    return {};
  };
  return list_rows(*snapshot, {table::kWebhooks, "by_url", "url", false}, page, accept, write);
}

Result<std::vector<WebhookState>> webhook_states(store::Snapshot& snapshot) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kWebhooks));
  std::vector<WebhookState> states;
  const store::ScanSpec spec{.table = kWebhooks, .index = "by_url"};
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    const Record webhook(schema, row.cells);
    states.push_back({.id = {webhook.uuid("id")},
                      .status = std::string(webhook.text("status")),
                      .cursor = webhook.integer("cursor"),
                      .revision = webhook.integer("revision")});
    return true;
  }));
  return states;
}

Result<std::optional<WebhookJob>> webhook_job(store::Snapshot& snapshot, WebhookId id) {
  REEL_ASSIGN(const auto webhook, load(snapshot, table::kWebhooks, {id}));
  if (!webhook) return std::nullopt;
  const std::string_view status = webhook->text("status");
  if (status != "created" && status != "started") return std::nullopt;
  REEL_ASSIGN(const json::Value document, json::parse(webhook->text("document")));
  WebhookJob job{.id = id,
                 .url = std::string(webhook->text("url")),
                 .api_key = std::nullopt,
                 .filter = webhook_filter(document),
                 .shaping = shaping_of(document),
                 .status = std::string(status),
                 .cursor = webhook->integer("cursor"),
                 .revision = webhook->integer("revision"),
                 .failing_since = std::nullopt};
  if (!(*webhook)["api_key_value"].is_null()) {
    job.api_key.emplace(text_of(document, "api_key_name"), webhook->text("api_key_value"));
  }
  if (const auto* since = (*webhook)["failing_since"].get_if<Instant>()) job.failing_since = *since;
  return job;
}

Status save_progress(const Context& context, const WebhookJob& job,
                     const WebhookProgress& progress) {
  store::Cells cells = {{"cursor", progress.cursor},
                        {"status", progress.given_up.empty() ? "started" : "error"}};
  if (progress.failing_since) {
    cells.emplace_back("failing_since", *progress.failing_since);
  } else {
    cells.emplace_back("failing_since", store::Value());
  }
  if (!progress.given_up.empty()) {
    cells.emplace_back(
        "error", error_text("webhook_delivery_failed", progress.given_up, context.clock.now()));
  }
  store::Batch batch;
  batch.require_cells(kWebhooks, {job.id}, {{"revision", job.revision}});
  batch.update(kWebhooks, {job.id}, std::move(cells));
  return context.store.commit(std::move(batch));
}

}  // namespace reel::tams
