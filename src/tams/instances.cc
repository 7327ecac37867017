#include "tams/instances.h"

#include <algorithm>

#include "tams/edit.h"
#include "tams/garbage.h"
#include "tams/record.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using store::Value;

const std::string kObjects(table::kObjects);
const std::string kObjectCopies(table::kObjectCopies);

Result<Record> registered_object(store::Snapshot& snapshot, const std::string& id) {
  REEL_ASSIGN(auto object, load(snapshot, table::kObjects, {id}));
  if (!object || !object->flag("registered")) return not_found("object '{}' does not exist", id);
  return std::move(*object);
}

std::string_view label_of(const Context& context, const Instance& instance) {
  if (!instance.storage_id) return instance.label;
  const media::Backend* backend = context.storage.find(*instance.storage_id);
  return backend == nullptr ? std::string_view() : std::string_view(backend->info().label);
}

//! Whether a copy can be made from it.
bool is_source(const Context& context, const Instance& instance) {
  return instance.storage_id && is_advertised(context, instance);
}

//! The batch that changes the instances of an object, provided that they are still as they were.
store::Batch change_instances(const Record& object, const std::vector<Instance>& instances) {
  const std::string id(object.text("id"));
  store::Batch batch;
  batch.require_cells(kObjects, {id}, {{"instances", object["instances"]}, {"registered", true}});
  batch.update(kObjects, {id}, {{"instances", instances_cell(instances)}});
  return batch;
}

Status check_room(const Context& context, const std::vector<Instance>& instances) {
  if (instances.size() < context.limits.instances_max) return {};
  return invalid("the object has {} instances, which is the limit", instances.size());
}

Status add_copy(const Context& context, const std::string& id, StorageId storage) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record object, registered_object(*snapshot, id));
  if (context.storage.find(storage) == nullptr) {
    return at("/storage_id", invalid("storage backend {} does not exist", storage.to_string()));
  }
  auto instances = instances_in(object["instances"]);
  if (const Instance* there = instance_on(instances, storage)) {
    return at("/storage_id", invalid("the object {} storage backend {} already",
                                     there->copying ? "is being copied to" : "has an instance on",
                                     storage.to_string()));
  }
  // A URL that a client told us is not fetched: it may lead anywhere, also into our own network.
  const bool has_source = std::any_of(instances.begin(), instances.end(),
                                      [&](const Instance& one) { return is_source(context, one); });
  if (!has_source || object["size_bytes"].is_null()) {
    return at("/storage_id", invalid("there is nothing to copy: none of this service's storage "
                                     "backends holds the bytes of the object"));
  }
  REEL_TRY(check_room(context, instances));
  const std::string key = new_storage_key(context, id);
  instances.push_back(
      {.storage_id = storage, .storage_key = key, .copying = true, .url = {}, .label = {}});
  store::Batch batch = change_instances(object, instances);
  batch.upsert(kObjectCopies, {id, storage}, {{"storage_key", key}});
  return context.store.commit(std::move(batch));
}

Status add_url(const Context& context, const std::string& id, const json::Value& body) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record object, registered_object(*snapshot, id));
  const std::string& label = *body.find("label")->as_string();
  REEL_TRY(check_new_label(context, label));
  auto instances = instances_in(object["instances"]);
  for (const Instance& instance : instances) {
    if (!instance.storage_id && instance.label == label) {
      return at("/label", invalid("the object has an instance '{}' already", label));
    }
  }
  REEL_TRY(check_room(context, instances));
  instances.push_back({.storage_id = {},
                       .storage_key = {},
                       .copying = false,
                       .url = *body.find("url")->as_string(),
                       .label = label});
  return context.store.commit(change_instances(object, instances));
}

//! What the object would be left with must still be an object, and a copy under way needs its
//! source.
Status check_removable(const Context& context, const std::vector<Instance>& rest) {
  const auto none = [&](auto matches) { return std::none_of(rest.begin(), rest.end(), matches); };
  if (none([&](const Instance& instance) { return is_advertised(context, instance); })) {
    return invalid("the last instance cannot be removed; remove the segments instead");
  }
  const bool nothing_copied = none([](const Instance& instance) { return instance.copying; });
  if (!nothing_copied && none([&](const Instance& one) { return is_source(context, one); })) {
    return invalid("the object is being copied from this instance");
  }
  return {};
}

//! A copy that somebody asked for.
struct Copy {
  std::string object_id;
  StorageId storage;
  std::string key;
};

Result<std::vector<Copy>> pending_copies(const Context& context) {
  constexpr std::size_t kCopiesAtOnce = 1000;
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto schema, snapshot->catalog().table(table::kObjectCopies));
  std::vector<Copy> copies;
  REEL_TRY(snapshot->scan_all(table::kObjectCopies, 0, 1, [&](const store::RowView& row) {
    const Record record(schema, row.cells);
    copies.push_back({std::string(record.text("object_id")), StorageId{record.uuid("storage_id")},
                      std::string(record.text("storage_key"))});
    return copies.size() < kCopiesAtOnce;
  }));
  return copies;
}

