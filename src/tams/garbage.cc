#include "tams/garbage.h"

#include <algorithm>

#include "tams/changes.h"
#include "tams/edit.h"
#include "tams/instances.h"
#include "tams/objects.h"
#include "tams/record.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

//! Rows per transaction: bounds the time that other writers wait.
constexpr std::size_t kCollectAtOnce = 15;
//! For a client that registers in the last moment, and whose clock differs from ours.
constexpr std::int64_t kGraceSeconds = 300;

const std::string kObjects(table::kObjects);
const std::string kMediaGarbage(table::kMediaGarbage);
const std::string kNotes(table::kObjectsToCheck);
const std::string kAllocations(table::kAllocations);

//! Erases an object that is still as it was read, and notes its bytes.
void erase_object(store::Batch& batch, const Record& object) {
  const std::string id(object.text("id"));
  batch.require_cells(kObjects, {id},
                      {{"registered", object["registered"]},
                       {"allocated", object["allocated"]},
                       {"instances", object["instances"]}});
  batch.erase(kObjects, {id});
  for (const Instance& instance : instances_in(object["instances"])) {
    if (instance.storage_id) note_garbage(batch, *instance.storage_id, instance.storage_key);
  }
}

//! Commits what the next call would do again. But bytes go for good: nothing that they belong to
//! may come back once their note was seen.
Status commit_collected(const Context& context, store::Batch batch) {
  const bool notes_bytes = std::ranges::any_of(
      batch.mutations, [](const auto& mutation) { return mutation.table == kMediaGarbage; });
  if (!notes_bytes) batch.durability = store::Durability::with_the_next;
  return commit_removal(context, std::move(batch));
}

//! Adds what settles one candidate: it is erased with its bytes if nothing uses it at the commit.
Status settle_candidate(store::Snapshot& snapshot, store::Batch& batch, const std::string& id) {
  REEL_ASSIGN(const auto note, load(snapshot, kNotes, {id}));
  if (!note) return {};
  // A use that goes meanwhile leaves a new note, and this batch must not erase that one.
  batch.require_cells(kNotes, {id}, {{"note", (*note)["note"]}});
  batch.erase(kNotes, {id});
  REEL_ASSIGN(const auto object, load(snapshot, table::kObjects, {id}));
  if (!object || !object->flag("registered")) return {};
  REEL_ASSIGN(const bool used, is_used(snapshot, id));
  if (used) return {};
  batch.require_empty(std::string(table::kObjectUses), {id});
  erase_object(batch, *object);
  return {};
}

Status settle_candidates(const Context& context, const std::vector<std::string>& ids) {
  return retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    store::Batch batch;
    for (const std::string& id : ids) REEL_TRY(settle_candidate(*snapshot, batch, id));
    ChangeNotes(context, {}, batch).objects_settled(ids);
    return commit_collected(context, std::move(batch));
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

//! The oldest allocation, if its time is over.
Result<std::optional<Record>> expired_allocation(const Context& context,
                                                 store::Snapshot& snapshot) {
  const std::int64_t seconds = context.limits.min_object_timeout_s + kGraceSeconds;
  const Instant latest{context.clock.now().micros - seconds * 1'000'000};
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kAllocations));
  std::optional<Record> found;
  store::ScanSpec spec;
  spec.table = table::kAllocations;
  spec.index = "by_allocated";
  spec.upper = store::RangeBound{.prefix = {latest}};
  spec.limit = 1;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    found.emplace(schema, row.cells);
    return false;
  }));
  return found;
}

//! Settles one allocation; false when none has expired. An object that is registered meanwhile
//! fails the batch, and the next attempt leaves it alone.
Result<bool> settle_allocation(const Context& context) {
  return retry_on_conflict([&]() -> Result<bool> {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const auto allocation, expired_allocation(context, *snapshot));
    if (!allocation) return false;
    store::Batch batch;
    for (const store::Value& id : (*allocation)["object_ids"].get<store::ValueList>()) {
      REEL_ASSIGN(const auto object, load(*snapshot, table::kObjects, {id}));
      if (!object || object->flag("registered")) continue;
      // The id may have been allocated anew since.
      if ((*object)["allocated"] != (*allocation)["allocated"]) continue;
      erase_object(batch, *object);
    }
    batch.erase(kAllocations, {(*allocation)["id"]});
    REEL_TRY(commit_collected(context, std::move(batch)));
    return true;
  });
}

