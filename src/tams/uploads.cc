#include "tams/uploads.h"

#include <cstring>

#include "tams/changes.h"
#include "tams/edit.h"
#include "tams/garbage.h"
#include "tams/instances.h"
#include "tams/record.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

const std::string kObjects(table::kObjects);

//! An object, and where one of its instances lies.
struct Located {
  Record object;
  std::string key;
};

//! Code::not_found when the object has no instance on that backend.
Result<Located> locate(const Context& context, StorageId storage, const std::string& id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(auto object, load(*snapshot, table::kObjects, {id}));
  const auto instances = object ? instances_in((*object)["instances"]) : std::vector<Instance>();
  const Instance* const instance = instance_on(instances, storage);
  if (instance == nullptr || instance->copying) {
    return not_found("object '{}' is not on storage backend {}", id, storage.to_string());
  }
  return Located{std::move(*object), instance->storage_key};
}

//! Bytes may be replaced until a segment uses them.
Status check_replaceable(const Record& object) {
  if (!object.flag("registered") || object["size_bytes"].is_null()) return {};
  return forbidden("object '{}' is in use and cannot be replaced", object.text("id"));
}

//! The first upload of an object goes where its row says; every other one gets a key of its own, so
//! that bytes and checksum change together, in the commit.
Result<UploadPlace> upload_place(const Context& context, StorageId storage, const std::string& id) {
  REEL_ASSIGN(const Located before, locate(context, storage, id));
  REEL_TRY(check_replaceable(before.object));
  if (before.object["size_bytes"].is_null()) {
    if (auto claim = context.transfers->claim(before.key)) {
      // Another upload may have ended between the look and the claim.
      REEL_ASSIGN(const Located now, locate(context, storage, id));
      if (now.key == before.key && now.object["size_bytes"].is_null()) {
        return UploadPlace{.is_reserved = true, .claim = *std::move(claim)};
      }
    }
  }
  auto claim = context.transfers->claim(new_storage_key(context, id));
  REEL_CHECK(claim.has_value());
  return UploadPlace{.is_reserved = false, .claim = *std::move(claim)};
}

}  // namespace

ObjectUpload::ObjectUpload(const Context& context, media::Backend& backend, std::string object_id,
                           std::string content_type, UploadPlace place,
                           std::unique_ptr<media::Upload> upload)
    : context_(context),
      backend_(backend),
      object_id_(std::move(object_id)),
      content_type_(std::move(content_type)),
      upload_(std::move(upload)),
      place_(std::move(place)) {}

Status ObjectUpload::finish() {
  if (!place_.is_reserved) {
    store::Batch batch;
    note_garbage(batch, backend_.info().id, place_.claim.key());
    REEL_TRY(context_.store.commit(std::move(batch)));
  }
  REEL_ASSIGN(const media::StoredBytes stored, upload_->finish());
  if (expected_ && *expected_ != stored.sha256) {
    return invalid("the {} bytes that arrived do not have the digest that was sent with them",
                   stored.size_bytes);
  }
  REEL_TRY(retry_on_conflict([&] { return adopt(stored); }));
  if (!place_.is_reserved) (void)remove_garbage(context_);
  return {};
}

Status ObjectUpload::adopt(const media::StoredBytes& stored) {
  const StorageId storage = backend_.info().id;
  const std::string& key = place_.claim.key();
  REEL_ASSIGN(const Located located, locate(context_, storage, object_id_));
  const Record& object = located.object;
  REEL_TRY(check_replaceable(object));
  const std::string digest(reinterpret_cast<const char*>(stored.sha256.data()),
                           stored.sha256.size());
  store::Cells cells = {{"size_bytes", static_cast<std::int64_t>(stored.size_bytes)},
                        {"sha256", store::Binary{digest}}};
  if (!content_type_.empty()) cells.emplace_back("content_type", content_type_);
  store::Batch batch;
  batch.require_cells(kObjects, {object_id_},
                      {{"instances", object["instances"]},
                       {"registered", object["registered"]},
                       {"size_bytes", object["size_bytes"]}});
  if (located.key != key) {
    auto instances = instances_in(object["instances"]);
    for (Instance& instance : instances) {
      if (instance.storage_id == storage) instance.storage_key = key;
    }
    cells.emplace_back("instances", instances_cell(instances));
    note_garbage(batch, storage, located.key);
    batch.erase(std::string(table::kMediaGarbage), {storage, key});
  }
  batch.update(kObjects, {object_id_}, std::move(cells));
  if (object.flag("registered")) ChangeNotes(context_, {}, batch).object_stored(object_id_);
  return context_.store.commit(std::move(batch));
}

Result<std::unique_ptr<ObjectUpload>> begin_object_upload(const Context& context, StorageId storage,
                                                          const std::string& object_id,
                                                          const std::string& content_type) {
  media::Backend* const backend = context.storage.find(storage);
  if (backend == nullptr) return not_found("storage backend {}", storage.to_string());
  REEL_ASSIGN(UploadPlace place, upload_place(context, storage, object_id));
  REEL_ASSIGN(auto upload, backend->begin_upload(place.claim.key()));
  return std::make_unique<ObjectUpload>(context, *backend, object_id, content_type,
                                        std::move(place), std::move(upload));
}

Result<ObjectBytes> open_object(const Context& context, StorageId storage,
                                const std::string& object_id) {
  REEL_ASSIGN(const Located located, locate(context, storage, object_id));
  media::Backend* const backend = context.storage.find(storage);
  if (backend == nullptr || located.object["size_bytes"].is_null()) {
    return not_found("object '{}' has no content yet", object_id);
  }
  ObjectBytes bytes;
  REEL_ASSIGN(bytes.file, backend->open(located.key));
  bytes.content_type = located.object.text("content_type");
  const std::string& digest = located.object["sha256"].get<store::Binary>().bytes;
  if (digest.size() != bytes.sha256.size()) return corrupt("the digest of '{}'", object_id);
  std::memcpy(bytes.sha256.data(), digest.data(), digest.size());
  return bytes;
}

}  // namespace reel::tams
