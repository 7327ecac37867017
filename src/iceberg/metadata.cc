#include "iceberg/metadata.h"

#include <algorithm>

namespace reel::iceberg {
namespace {

constexpr int kDepthMax = 96;  // schemas nest, and so do unknown members

template <class T, class Id>
const T* find_by_id(const std::vector<T>& items, Id id) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.id == id; });
  return found == items.end() ? nullptr : &*found;
}

// ---- writing ----

json::Value to_json(const Properties& properties) {
  json::Object out;
  for (const auto& [key, value] : properties) out.push_back({key, value});
  return json::Value(std::move(out));
}

json::Value to_json(const Snapshot& snapshot) {
  json::Value out;
  out.set("snapshot-id", snapshot.id);
  if (snapshot.parent_id) out.set("parent-snapshot-id", *snapshot.parent_id);
  out.set("sequence-number", snapshot.sequence_number);
  out.set("timestamp-ms", snapshot.timestamp_ms);
  out.set("manifest-list", snapshot.manifest_list);
  out.set("summary", to_json(snapshot.summary));
  if (snapshot.schema_id) out.set("schema-id", std::int64_t{*snapshot.schema_id});
  return out;
}

json::Value to_json(const Reference& reference) {
  json::Value out;
  out.set("snapshot-id", reference.snapshot_id);
  out.set("type", reference.is_branch ? "branch" : "tag");
  if (reference.snapshots_min) out.set("min-snapshots-to-keep", *reference.snapshots_min);
  if (reference.snapshot_age_ms_max) out.set("max-snapshot-age-ms", *reference.snapshot_age_ms_max);
  if (reference.reference_age_ms_max) out.set("max-ref-age-ms", *reference.reference_age_ms_max);
  return out;
}

template <class T>
json::Value array_of(const std::vector<T>& items) {
  json::Array out;
  for (const T& item : items) out.push_back(to_json(item));
  return json::Value(std::move(out));
}

json::Value snapshot_log_json(const TableMetadata& table) {
  json::Array out;
  for (const auto& entry : table.snapshot_log) {
    json::Value item;
    item.set("timestamp-ms", entry.timestamp_ms);
    item.set("snapshot-id", entry.snapshot_id);
    out.push_back(std::move(item));
  }
  return json::Value(std::move(out));
}

json::Value metadata_log_json(const TableMetadata& table) {
  json::Array out;
  for (const auto& entry : table.metadata_log) {
    json::Value item;
    item.set("timestamp-ms", entry.timestamp_ms);
    item.set("metadata-file", entry.location);
    out.push_back(std::move(item));
  }
  return json::Value(std::move(out));
}

json::Value references_json(const TableMetadata& table) {
  json::Object out;
  for (const auto& [name, reference] : table.references) out.push_back({name, to_json(reference)});
  return json::Value(std::move(out));
}

// ---- reading ----

//! One object of the document. Errors are Code::corrupt: a metadata file is not the caller's input.
class Part {
 public:
  Part(const json::Value& json, std::string pointer) : json_(json), pointer_(std::move(pointer)) {}

  Failure wrong(std::string_view member, std::string_view what) const {
    return at(json::join_pointer(pointer_, member), corrupt("table metadata: {} {}", member, what));
  }

  const json::Value* find(std::string_view member) const {
    const json::Value* found = json_.find(member);
    return found != nullptr && found->is_null() ? nullptr : found;
  }

  Result<std::string> text(std::string_view member) const {
    const json::Value* given = find(member);
    if (given == nullptr || given->as_string() == nullptr) return wrong(member, "is no text");
    return *given->as_string();
  }

  Result<std::optional<std::int64_t>> optional_integer(std::string_view member) const {
    const json::Value* given = find(member);
    std::int64_t number = 0;
    if (given == nullptr) return std::nullopt;
    if (!given->get_int64(number)) return wrong(member, "is no integer");
    return number;
  }

  Result<std::int64_t> integer(std::string_view member) const {
    REEL_ASSIGN(const auto number, optional_integer(member));
    if (!number) return wrong(member, "is missing");
    return *number;
  }

  Result<std::int32_t> small_integer(std::string_view member) const {
    REEL_ASSIGN(const std::int64_t number, integer(member));
    if (number < INT32_MIN || number > INT32_MAX) return wrong(member, "does not fit 32 bits");
    return static_cast<std::int32_t>(number);
  }