//! Keys of garbage on one backend, from `after` on.
Result<std::vector<std::string>> garbage_on(store::Snapshot& snapshot, StorageId storage,
                                            const std::string& after) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table::kMediaGarbage));
  std::vector<std::string> keys;
  store::ScanSpec spec;
  spec.table = table::kMediaGarbage;
  spec.partition = {storage};
  spec.lower = store::RangeBound{.prefix = {after}, .inclusive = false};
  spec.limit = kCollectAtOnce;
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    keys.emplace_back(Record(schema, row.cells).text("storage_key"));
    return true;
  }));
  return keys;
}

//! Removes the bytes, unless somebody writes or has adopted them. A writer claims its key before
//! it notes it as garbage, and takes the note away in the commit that adopts the bytes. So a key
//! that was noted, then is not claimed, and then is still noted, will not be adopted any more.
Status remove_bytes(const Context& context, media::Backend& backend,
                    const std::vector<std::string>& keys) {
  const StorageId storage = backend.info().id;
  const auto claimed = context.transfers->keys();
  store::Batch batch;
  {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    for (const std::string& key : keys) {
      if (claimed.contains(key)) continue;
      REEL_ASSIGN(const auto note, load(*snapshot, kMediaGarbage, {storage, key}));
      if (note) batch.erase(kMediaGarbage, {storage, key});
    }
  }
  if (batch.mutations.empty()) return {};
  for (const store::Mutation& erased : batch.mutations) {
    REEL_ASSIGN(const std::uint64_t freed, backend.remove(erased.key[1].get<std::string>()));
    context.removed->bytes.add(freed);
    if (freed > 0) context.removed->files.add();
  }
  batch.durability = store::Durability::with_the_next;
  return context.store.commit(std::move(batch));
}

}  // namespace

void check_later(const Context& context, store::Batch& batch, const std::string& object_id) {
  batch.upsert(kNotes, {object_id}, {{"note", Uuid::random(context.random)}});
}

void check_after_timeout(const Context& context, store::Batch& batch, Instant allocated,
                         const std::vector<std::string>& object_ids) {
  for (std::size_t from = 0; from < object_ids.size(); from += kCollectAtOnce) {
    const std::size_t to = std::min(object_ids.size(), from + kCollectAtOnce);
    store::ValueList ids;
    for (std::size_t i = from; i < to; ++i) ids.emplace_back(object_ids[i]);
    batch.insert(kAllocations, {Uuid::random(context.random)},
                 {{"allocated", allocated}, {"object_ids", std::move(ids)}});
  }
}

void note_garbage(store::Batch& batch, StorageId storage, const std::string& key) {
  batch.upsert(kMediaGarbage, {storage, key}, {});
}

Status commit_removal(const Context& context, store::Batch batch) {
  std::uint64_t segments = 0;
  std::uint64_t objects = 0;
  for (const store::Mutation& mutation : batch.mutations) {
    if (mutation.kind != store::Mutation::Kind::erase) continue;
    segments += mutation.table == table::kSegments ? 1U : 0U;
    objects += mutation.table == table::kObjects ? 1U : 0U;
  }
  REEL_TRY(context.store.commit(std::move(batch)));
  context.removed->segments.add(segments);
  context.removed->objects.add(objects);
  return {};
}

Status collect_unused(const Context& context) {
  if (context.is_draft) return {};
  while (true) {
    REEL_ASSIGN(const auto ids, some_candidates(context));
    if (ids.empty()) break;
    REEL_TRY(settle_candidates(context, ids));
  }
  return remove_garbage(context);
}

Status collect_unregistered(const Context& context) {
  while (true) {
    REEL_ASSIGN(const bool settled, settle_allocation(context));
    if (!settled) break;
  }
  return remove_garbage(context);
}

Status remove_garbage(const Context& context) {
  if (context.is_draft) return {};
  for (const auto& [storage, backend] : context.storage.backends) {
    std::string after;
    while (true) {
      std::vector<std::string> keys;
      {
        REEL_ASSIGN(const auto snapshot, context.store.snapshot());
        REEL_ASSIGN(keys, garbage_on(*snapshot, storage, after));
      }
      if (keys.empty()) break;
      REEL_TRY(remove_bytes(context, *backend, keys));
      after = keys.back();
    }
  }
  return {};
}

}  // namespace reel::tams
