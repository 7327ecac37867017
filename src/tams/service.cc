#include "tams/service.h"

#include <algorithm>

#include "tams/get_urls.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

const std::string kService(table::kService);

void write_backend(json::Writer& out, const media::BackendInfo& info) {
  out.begin_object();
  out.field("id", std::string_view(info.id.to_string()));
  out.field("label", std::string_view(info.label));
  write_storage_members(out, info);
  out.field("default_storage", info.default_storage);
  out.end_object();
}

}  // namespace

Result<std::string> get_service(const Context& context) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const char* member : {"name", "description"}) {
    REEL_ASSIGN(const auto row, load(*snapshot, table::kService, {member}));
    if (row && !(*row)["value"].is_null()) out.field(member, row->text("value"));
  }
  out.field("type", "urn:x-tams:service.reelhouse");
  out.field("api_version", "8.2");
  out.field("service_version", "reelhouse.0.1.0");
  const auto seconds = [](std::int64_t count) { return fmt::format("{}:0", count); };
  out.field("min_object_timeout", std::string_view(seconds(context.limits.min_object_timeout_s)));
  out.field("min_presigned_url_timeout",
            std::string_view(seconds(context.limits.min_presigned_url_timeout_s)));
  out.raw_field("event_stream_mechanisms",
                R"([{"name":"webhooks"},{"name":"server-sent-events","docs":"/events"}])");
  // 6.0 clients require this member; 8.2 allows it.
  out.raw_field("media_store", R"({"type":"http_object_store"})");
  out.end_object();
  return text;
}

Status update_service(const Context& context, const json::Value& body) {
  store::Batch batch;
  for (const char* member : {"name", "description"}) {
    if (const json::Value* value = body.find(member)) {
      batch.upsert(kService, {member}, {{"value", *value->as_string()}});
    }
  }
  if (batch.mutations.empty()) return {};
  return context.store.commit(std::move(batch));
}

Result<Page> list_storage_backends(const Context& context, const TagFilter& tags,
                                   const PageRequest& request) {
  std::vector<const media::BackendInfo*> backends;
  for (const auto& [id, backend] : context.storage.backends) {
    if (tags.matches(backend->info().tags)) backends.push_back(&backend->info());
  }
  const auto order = [](const media::BackendInfo* info) {
    return std::pair(std::string_view(info->label), info->id);
  };
  std::sort(backends.begin(), backends.end(), [&](auto* a, auto* b) {
    return request.reverse ? order(b) < order(a) : order(a) < order(b);
  });
  const store::Type uuid_type = store::Type::of(store::TypeKind::uuid);
  auto next = backends.begin();
  if (!request.key.empty()) {
    REEL_ASSIGN(const auto cells, read_page_key(request.key, {uuid_type}));
    next = std::find_if(backends.begin(), backends.end(),
                        [&](auto* info) { return store::Value(info->id) == cells[0]; });
    if (next == backends.end()) {
      return at("?page", not_found("there is no such page in this listing"));
    }
    ++next;
  }
  Page page{.items = {}, .limit = request.limit, .reverse = request.reverse, .next_key = {}};
  json::Writer out(page.items);
  out.begin_array();
  for (; next != backends.end(); ++next) {
    if (page.count == request.limit) {
      page.next_key = make_page_key({{uuid_type, store::Value((*std::prev(next))->id)}});
      break;
    }
    write_backend(out, **next);
    ++page.count;
  }
  out.end_array();
  return page;
}

}  // namespace reel::tams