  Result<Properties> properties(std::string_view member) const {
    Properties out;
    const json::Value* given = find(member);
    if (given == nullptr) return out;
    if (given->as_object() == nullptr) return wrong(member, "is no object");
    for (const auto& [key, value] : *given->as_object()) {
      if (value.as_string() == nullptr) return wrong(member, "has a value that is no text");
      out[key] = *value.as_string();
    }
    return out;
  }

  //! Calls `read` with each item of a list and its place; a list that is not there is empty.
  template <class Read>
  Status each(std::string_view member, Read&& read) const {
    const json::Value* given = find(member);
    if (given == nullptr) return {};
    if (given->as_array() == nullptr) return wrong(member, "is no list");
    const std::string place = json::join_pointer(pointer_, member);
    for (std::size_t i = 0; i < given->as_array()->size(); ++i) {
      REEL_TRY(read((*given->as_array())[i], json::join_pointer(place, i)));
    }
    return {};
  }

  const json::Value& json() const { return json_; }
  const std::string& pointer() const { return pointer_; }

 private:
  const json::Value& json_;
  std::string pointer_;
};

//! What the parsers of schemas and specs call invalid input is a corrupt file here.
template <class T>
Result<T> as_stored(Result<T> result) {
  if (result || result.error().code() != Code::invalid) return result;
  const Error& error = result.error();
  return at(error.pointer(), corrupt("table metadata: {}", error.message()));
}

Result<Snapshot> read_snapshot(const Part& part) {
  Snapshot snapshot;
  REEL_ASSIGN(snapshot.id, part.integer("snapshot-id"));
  REEL_ASSIGN(snapshot.parent_id, part.optional_integer("parent-snapshot-id"));
  REEL_ASSIGN(const auto sequence_number, part.optional_integer("sequence-number"));
  snapshot.sequence_number = sequence_number.value_or(0);
  REEL_ASSIGN(snapshot.timestamp_ms, part.integer("timestamp-ms"));
  REEL_ASSIGN(snapshot.manifest_list, part.text("manifest-list"));
  REEL_ASSIGN(snapshot.summary, part.properties("summary"));
  if (part.find("schema-id") != nullptr) {
    REEL_ASSIGN(snapshot.schema_id, part.small_integer("schema-id"));
  }
  return snapshot;
}

Result<Reference> read_reference(const Part& part) {
  Reference reference;
  REEL_ASSIGN(reference.snapshot_id, part.integer("snapshot-id"));
  REEL_ASSIGN(const std::string type, part.text("type"));
  if (type != "branch" && type != "tag") return part.wrong("type", "is neither branch nor tag");
  reference.is_branch = type == "branch";
  REEL_ASSIGN(reference.snapshots_min, part.optional_integer("min-snapshots-to-keep"));
  REEL_ASSIGN(reference.snapshot_age_ms_max, part.optional_integer("max-snapshot-age-ms"));
  REEL_ASSIGN(reference.reference_age_ms_max, part.optional_integer("max-ref-age-ms"));
  return reference;
}

Status read_identity(const Part& part, TableMetadata& table) {
  REEL_ASSIGN(const std::int64_t version, part.integer("format-version"));
  if (version != 2) return unsupported("a table of Iceberg format version {}, not 2", version);
  REEL_ASSIGN(table.uuid, part.text("table-uuid"));
  REEL_ASSIGN(table.location, part.text("location"));
  while (table.location.size() > 1 && table.location.ends_with('/')) table.location.pop_back();
  REEL_ASSIGN(table.last_sequence_number, part.integer("last-sequence-number"));
  REEL_ASSIGN(table.last_updated_ms, part.integer("last-updated-ms"));
  REEL_ASSIGN(table.last_column_id, part.small_integer("last-column-id"));
  REEL_ASSIGN(table.properties, part.properties("properties"));
  return {};
}

