#include "tams/get_urls.h"

#include <algorithm>

#include "base/percent.h"

namespace reel::tams {
namespace {

bool label_selected(const UrlSelection& selection, std::string_view label) {
  if (!selection.labels) return true;
  return !label.empty() && std::find(selection.labels->begin(), selection.labels->end(), label) !=
                               selection.labels->end();
}

void write_backend(json::Writer& out, const media::BackendInfo& info) {
  out.field("storage_id", std::string_view(info.id.to_string()));
  out.field("controlled", true);
  out.field("store_type", "http_object_store");
  out.field("provider", std::string_view(info.provider));
  out.field("store_product", std::string_view(info.store_product));
}

void write_controlled(json::Writer& out, const Context& context, const Caller& caller,
                      const ObjectLocation& object, const UrlSelection& selection) {
  const media::Backend* backend = context.storage.find(*object.storage_id);
  if (backend == nullptr) return;
  const media::BackendInfo& info = backend->info();
  const auto& wanted = selection.storage_ids;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), info.id) == wanted.end()) return;
  if (!label_selected(selection, info.label) || !selection.storage_tags.matches("")) return;
  for (const bool presigned : {true, false}) {
    if (selection.presigned && *selection.presigned != presigned) continue;
    out.begin_object();
    out.key("url");
    out.open_plain_string();
    if (presigned) {
      const Instant expiry{context.clock.now().micros +
                           context.limits.min_presigned_url_timeout_s * 1'000'000};
      out.out() += caller.base_url;
      context.storage.signer->append_path(out.out(),
                                          {.use = media::UrlUse::get,
                                           .storage = info.id,
                                           .object_id = std::string(object.object_id),
                                           .content_type = {}},
                                          expiry);
    } else {
      out.out() += plain_url(caller, info.id, object.object_id);
    }
    out.close_plain_string();
    if (presigned) out.field("presigned", true);
    out.field("label", std::string_view(info.label));
    if (selection.verbose) write_backend(out, info);
    out.end_object();
  }
}

void write_external(json::Writer& out, const ObjectLocation& object,
                    const UrlSelection& selection) {
  if (object.external_urls.empty() || !selection.storage_ids.empty()) return;
  if (selection.presigned == true || !selection.storage_tags.matches("")) return;
  const auto urls = json::parse(object.external_urls);
  if (!urls || urls->as_array() == nullptr) return;
  for (const json::Value& url : *urls->as_array()) {
    const std::string& label = *url.find("label")->as_string();
    if (!label_selected(selection, label)) continue;
    out.begin_object();
    out.field("url", std::string_view(*url.find("url")->as_string()));
    if (!label.empty()) out.field("label", std::string_view(label));
    if (selection.verbose) out.field("controlled", false);
    out.end_object();
  }
}

}  // namespace

std::string plain_url(const Caller& caller, StorageId storage, std::string_view object_id) {
  std::string url = caller.base_url + "/media/" + storage.to_string() + "/";
  append_percent_encoded(url, object_id);
  return url;
}

void write_get_urls(json::Writer& out, const Context& context, const Caller& caller,
                    const ObjectLocation& object, const UrlSelection& selection) {
  out.key("get_urls");
  out.begin_array();
  if (!selection.selects_nothing()) {
    if (object.storage_id) write_controlled(out, context, caller, object, selection);
    write_external(out, object, selection);
  }
  out.end_array();
}

}  // namespace reel::tams