//! Copies from one instance; the bytes must be those that were uploaded.
Status copy_from(const Context& context, const Record& object, const Instance& source,
                 const Copy& copy, const std::stop_token& stop) {
  media::Backend* from = context.storage.find(*source.storage_id);
  media::Backend* to = context.storage.find(copy.storage);
  if (from == nullptr || to == nullptr) return not_found("a storage backend of the copy");
  REEL_ASSIGN(const media::OpenObject file, from->open(source.storage_key));
  REEL_ASSIGN(const media::StoredBytes stored, media::copy_object(file, *to, copy.key, stop));
  const std::string_view digest(reinterpret_cast<const char*>(stored.sha256.data()),
                                stored.sha256.size());
  if (object["sha256"] == Value(store::Binary{std::string(digest)})) return {};
  return corrupt("the bytes of object '{}' on storage backend {} have changed", copy.object_id,
                 from->info().label);
}

Status copy_bytes(const Context& context, const Record& object, const Copy& copy,
                  const std::stop_token& stop) {
  Status outcome = not_found("an instance of object '{}' to copy from", copy.object_id);
  for (const Instance& source : instances_in(object["instances"])) {
    if (!is_source(context, source)) continue;
    outcome = copy_from(context, object, source, copy, stop);
    if (outcome || stop.stop_requested()) break;
  }
  return outcome;
}

//! The object, as long as it waits for this copy.
Result<std::optional<Record>> waiting_object(const Context& context, const Copy& copy) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(auto object, load(*snapshot, table::kObjects, {copy.object_id}));
  if (!object) return std::nullopt;
  const auto instances = instances_in((*object)["instances"]);
  const Instance* place = instance_on(instances, copy.storage);
  const bool waits = place != nullptr && place->copying && place->storage_key == copy.key;
  return waits ? std::move(object) : std::nullopt;
}

//! Whether it still is on the list, and not another one to the same backend.
Result<bool> is_asked_for(const Context& context, const Copy& copy) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto row, load(*snapshot, kObjectCopies, {copy.object_id, copy.storage}));
  return row && row->text("storage_key") == copy.key;
}

//! Tells everybody of a copy that is complete. Nothing to tell when the instance, or the object,
//! was removed meanwhile: whoever did that noted the bytes as garbage.
Status publish_copy(const Context& context, const Copy& copy) {
  return retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const bool asked, is_asked_for(context, copy));
    if (!asked) return {};
    REEL_ASSIGN(const auto object, waiting_object(context, copy));
    store::Batch batch;
    if (object) {
      auto instances = instances_in((*object)["instances"]);
      for (Instance& instance : instances) {
        if (instance.storage_id == copy.storage) instance.copying = false;
      }
      batch = change_instances(*object, instances);
    }
    batch.erase(kObjectCopies, {copy.object_id, copy.storage});
    batch.require_cells(kObjectCopies, {copy.object_id, copy.storage}, {{"storage_key", copy.key}});
    return context.store.commit(std::move(batch));
  });
}

Status make_copy(const Context& context, const Copy& copy, const std::stop_token& stop) {
  const auto claim = context.transfers->claim(copy.key);
  REEL_ASSIGN(const auto object, waiting_object(context, copy));
  if (object) REEL_TRY(copy_bytes(context, *object, copy, stop));
  return publish_copy(context, copy);
}

}  // namespace

store::Type instances_type() {
  using store::Type;
  using store::TypeKind;
  return Type::list(Type::structure({{.name = "storage_id", .type = Type::of(TypeKind::uuid)},
                                     {.name = "storage_key", .type = Type::of(TypeKind::string)},
                                     {.name = "copying", .type = Type::of(TypeKind::boolean)},
                                     {.name = "url", .type = Type::of(TypeKind::string)},
                                     {.name = "label", .type = Type::of(TypeKind::string)}}));
}

std::vector<Instance> instances_in(const Value& cell) {
  std::vector<Instance> instances;
  const auto* list = cell.get_if<store::ValueList>();
  if (list == nullptr) return instances;
  const auto text = [](const Value& value) {
    const auto* found = value.get_if<std::string>();
    return found == nullptr ? std::string() : *found;
  };
  instances.reserve(list->size());
  for (const Value& item : *list) {
    const auto& members = item.get<store::ValueList>();
    Instance& instance = instances.emplace_back();
    if (const auto* id = members[0].get_if<Uuid>()) instance.storage_id = StorageId{*id};
    instance.storage_key = text(members[1]);
    instance.copying = members[2] == Value(true);
    instance.url = text(members[3]);
    instance.label = text(members[4]);
  }
  return instances;
}