Status read_shape(const Part& part, TableMetadata& table) {
  REEL_TRY(part.each("schemas", [&](const json::Value& item, const std::string& place) -> Status {
    REEL_ASSIGN(Schema schema, as_stored(schema_from_json(item, place)));
    table.schemas.push_back(std::move(schema));
    return {};
  }));
  REEL_ASSIGN(table.current_schema_id, part.small_integer("current-schema-id"));
  if (table.find_schema(table.current_schema_id) == nullptr) {
    return part.wrong("current-schema-id", "names no schema");
  }
  REEL_TRY(part.each(
      "partition-specs", [&](const json::Value& item, const std::string& place) -> Status {
        REEL_ASSIGN(PartitionSpec spec, as_stored(partition_spec_from_json(item, place)));
        table.specs.push_back(std::move(spec));
        return {};
      }));
  REEL_ASSIGN(table.default_spec_id, part.small_integer("default-spec-id"));
  if (table.find_spec(table.default_spec_id) == nullptr) {
    return part.wrong("default-spec-id", "names no partition spec");
  }
  REEL_ASSIGN(table.last_partition_id, part.small_integer("last-partition-id"));
  REEL_TRY(part.each("sort-orders", [&](const json::Value& item, const std::string&) -> Status {
    table.sort_orders.push_back(item);
    return {};
  }));
  REEL_ASSIGN(table.default_sort_order_id, part.integer("default-sort-order-id"));
  return {};
}

Status read_references(const Part& part, TableMetadata& table) {
  if (const json::Value* references = part.find("refs"); references != nullptr) {
    if (references->as_object() == nullptr) return part.wrong("refs", "is no object");
    for (const auto& [name, value] : *references->as_object()) {
      const Part place(value, json::join_pointer("/refs", name));
      REEL_ASSIGN(const Reference reference, read_reference(place));
      if (table.find_snapshot(reference.snapshot_id) == nullptr) {
        return place.wrong("snapshot-id", "names no snapshot");
      }
      table.references[name] = reference;
    }
  }
  // Before references there was only the current snapshot; -1 stood for none.
  REEL_ASSIGN(const auto current, part.optional_integer("current-snapshot-id"));
  const std::string main(kMainBranch);
  if (current && *current != -1 && !table.references.contains(main)) {
    if (table.find_snapshot(*current) == nullptr) {
      return part.wrong("current-snapshot-id", "names no snapshot");
    }
    table.references[main] = {.snapshot_id = *current};
  }
  return {};
}

Status read_history(const Part& part, TableMetadata& table) {
  REEL_TRY(part.each("snapshots", [&](const json::Value& item, const std::string& place) -> Status {
    REEL_ASSIGN(Snapshot snapshot, read_snapshot(Part(item, place)));
    table.snapshots.push_back(std::move(snapshot));
    return {};
  }));
  REEL_TRY(
      part.each("snapshot-log", [&](const json::Value& item, const std::string& place) -> Status {
        const Part entry(item, place);
        REEL_ASSIGN(const std::int64_t timestamp_ms, entry.integer("timestamp-ms"));
        REEL_ASSIGN(const SnapshotId snapshot_id, entry.integer("snapshot-id"));
        table.snapshot_log.push_back({.timestamp_ms = timestamp_ms, .snapshot_id = snapshot_id});
        return {};
      }));
  return part.each("metadata-log",
                   [&](const json::Value& item, const std::string& place) -> Status {
                     const Part entry(item, place);
                     REEL_ASSIGN(const std::int64_t timestamp_ms, entry.integer("timestamp-ms"));
                     REEL_ASSIGN(std::string location, entry.text("metadata-file"));
                     table.metadata_log.push_back(
                         {.timestamp_ms = timestamp_ms, .location = std::move(location)});
                     return {};
                   });
}

constexpr std::string_view kKnown[] = {
    "format-version",
    "table-uuid",
    "location",
    "last-sequence-number",
    "last-updated-ms",
    "last-column-id",
    "schemas",
    "current-schema-id",
    "partition-specs",
    "default-spec-id",
    "last-partition-id",
    "sort-orders",
    "default-sort-order-id",
    "properties",
    "current-snapshot-id",
    "snapshots",
    "snapshot-log",
    "metadata-log",
    "refs",
    // What format version 1 called these, which we do not write.
    "schema",
    "partition-spec",
};

}  // namespace

const Schema* TableMetadata::find_schema(SchemaId id) const { return find_by_id(schemas, id); }
const PartitionSpec* TableMetadata::find_spec(SpecId id) const { return find_by_id(specs, id); }
const Snapshot* TableMetadata::find_snapshot(SnapshotId id) const {
  return find_by_id(snapshots, id);
}

