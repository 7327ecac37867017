//! The documents of webhooks.

#include <algorithm>
#include <array>

#include "base/network.h"
#include "events/event_filter.h"
#include "tams/shapes.h"

namespace reel::tams::shape {
namespace {

using json::optional;
using json::required;
using json::Shape;
using json::Value;

constexpr auto kForbid = Shape::Extra::forbid;

bool all_of(std::string_view text, bool (*good)(char)) {
  return std::all_of(text.begin(), text.end(), good);
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

//! http or https, a name or an address, a port, a path and a query: the pattern of webhook_url()
//! with the reason for what breaks it.
Status check_webhook_url(std::string_view url) {
  constexpr std::size_t kBytesMax = 2048;
  const auto refuse = [](std::string_view why) { return invalid("the URL of a webhook {}", why); };
  if (url.size() > kBytesMax) return refuse("may have 2048 bytes");
  if (!all_of(url, [](char c) { return c > ' ' && c < 127 && c != '\\'; })) {
    return refuse("has only printable ASCII characters, without spaces and backslashes");
  }
  const std::size_t scheme = url.find("://");
  std::string name(url.substr(0, scheme));
  for (char& c : name) c = static_cast<char>(c | 0x20);
  if (scheme == std::string_view::npos || (name != "http" && name != "https")) {
    return refuse("begins with http:// or https://");
  }
  if (url.find('#') != std::string_view::npos) return refuse("has no fragment");
  const std::string_view rest = url.substr(scheme + 3);
  std::string_view host = rest.substr(0, rest.find_first_of("/?"));
  if (host.find('@') != std::string_view::npos) {
    return refuse("has no user and password; use api_key_name and api_key_value");
  }
  if (const std::size_t colon = host.rfind(':'); colon != host.npos && !host.ends_with(']')) {
    const std::string_view port = host.substr(colon + 1);
    if (port.empty() || port.size() > 5 ||
        !all_of(port, [](char c) { return c >= '0' && c <= '9'; })) {
      return refuse("has a port of one to five digits behind the colon");
    }
    host = host.substr(0, colon);
  }
  const bool is_name = !host.empty() && all_of(host, [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
  });
  if (!is_name && !(host.starts_with('[') && IpAddress::parse(host))) return refuse("names a host");
  return {};
}

Shape webhook_url() {
  // Of IPv6 addresses the common forms; others are understood too.
  return Shape::form("URL of a webhook",
                     R"(^[Hh][Tt][Tt][Pp][Ss]?://([A-Za-z0-9._-]+|\[(([0-9A-Fa-f]{1,4}:){7}|)"
                     R"(([0-9A-Fa-f]{1,4}:){1,6}:|::([0-9A-Fa-f]{1,4}:){0,5})[0-9A-Fa-f]{1,4}\]))"
                     R"((:[0-9]{1,5})?([/?][!-"$-\[\]-~]*)?$)",
                     check_webhook_url);
}

//! Fields that are ours, or that say where a message ends.
constexpr std::array<std::string_view, 9> kOwnFields = {
    "host",       "content-length", "content-type", "transfer-encoding",
    "connection", "trailer",        "expect",       "te",
    "upgrade"};

Status check_header_field_name(std::string_view name) {
  constexpr std::size_t kBytesMax = 256;
  const bool token = all_of(name, [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string::npos;
  });
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  const bool ours = std::find(kOwnFields.begin(), kOwnFields.end(), lower) != kOwnFields.end();
  if (name.empty() || name.size() > kBytesMax || !token || ours) {
    return invalid("'{}' is not a header field for a key", name.substr(0, 64));
  }
  return {};
}

Shape header_field_name() {
  return Shape::form("Header field", "^[0-9A-Za-z!#$%&'*+.^_`|~-]{1,256}$",
                     check_header_field_name);
}

Status check_header_field_value(std::string_view value) {
  constexpr std::size_t kBytesMax = 4096;
  if (value.size() > kBytesMax) return invalid("a key may have 4096 bytes");
  const bool clean = all_of(value, [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 127);
  });
  if (!clean) return invalid("a key has no control characters");
  return {};
}

