#include "tams/objects.h"

#include <algorithm>
#include <set>

#include "tams/edit.h"
#include "tams/flows.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using store::Value;
using time::Timestamp;

const std::string kObjects(table::kObjects);

Result<media::Backend*> chosen_backend(const Context& context, const json::Value& body) {
  if (const json::Value* asked = body.find("storage_id")) {
    const std::string& text = *asked->as_string();
    media::Backend* backend = context.storage.find(*StorageId::parse(text));
    if (backend == nullptr) {
      return at("/storage_id", invalid("storage backend {} does not exist", text));
    }
    return backend;
  }
  media::Backend* backend = context.storage.default_backend();
  if (backend == nullptr) {
    return at("/storage_id", invalid("is required, because no storage backend is the default"));
  }
  return backend;
}

//! The ids to allocate: those asked for, or new ones.
Result<std::vector<std::string>> object_ids(const Context& context, const json::Value& body) {
  const auto bounded = [&](std::size_t count, const char* pointer) -> Status {
    if (count <= context.limits.allocate_max) return {};
    return at(pointer,
              invalid("{} objects at once, the limit is {}", count, context.limits.allocate_max));
  };
  std::vector<std::string> ids;
  if (const json::Value* asked = body.find("object_ids")) {
    REEL_TRY(bounded(asked->as_array()->size(), "/object_ids"));
    std::set<std::string_view> seen;
    for (const json::Value& id : *asked->as_array()) {
      const std::string& text = *id.as_string();
      if (text.empty()) return at("/object_ids", invalid("an object id must not be empty"));
      if (!seen.insert(text).second) {
        return at("/object_ids", invalid("object '{}' is asked for twice", text));
      }
      ids.push_back(text);
    }
    return ids;
  }
  std::int64_t limit = static_cast<std::int64_t>(context.limits.allocate_default);
  if (const json::Value* asked = body.find("limit")) asked->get_int64(limit);
  const auto count = std::min(static_cast<std::size_t>(limit), context.limits.allocate_max);
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(Uuid::random(context.random).to_string());
  }
  return ids;
}

void write_allocation(json::Writer& out, const Context& context, const Caller& caller,
                      const std::string& id, StorageId storage, const std::string& content_type,
                      bool presigned) {
  out.begin_object();
  out.field("object_id", std::string_view(id));
  out.key("put_url");
  out.begin_object();
  out.key("url");
  out.open_plain_string();
  if (presigned) {
    const Instant expiry{context.clock.now().micros +
                         context.limits.min_presigned_url_timeout_s * 1'000'000};
    out.out() += caller.base_url;
    context.storage.signer->append_path(out.out(),
                                        {.use = media::UrlUse::put,
                                         .storage = storage,
                                         .object_id = id,
                                         .content_type = content_type},
                                        expiry);
  } else {
    out.out() += plain_url(caller, storage, id);
  }
  out.close_plain_string();
  out.field("content-type", std::string_view(content_type));
  out.key("headers");
  out.begin_object();
  out.field("Content-Type", std::string_view(content_type));
  out.end_object();
  out.end_object();
  out.field("presigned", presigned);
  out.end_object();
}

//! Objects that were reserved for a flow.
struct Allocation {
  std::vector<std::string> ids;
  StorageId storage;
  std::string content_type;
};

Result<Allocation> reserve(const Context& context, FlowId flow, const json::Value& body) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record record, find_flow(*snapshot, flow));
  if (record.flag("read_only")) return forbidden("flow {} is read-only", flow.to_string());
  if (record["container"].is_null()) {
    return invalid("flow {} has no container, so it cannot have objects", flow.to_string());
  }
  REEL_ASSIGN(media::Backend* const backend, chosen_backend(context, body));
  Allocation allocation;
  REEL_ASSIGN(allocation.ids, object_ids(context, body));
  allocation.storage = backend->info().id;
  allocation.content_type = record.text("container");
  if (const json::Value* asked = body.find("content_type")) {
    allocation.content_type = *asked->as_string();
  }
  store::Batch batch;
  batch.require_cells(std::string(table::kFlows), {flow}, {{"read_only", false}});
  for (const std::string& id : allocation.ids) {
    REEL_ASSIGN(const auto taken, load(*snapshot, table::kObjects, {id}));
    if (taken) return at("/object_ids", invalid("object '{}' exists already", id));
    batch.insert(kObjects, {id},
                 {{"flow_id", flow},
                  {"storage_id", allocation.storage},
                  {"storage_key", media::make_key(id, context.clock.now())},
                  {"content_type", allocation.content_type}});
  }
  REEL_TRY(context.store.commit(std::move(batch)));
  return allocation;
}