Value instances_cell(const std::vector<Instance>& instances) {
  store::ValueList list;
  for (const Instance& instance : instances) {
    store::ValueList members(5);
    if (instance.storage_id) {
      members[0] = Value(*instance.storage_id);
      members[1] = Value(instance.storage_key);
      if (instance.copying) members[2] = Value(true);
    } else {
      members[3] = Value(instance.url);
      members[4] = Value(instance.label);
    }
    list.emplace_back(std::move(members));
  }
  return list;
}

std::vector<Instance> uncontrolled_instances(const json::Value& urls) {
  std::vector<Instance> instances;
  for (const json::Value& url : *urls.as_array()) {
    instances.push_back({.storage_id = {},
                         .storage_key = {},
                         .copying = false,
                         .url = *url.find("url")->as_string(),
                         .label = *url.find("label")->as_string()});
  }
  return instances;
}

const Instance* instance_on(const std::vector<Instance>& instances, StorageId storage) {
  const auto found = std::find_if(instances.begin(), instances.end(),
                                  [&](const Instance& one) { return one.storage_id == storage; });
  return found == instances.end() ? nullptr : &*found;
}

bool is_advertised(const Context& context, const Instance& instance) {
  if (!instance.storage_id) return true;
  return !instance.copying && context.storage.find(*instance.storage_id) != nullptr;
}

Status check_new_label(const Context& context, std::string_view label) {
  for (const auto& [id, backend] : context.storage.backends) {
    if (backend->info().label == label) {
      return at("/label", invalid("the label '{}' belongs to a storage backend", label));
    }
  }
  return {};
}

std::string new_storage_key(const Context& context, std::string_view object_id) {
  const std::string name =
      fmt::format("{}#{}", object_id, Uuid::random(context.random).to_string());
  return media::make_key(name, context.clock.now());
}

Status add_instance(const Context& context, const std::string& object_id, const json::Value& body) {
  const json::Value* storage = body.find("storage_id");
  REEL_TRY(retry_on_conflict([&] {
    return storage == nullptr
               ? add_url(context, object_id, body)
               : add_copy(context, object_id, *StorageId::parse(*storage->as_string()));
  }));
  if (storage != nullptr) context.copies->notify();
  return {};
}

Status remove_instance(const Context& context, const std::string& object_id,
                       const InstanceName& name) {
  const auto is_named = [&](const Instance& instance) {
    if (const auto* storage = std::get_if<StorageId>(&name)) return instance.storage_id == *storage;
    return label_of(context, instance) == std::get<std::string>(name);
  };
  REEL_TRY(retry_on_conflict([&]() -> Status {
    REEL_ASSIGN(const auto snapshot, context.store.snapshot());
    REEL_ASSIGN(const Record object, registered_object(*snapshot, object_id));
    auto instances = instances_in(object["instances"]);
    const auto found = std::find_if(instances.begin(), instances.end(), is_named);
    if (found == instances.end()) {
      return not_found("object '{}' has no such instance", object_id);
    }
    const Instance removed = std::move(*found);
    instances.erase(found);
    if (!removed.copying) REEL_TRY(check_removable(context, instances));
    store::Batch batch = change_instances(object, instances);
    if (removed.storage_id) note_garbage(batch, *removed.storage_id, removed.storage_key);
    return context.store.commit(std::move(batch));
  }));
  return remove_garbage(context);
}

Status make_copies(const Context& context, const std::stop_token& stop) {
  Status outcome;
  REEL_ASSIGN(const auto copies, pending_copies(context));
  for (const Copy& copy : copies) {
    if (stop.stop_requested()) break;
    Status made = make_copy(context, copy, stop);
    if (!made && outcome && made.error().code() != Code::cancelled) outcome = std::move(made);
  }
  return outcome;
}

Status InstanceCache::load(const std::vector<std::string>& object_ids) {
  static const std::vector<std::string> kColumns = {"instances"};
  std::vector<store::Key> keys;
  std::vector<std::optional<std::vector<Instance>>*> places;
  for (const std::string& id : object_ids) {
    const auto [entry, is_new] = seen_.try_emplace(id);
    if (!is_new) continue;
    keys.push_back({id});
    places.push_back(&entry->second);
  }
  REEL_ASSIGN(const auto schema, snapshot_.catalog().table(table::kObjects));
  const std::size_t position = schema->position(kColumns[0]);
  return snapshot_.get_each(table::kObjects, keys, kColumns,
                            [&](std::size_t index, const store::RowView& row) {
                              *places[index] = instances_in(row[position]);
                            });
}

Result<const std::vector<Instance>*> InstanceCache::find(const std::string& object_id) {
  auto known = seen_.find(object_id);
  if (known == seen_.end()) {
    REEL_TRY(load({object_id}));
    known = seen_.find(object_id);
  }
  return known->second ? &*known->second : nullptr;
}

}  // namespace reel::tams
