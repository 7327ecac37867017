#include "tams/get_urls.h"

#include <algorithm>

#include "base/percent.h"

namespace reel::tams {
void write_storage_members(json::Writer& out, const media::BackendInfo& info) {
  out.field("store_type", "http_object_store");
  out.field("provider", std::string_view(info.provider));
  if (!info.region.empty()) out.field("region", std::string_view(info.region));
  if (!info.availability_zone.empty()) {
    out.field("availability_zone", std::string_view(info.availability_zone));
  }
  out.field("store_product", std::string_view(info.store_product));
  if (!info.tags.empty()) out.raw_field("tags", info.tags);
}

std::string plain_url(const Caller& caller, StorageId storage, std::string_view object_id) {
  std::string url = caller.base_url + "/media/" + storage.to_string() + "/";
  append_percent_encoded(url, object_id);
  return url;
}

void UrlWriter::write(json::Writer& out, std::string_view object_id,
                      const std::vector<Instance>& instances) const {
  out.key("get_urls");
  out.begin_array();
  if (!selection_.selects_nothing()) {
    for (const Instance& instance : instances) {
      if (!instance.storage_id || instance.copying) continue;
      write_controlled(out, object_id, instance);
    }
    for (const Instance& instance : instances) {
      if (!instance.storage_id) write_uncontrolled(out, instance);
    }
  }
  out.end_array();
}

bool UrlWriter::label_selected(std::string_view label) const {
  if (!selection_.labels) return true;
  return !label.empty() && std::find(selection_.labels->begin(), selection_.labels->end(), label) !=
                               selection_.labels->end();
}

void UrlWriter::write_controlled(json::Writer& out, std::string_view object_id,
                                 const Instance& instance) const {
  const media::Backend* backend = context_.storage.find(*instance.storage_id);
  if (backend == nullptr) return;
  const media::BackendInfo& info = backend->info();
  const auto& wanted = selection_.storage_ids;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), info.id) == wanted.end()) return;
  if (!label_selected(info.label) || !selection_.storage_tags.matches(info.tags)) return;
  for (const bool presigned : {true, false}) {
    if (selection_.presigned && *selection_.presigned != presigned) continue;
    out.begin_object();
    out.key("url");
    out.open_plain_string();
    if (presigned) {
      const Instant expiry{context_.clock.now().micros +
                           context_.limits.min_presigned_url_timeout_s * 1'000'000};
      out.out() += caller_.base_url;
      context_.storage.signer->append_path(out.out(),
                                           {.use = media::UrlUse::get,
                                            .storage = info.id,
                                            .object_id = std::string(object_id),
                                            .content_type = {}},
                                           expiry);
    } else {
      out.out() += plain_url(caller_, info.id, object_id);
    }
    out.close_plain_string();
    if (presigned) out.field("presigned", true);
    out.field("label", std::string_view(info.label));
    if (selection_.verbose) {
      out.field("storage_id", std::string_view(info.id.to_string()));
      out.field("controlled", true);
      write_storage_members(out, info);
    }
    out.end_object();
  }
}

void UrlWriter::write_uncontrolled(json::Writer& out, const Instance& instance) const {
  if (!selection_.storage_ids.empty() || selection_.presigned == true) return;
  if (!label_selected(instance.label) || !selection_.storage_tags.matches("")) return;
  out.begin_object();
  out.field("url", std::string_view(instance.url));
  if (!instance.label.empty()) out.field("label", std::string_view(instance.label));
  if (selection_.verbose) out.field("controlled", false);
  out.end_object();
}

}  // namespace reel::tams