Result<bool> is_used(store::Snapshot& snapshot, const std::string& id) {
  REEL_ASSIGN(const auto flows, flows_using(snapshot, id, {}, std::nullopt, 1));
  return !flows.empty();
}

ObjectLocation location_of(const Record& object) {
  ObjectLocation location{.object_id = object.text("id"),
                          .storage_id = std::nullopt,
                          .external_urls = object.text("external_urls")};
  if (!object["storage_id"].is_null()) location.storage_id = StorageId{object.uuid("storage_id")};
  return location;
}

Status write_object(json::Writer& out, const Context& context, const Caller& caller,
                    store::Snapshot& snapshot, const Record& object, const UrlSelection& urls) {
  if (!object["timerange"].is_null()) out.field("timerange", object.text("timerange"));
  if (!object["key_frame_count"].is_null()) {
    out.field("key_frame_count", object.integer("key_frame_count"));
  }
  write_get_urls(out, context, caller, location_of(object), urls);
  if (object["init_object_id"].is_null()) return {};
  REEL_ASSIGN(const auto init, load(snapshot, table::kObjects, {object["init_object_id"]}));
  out.key("init_object");
  out.begin_object();
  out.field("id", object.text("init_object_id"));
  if (init) write_get_urls(out, context, caller, location_of(*init), urls);
  out.end_object();
  return {};
}

//! The object on that backend; not_found otherwise.
Result<Record> object_on(store::Snapshot& snapshot, StorageId storage, const std::string& id) {
  REEL_ASSIGN(auto object, load(snapshot, table::kObjects, {id}));
  if (!object || (*object)["storage_id"] != Value(storage)) {
    return not_found("object '{}' is not on storage backend {}", id, storage.to_string());
  }
  return std::move(*object);
}

//! Bytes may be replaced until a segment uses them.
Status check_replaceable(const Record& object) {
  if (!object.flag("registered") || object["size_bytes"].is_null()) return {};
  return forbidden("object '{}' is in use and cannot be replaced", object.text("id"));
}

}  // namespace

Result<std::vector<FlowId>> flows_using(store::Snapshot& snapshot, const std::string& id,
                                        const TagFilter& tags, std::optional<FlowId> after,
                                        std::size_t limit) {
  std::vector<FlowId> flows;
  store::ScanSpec spec;
  spec.table = table::kObjectUses;
  spec.partition = {id};
  spec.limit = 1;
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(spec.table));
  const std::size_t position = schema->position(schema->find("flow_id")->id);
  while (flows.size() < limit) {
    // A flow may use an object many times: jump from flow to flow.
    if (after) spec.lower = store::RangeBound{.prefix = {*after}, .inclusive = false};
    std::optional<FlowId> next;
    REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
      next = FlowId{row[position].get<Uuid>()};
      return false;
    }));
    if (!next) break;
    after = next;
    if (!tags.empty()) {
      REEL_ASSIGN(const auto flow, load(snapshot, table::kFlows, {*next}));
      if (!flow || !tags.matches(flow->text("tags"))) continue;
    }
    flows.push_back(*next);
  }
  return flows;
}

Result<std::string> allocate_storage(const Context& context, const Caller& caller, FlowId flow,
                                     const json::Value& body) {
  Allocation allocation;
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(allocation, reserve(context, flow, body));
    return {};
  }));
  const json::Value* presigned = body.find("presigned");
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.key("media_objects");
  out.begin_array();
  for (const std::string& id : allocation.ids) {
    write_allocation(out, context, caller, id, allocation.storage, allocation.content_type,
                     presigned == nullptr || *presigned->as_bool());
  }
  out.end_array();
  out.end_object();
  return text;
}

Result<ObjectView> get_object(const Context& context, const Caller& caller, const std::string& id,
                              const ObjectQuery& query) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto object, load(*snapshot, table::kObjects, {id}));
  if (!object || !object->flag("registered")) return not_found("object '{}' does not exist", id);
  const store::Type uuid_type = store::Type::of(store::TypeKind::uuid);
  std::optional<FlowId> after;
  if (!query.page.key.empty()) {
    REEL_ASSIGN(const auto cells, read_page_key(query.page.key, {uuid_type}));
    if (cells[0].is_null()) return at("?page", invalid("page is not a key of this listing"));
    after = FlowId{cells[0].get<Uuid>()};
  }
  REEL_ASSIGN(auto flows, flows_using(*snapshot, id, query.flow_tags, after, query.page.limit + 1));
  ObjectView view;
  view.page.limit = query.page.limit;
  if (flows.size() > query.page.limit) {
    flows.pop_back();
    view.page.next_key = make_page_key({{uuid_type, Value(flows.back())}});
  }
  view.page.count = flows.size();

  json::Writer out(view.document);
  out.begin_object();
  out.field("id", std::string_view(id));
  out.key("referenced_by_flows");
  out.begin_array();
  for (const FlowId flow : flows) out.string(flow.to_string());
  out.end_array();
  if (!(*object)["flow_id"].is_null()) {
    out.field("first_referenced_by_flow", std::string_view(object->uuid("flow_id").to_string()));
  }
  REEL_TRY(write_object(out, context, caller, *snapshot, *object, query.urls));
  out.end_object();
  return view;
}