const Schema& TableMetadata::schema() const {
  const Schema* found = find_schema(current_schema_id);
  REEL_CHECK(found != nullptr);
  return *found;
}

const PartitionSpec& TableMetadata::spec() const {
  const PartitionSpec* found = find_spec(default_spec_id);
  REEL_CHECK(found != nullptr);
  return *found;
}

const Snapshot* TableMetadata::current_snapshot() const {
  const auto main = references.find(std::string(kMainBranch));
  return main == references.end() ? nullptr : find_snapshot(main->second.snapshot_id);
}

const Snapshot* TableMetadata::snapshot_at(std::int64_t timestamp_ms) const {
  const Snapshot* found = nullptr;
  for (const LogEntry& entry : snapshot_log) {
    if (entry.timestamp_ms > timestamp_ms) break;
    found = find_snapshot(entry.snapshot_id);
  }
  return found;
}

std::vector<const Snapshot*> TableMetadata::ancestry(SnapshotId id) const {
  std::vector<const Snapshot*> out;
  const Snapshot* snapshot = find_snapshot(id);
  // A circle, which no writer makes, ends as well.
  while (snapshot != nullptr && out.size() < snapshots.size()) {
    out.push_back(snapshot);
    snapshot = snapshot->parent_id ? find_snapshot(*snapshot->parent_id) : nullptr;
  }
  return out;
}

std::string TableMetadata::to_text() const {
  json::Value out;
  out.set("format-version", 2);
  out.set("table-uuid", uuid);
  out.set("location", location);
  out.set("last-sequence-number", last_sequence_number);
  out.set("last-updated-ms", last_updated_ms);
  out.set("last-column-id", std::int64_t{last_column_id});
  out.set("schemas", array_of(schemas));
  out.set("current-schema-id", std::int64_t{current_schema_id});
  out.set("partition-specs", array_of(specs));
  out.set("default-spec-id", std::int64_t{default_spec_id});
  out.set("last-partition-id", std::int64_t{last_partition_id});
  out.set("sort-orders", json::Value(sort_orders));
  out.set("default-sort-order-id", default_sort_order_id);
  out.set("properties", to_json(properties));
  if (const Snapshot* current = current_snapshot()) out.set("current-snapshot-id", current->id);
  out.set("refs", references_json(*this));
  out.set("snapshots", array_of(snapshots));
  out.set("snapshot-log", snapshot_log_json(*this));
  out.set("metadata-log", metadata_log_json(*this));
  for (const auto& [name, value] : others) out.set(name, value);
  return json::to_text(out);
}

Result<TableMetadata> TableMetadata::parse(std::string_view text) {
  REEL_ASSIGN(const json::Value document, as_stored(json::parse(text, kDepthMax)));
  if (document.as_object() == nullptr) return corrupt("table metadata: no object");
  const Part part(document, "");
  TableMetadata table;
  REEL_TRY(read_identity(part, table));
  REEL_TRY(read_shape(part, table));
  REEL_TRY(read_history(part, table));
  REEL_TRY(read_references(part, table));
  for (const json::Member& member : *document.as_object()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), member.name) == std::end(kKnown)) {
      table.others.push_back(member);
    }
  }
  return table;
}

Result<TableMetadata> make_metadata(const NewTable& table, Instant now, Random& random) {
  TableMetadata out;
  out.uuid = Uuid::random(random).to_string();
  out.location = table.location;
  out.last_updated_ms = now.micros / 1000;
  out.last_column_id = table.schema.highest_id();
  out.schemas = {table.schema};
  out.schemas[0].id = 0;
  PartitionSpec spec;
  for (PartitionField field : table.partition) {
    field.id = ++out.last_partition_id;
    spec.fields.push_back(std::move(field));
  }
  if (const auto types = spec.types(out.schemas, 0); !types) {
    return invalid("{}", types.error().message());
  }
  out.specs = {std::move(spec)};
  json::Value unsorted;
  unsorted.set("order-id", 0);
  unsorted.set("fields", json::Array());
  out.sort_orders.push_back(std::move(unsorted));
  out.properties = table.properties;
  return out;
}

}  // namespace reel::iceberg