Shape header_field_value() {
  return Shape::form("Value of a header field", R"(^[^\u0000-\u0008\u000a-\u001f\u007f]*$)",
                     check_header_field_value);
}

//! A key goes into a field, which must have a name.
Shape with_key_rule(const Shape& webhook) {
  const auto named = [](const Value& body) -> Status {
    if (body.find("api_key_value") == nullptr || body.find("api_key_name") != nullptr) return {};
    return at("/api_key_value", invalid("a key needs the header field it goes to: api_key_name"));
  };
  return webhook.with_rule(named, {{"dependentRequired", R"({"api_key_value":["api_key_name"]})"}});
}

//! What the product calls events that TAMS has another name for.
struct ProductEvent {
  std::string_view name;
  std::string_view type;
};
constexpr std::array kProductEvents = {ProductEvent{"source.created", "sources/created"},
                                       ProductEvent{"source.updated", "sources/updated"},
                                       ProductEvent{"source.deleted", "sources/deleted"},
                                       ProductEvent{"flow.created", "flows/created"},
                                       ProductEvent{"flow.updated", "flows/updated"},
                                       ProductEvent{"flow.deleted", "flows/deleted"},
                                       ProductEvent{"segment.uploaded", "flows/segments_added"},
                                       ProductEvent{"segment.deleted", "flows/segments_deleted"}};

//! What a client may subscribe to.
Shape event_name() {
  std::vector<std::string> names(events::kEventTypes.begin(), events::kEventTypes.end());
  for (const ProductEvent& event : kProductEvents) names.emplace_back(event.name);
  return Shape::choice(std::move(names));
}

//! Unknown members are refused where this is written: a filter that is not understood would
//! otherwise be ignored.
std::vector<Shape::MemberShape> webhook_members(const Shape& event) {
  const Shape ids = Shape::array(uuid());
  return {required("url", webhook_url()),
          optional("api_key_name", header_field_name()),
          required("events", Shape::array(event)),
          optional("flow_ids", ids),
          optional("source_ids", ids),
          optional("flow_collected_by_ids", ids),
          optional("source_collected_by_ids", ids),
          optional("accept_get_urls", Shape::array(Shape::string())),
          optional("accept_storage_ids", ids),
          optional("presigned", Shape::boolean()),
          optional("verbose_storage", Shape::boolean()),
          optional("include_object_timerange", Shape::boolean()),
          optional("tags", tags())};
}

}  // namespace

Shape event_type() {
  return Shape::choice({events::kEventTypes.begin(), events::kEventTypes.end()});
}

std::string_view event_type_of(std::string_view name) {
  for (const ProductEvent& event : kProductEvents) {
    if (event.name == name) return event.type;
  }
  return name;
}

Shape webhook() {
  std::vector<Shape::MemberShape> members = webhook_members(event_type());
  members.push_back(required("id", uuid()));
  members.push_back(required("status", Shape::choice({"created", "started", "disabled", "error"})));
  members.push_back(optional("error", error()));
  return Shape::object(std::move(members)).named("Webhook");
}

Shape webhook_post() {
  std::vector<Shape::MemberShape> members = webhook_members(event_name());
  members.push_back(optional("api_key_value", header_field_value()));
  members.push_back(optional("status", Shape::choice({"created", "disabled"})));
  return with_key_rule(Shape::object(std::move(members), kForbid)).named("WebhookPost");
}

Shape webhook_put() {
  std::vector<Shape::MemberShape> members = webhook_members(event_name());
  members.push_back(required("id", uuid()));
  members.push_back(optional("api_key_value", header_field_value()));
  members.push_back(required("status", Shape::choice({"created", "disabled"})));
  members.push_back(optional("error", Shape::any()));  // so that what GET shows can be sent back
  return with_key_rule(Shape::object(std::move(members), kForbid)).named("WebhookPut");
}

}  // namespace reel::tams::shape