ObjectUpload::ObjectUpload(const Context& context, media::Backend& backend, std::string object_id,
                           std::string content_type, std::string key,
                           std::unique_ptr<media::Upload> upload)
    : context_(context),
      backend_(backend),
      object_id_(std::move(object_id)),
      content_type_(std::move(content_type)),
      key_(std::move(key)),
      upload_(std::move(upload)) {}

Status ObjectUpload::finish() {
  REEL_ASSIGN(const media::StoredBytes stored, upload_->finish());
  Status adopted = retry_on_conflict([&] { return adopt(stored); });
  // Only an upload that surely was not adopted may lose its bytes.
  if (!adopted && adopted.error().code() != Code::unknown_outcome) {
    (void)backend_.remove(key_);
    return adopted;
  }
  if (adopted) (void)remove_garbage(context_);
  return adopted;
}

Status ObjectUpload::adopt(const media::StoredBytes& stored) {
  REEL_ASSIGN(const auto snapshot, context_.store.snapshot());
  REEL_ASSIGN(const Record object, object_on(*snapshot, backend_.info().id, object_id_));
  REEL_TRY(check_replaceable(object));
  const std::string digest(reinterpret_cast<const char*>(stored.sha256.data()),
                           stored.sha256.size());
  store::Cells cells = {{"storage_key", key_},
                        {"size_bytes", static_cast<std::int64_t>(stored.size_bytes)},
                        {"sha256", store::Binary{digest}}};
  if (!content_type_.empty()) cells.emplace_back("content_type", content_type_);
  store::Batch batch;
  batch.require_cells(
      kObjects, {object_id_},
      {{"storage_key", object["storage_key"]}, {"registered", object["registered"]}});
  batch.update(kObjects, {object_id_}, std::move(cells));
  if (!object["size_bytes"].is_null()) {
    batch.upsert(std::string(table::kMediaGarbage), {object["storage_id"], object["storage_key"]},
                 {});
  }
  return context_.store.commit(std::move(batch));
}

Result<std::unique_ptr<ObjectUpload>> begin_object_upload(const Context& context, StorageId storage,
                                                          const std::string& object_id,
                                                          const std::string& content_type) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record object, object_on(*snapshot, storage, object_id));
  REEL_TRY(check_replaceable(object));
  media::Backend* backend = context.storage.find(storage);
  if (backend == nullptr) return not_found("storage backend {}", storage.to_string());
  // Each upload has a key of its own, so that bytes and checksum change together, in the commit.
  const std::string name = object_id + "#" + Uuid::random(context.random).to_string();
  std::string key = media::make_key(name, context.clock.now());
  REEL_ASSIGN(auto upload, backend->begin_upload(key));
  return std::make_unique<ObjectUpload>(context, *backend, object_id, content_type, std::move(key),
                                        std::move(upload));
}

Result<ObjectBytes> open_object(const Context& context, StorageId storage,
                                const std::string& object_id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record object, object_on(*snapshot, storage, object_id));
  media::Backend* backend = context.storage.find(storage);
  if (backend == nullptr || object["size_bytes"].is_null()) {
    return not_found("object '{}' has no content yet", object_id);
  }
  ObjectBytes bytes;
  REEL_ASSIGN(bytes.file, backend->open(object.text("storage_key")));
  bytes.content_type = object.text("content_type");
  const std::string& digest = object["sha256"].get<store::Binary>().bytes;
  bytes.sha256_hex = to_hex({reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size()});
  return bytes;
}

Status LocationCache::load(const std::vector<std::string>& object_ids) {
  static const std::vector<std::string> kColumns = {"storage_id", "external_urls"};
  std::vector<store::Key> keys;
  std::vector<std::optional<StoredLocation>*> places;
  for (const std::string& id : object_ids) {
    const auto [entry, is_new] = seen_.try_emplace(id);
    if (!is_new) continue;
    keys.push_back({id});
    places.push_back(&entry->second);
  }
  REEL_ASSIGN(const auto schema, snapshot_.catalog().table(table::kObjects));
  const std::size_t storage_id = schema->position(schema->find(kColumns[0])->id);
  const std::size_t external_urls = schema->position(schema->find(kColumns[1])->id);
  return snapshot_.get_each(table::kObjects, keys, kColumns,
                            [&](std::size_t index, const store::RowView& row) {
                              StoredLocation& place = places[index]->emplace();
                              if (const auto* id = row[storage_id].get_if<Uuid>())
                                place.storage_id = StorageId{*id};
                              if (const auto* urls = row[external_urls].get_if<std::string>())
                                place.external_urls = *urls;
                            });
}

Result<const StoredLocation*> LocationCache::find(const std::string& object_id) {
  auto known = seen_.find(object_id);
  if (known == seen_.end()) {
    REEL_TRY(load({object_id}));
    known = seen_.find(object_id);
  }
  return known->second ? &*known->second : nullptr;
}

Result<std::vector<Timestamp>> uses_in_flow(store::Snapshot& snapshot, const std::string& object_id,
                                            FlowId flow, bool reverse,
                                            std::optional<Timestamp> after) {
  store::ScanSpec spec;
  spec.table = table::kObjectUses;
  spec.partition = {object_id};
  spec.lower = store::RangeBound{.prefix = {flow}};
  spec.upper = store::RangeBound{.prefix = {flow}};
  if (after) {
    (reverse ? spec.upper : spec.lower) =
        store::RangeBound{.prefix = {flow, *after}, .inclusive = false};
  }
  spec.reverse = reverse;
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(spec.table));
  const std::size_t position = schema->position(schema->find("start_time")->id);
  std::vector<Timestamp> starts;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    starts.push_back(Timestamp::from_nanoseconds(row[position].get<store::Decimal>().unscaled));
    return true;
  }));
  return starts;
}

namespace {

constexpr std::size_t kCollectAtOnce = 500;

//! Adds what settles one candidate: it is erased with its bytes if nothing uses it at the commit.
Status settle_candidate(store::Snapshot& snapshot, store::Batch& batch, const std::string& id) {
  const std::string notes(table::kObjectsToCheck);
  REEL_ASSIGN(const auto note, load(snapshot, notes, {id}));
  if (!note) return {};
  // A use that goes meanwhile leaves a new note, and this batch must not erase that one.
  batch.require_cells(notes, {id}, {{"note", (*note)["note"]}});
  batch.erase(notes, {id});
  REEL_ASSIGN(const auto object, load(snapshot, table::kObjects, {id}));
  if (!object) return {};
  REEL_ASSIGN(const bool used, is_used(snapshot, id));
  if (used) return {};
  batch.require_empty(std::string(table::kObjectUses), {id});
  batch.require_cells(kObjects, {id}, {{"registered", true}});
  batch.erase(kObjects, {id});
  if (!(*object)["size_bytes"].is_null()) {
    batch.upsert(std::string(table::kMediaGarbage),
                 {(*object)["storage_id"], (*object)["storage_key"]}, {});
  }
  return {};
}

Status settle_candidates(const Context& context, const std::vector<std::string>& ids) {
  return retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    store::Batch batch;
    for (const std::string& id : ids) REEL_TRY(settle_candidate(*snapshot, batch, id));
    return context.store.commit(std::move(batch));
  });
}

Result<std::vector<std::string>> some_candidates(const Context& context) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto schema, snapshot->catalog().table(table::kObjectsToCheck));
  std::vector<std::string> ids;
  REEL_TRY(snapshot->scan_all(table::kObjectsToCheck, 0, 1, [&](const store::RowView& row) {
    ids.emplace_back(Record(schema, row.cells).text("id"));
    return ids.size() < kCollectAtOnce;
  }));
  return ids;
}

}  // namespace

void check_later(const Context& context, store::Batch& batch, const std::string& object_id) {
  batch.upsert(std::string(table::kObjectsToCheck), {object_id},
               {{"note", Uuid::random(context.random)}});
}

Status collect_unused(const Context& context) {
  while (true) {
    REEL_ASSIGN(const auto ids, some_candidates(context));
    if (ids.empty()) break;
    REEL_TRY(settle_candidates(context, ids));
  }
  return remove_garbage(context);
}

Status remove_garbage(const Context& context) {
  struct Garbage {
    StorageId storage;
    std::string key;
  };
  std::vector<Garbage> garbage;
  {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const auto schema, snapshot->catalog().table(table::kMediaGarbage));
    REEL_TRY(snapshot->scan_all(table::kMediaGarbage, 0, 1, [&](const store::RowView& row) {
      const Record record(schema, row.cells);
      garbage.push_back(
          {StorageId{record.uuid("storage_id")}, std::string(record.text("storage_key"))});
      return true;
    }));
  }
  if (garbage.empty()) return {};
  store::Batch batch;
  for (const Garbage& item : garbage) {
    media::Backend* backend = context.storage.find(item.storage);
    if (backend != nullptr) REEL_TRY(backend->remove(item.key));
    batch.erase(std::string(table::kMediaGarbage), {item.storage, item.key});
  }
  return context.store.commit(std::move(batch));
}

}  // namespace reel::tams
