#include "tams/tables.h"

#include "events/change_log.h"
#include "tams/instances.h"

namespace reel::tams {
namespace {

using store::TableDefinition;
using store::Type;
using store::TypeKind;
using Column = TableDefinition::ColumnDefinition;

Column text(std::string name, std::string doc = {}) {
  return {.name = std::move(name), .type = Type::of(TypeKind::string), .doc = std::move(doc)};
}
Column required(Column column) {
  column.nullable = false;
  return column;
}
Column uuid(std::string name, std::string doc = {}) {
  return {.name = std::move(name), .type = Type::of(TypeKind::uuid), .doc = std::move(doc)};
}
Column uuid_list(std::string name, std::string doc = {}) {
  return {
      .name = std::move(name), .type = Type::list(Type::of(TypeKind::uuid)), .doc = std::move(doc)};
}
Column integer(std::string name, std::string doc = {}) {
  return {.name = std::move(name), .type = Type::of(TypeKind::int64), .doc = std::move(doc)};
}
Column counter(std::string name, std::string doc) {
  return {.name = std::move(name),
          .type = Type::of(TypeKind::int64),
          .nullable = false,
          .default_value = 0,
          .doc = std::move(doc)};
}
Column flag(std::string name, std::string doc = {}) {
  return {.name = std::move(name),
          .type = Type::of(TypeKind::boolean),
          .nullable = false,
          .default_value = false,
          .doc = std::move(doc)};
}
Column moment(std::string name, std::string doc = {}) {
  return {.name = std::move(name), .type = Type::of(TypeKind::timestamp), .doc = std::move(doc)};
}
Column media_time(std::string name, std::string doc) {
  return {.name = std::move(name), .type = Type::media_time(), .doc = std::move(doc)};
}

//! Of a flow; see timeline_of() in flows.h.
Column timeline() {
  Column column = required(uuid("timeline_id", "the flow's, a new one each time it is created"));
  column.former_name = "flow_id";
  return column;
}

TableDefinition service() {
  return {.name = std::string(table::kService),
          .columns = {required(text("name")), text("value")},
          .partition_key = {"name"},
          .clustering_key = {},
          .indexes = {},
          .product = true};
}

TableDefinition sources() {
  return {.name = std::string(table::kSources),
          .columns = {required(uuid("id")), required(text("format", "content format URN")),
                      text("label"), text("description"), text("created_by"), text("updated_by"),
                      required(moment("created")), required(moment("updated")),
                      text("tags", "JSON object"),
                      required(text("label_order", "sort key: labelled first, then by id")),
                      counter("flow_count",
                              "flows of this source; unless kept, it goes with the last one"),
                      counter("revision", "counts metadata changes"),
                      flag("kept", "created by a client: it stays without flows"),
                      text("search_text", "words to find it by")},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {{"by_created", {"created"}},
                      {"by_updated", {"updated"}},
                      {"by_label", {"label_order"}},
                      {"by_text", {"search_text"}, store::IndexKind::search}},
          .product = true};
}

TableDefinition flows() {
  return {.name = std::string(table::kFlows),
          .columns = {required(uuid("id")),
                      required(uuid("source_id")),
                      required(text("format", "content format URN")),
                      text("codec"),
                      text("container"),
                      text("label"),
                      text("description"),
                      text("created_by"),
                      text("updated_by"),
                      required(moment("created")),
                      required(moment("metadata_updated")),
                      text("metadata_version"),
                      integer("generation", "lossy encodings so far"),
                      text("status"),
                      flag("read_only"),
                      integer("max_bit_rate", "1000 bit/s"),
                      integer("avg_bit_rate", "1000 bit/s"),
                      text("segment_duration", "JSON object, seconds as a fraction"),
                      text("container_mapping", "JSON object"),
                      text("essence_parameters", "JSON object"),
                      text("tags", "JSON object"),
                      text("flow_collection", "JSON array, ordered"),
                      uuid("profile_id"),
                      uuid("timeline_id", "where its segments are; null: on the one of its own id"),
                      text("extra", "JSON object: members that the specification does not name"),
                      integer("frame_width", "pixels, copied from essence_parameters"),
                      integer("frame_height", "pixels, copied from essence_parameters"),
                      flag("init_segments", "copied from essence_parameters"),
                      required(text("label_order", "sort key: labelled first, then by id")),
                      counter("collected_count", "flows that collect this one"),
                      counter("revision", "counts metadata changes"),
                      text("search_text", "words to find it by")},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {{"by_created", {"created"}},
                      {"by_metadata_updated", {"metadata_updated"}},
                      {"by_label", {"label_order"}},
                      {"by_source", {"source_id"}},
                      {"by_timeline", {"timeline_id"}},
                      {"by_text", {"search_text"}, store::IndexKind::search}},
          .product = true};
}

TableDefinition profiles() {
  return {.name = std::string(table::kProfiles),
          .columns = {required(uuid("id")), text("label"), text("description"), text("created_by"),
                      required(moment("created")), text("tags", "JSON object"),
                      required(text("flow_metadata", "JSON object")),
                      required(text("format", "copied from flow_metadata")),
                      required(text("codec", "copied from flow_metadata"))},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {{"by_created", {"created"}}},
          .product = true};
}

TableDefinition collected_by() {
  return {.name = std::string(table::kCollectedBy),
          .columns = {required(uuid("member_id")), required(uuid("collection_id"))},
          .partition_key = {"member_id"},
          .clustering_key = {"collection_id"},
          .indexes = {},
          .product = true};
}

TableDefinition segments() {
  return {.name = std::string(table::kSegments),
          .columns = {timeline(), required(media_time("start_time", "first moment, seconds")),
                      required(media_time("end_time", "first moment after it, seconds")),
                      flag("end_inclusive", "written as [a_b]: end_time is b + 1 ns"),
                      required(text("object_id")),
                      media_time("ts_offset", "segment time minus object time, seconds"),
                      media_time("last_duration", "seconds"), integer("sample_offset"),
                      integer("sample_count"),
                      // Properties of the object never change once registered, so they stand here
                      // too and a listing needs no look-up per segment.
                      integer("key_frame_count"), text("object_timerange"), text("init_object_id"),
                      text("tags", "JSON object")},
          .partition_key = {"timeline_id"},
          .clustering_key = {"start_time"},
          .indexes = {},
          .product = true};
}

TableDefinition objects() {
  return {.name = std::string(table::kObjects),
          .columns = {required(text("id")),
                      flag("registered", "a segment has used it"),
                      flag("is_init", "it is an initialisation segment"),
                      uuid("flow_id", "allocated for, later first referenced by, this flow"),
                      moment("allocated", "null = it came with its URLs"),
                      {.name = "instances",
                       .type = instances_type(),
                       .doc = "where the bytes are; the same bytes everywhere"},
                      text("content_type"),
                      text("timerange", "on the object's own timeline"),
                      integer("key_frame_count"),
                      text("init_object_id"),
                      integer("size_bytes", "null until uploaded"),
                      {.name = "sha256", .type = Type::of(TypeKind::binary)}},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {},
          .product = true};
}

TableDefinition object_copies() {
  return {.name = std::string(table::kObjectCopies),
          .columns = {required(text("object_id")), required(uuid("storage_id", "to this backend")),
                      required(text("storage_key", "of the instance that waits for it"))},
          .partition_key = {"object_id"},
          .clustering_key = {"storage_id"},
          .indexes = {},
          .product = true};
}

TableDefinition allocations() {
  return {.name = std::string(table::kAllocations),
          .columns = {required(uuid("id")),
                      required(moment("allocated")),
                      {.name = "object_ids",
                       .type = Type::list(Type::of(TypeKind::string)),
                       .nullable = false}},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {{"by_allocated", {"allocated"}}},
          .product = true};
}

TableDefinition object_uses() {
  return {.name = std::string(table::kObjectUses),
          .columns = {required(text("object_id")), timeline(),
                      required(media_time("start_time", "of the segment, seconds"))},
          .partition_key = {"object_id"},
          .clustering_key = {"timeline_id", "start_time"},
          .indexes = {},
          .product = true};
}

TableDefinition flow_activity() {
  return {.name = std::string(table::kFlowActivity),
          .columns = {required(uuid("flow_id")), required(moment("segments_updated"))},
          .partition_key = {"flow_id"},
          .clustering_key = {},
          .indexes = {},
          .product = true};
}

TableDefinition deletion_requests() {
  return {.name = std::string(table::kDeletionRequests),
          .columns = {required(uuid("id")), required(uuid("flow_id")),
                      required(uuid("timeline_id")), required(uuid("source_id")),
                      required(uuid_list("flow_collected_by", "when it was requested")),
                      required(uuid_list("source_collected_by", "when it was requested")),
                      required(text("timerange_to_delete")), required(text("timerange_remaining")),
                      text("object_id", "only segments that use it"),
                      flag("delete_flow", "all of a flow, which is gone already"),
                      flag("left_timeline", "no flow has the timeline any more"),
                      text("tags", "JSON object: the flow's"), required(text("status")),
                      flag("finished", "nothing is left to do"),
                      text("error", "JSON object: why it could not be carried out"),
                      required(moment("created")), text("created_by"), required(moment("updated")),
                      required(moment("expiry", "when the request is forgotten, if finished"))},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {{"by_created", {"created"}}, {"by_expiry", {"expiry"}}},
          .product = true};
}

TableDefinition trash() {
  return {.name = std::string(table::kTrash),
          .columns = {required(uuid("id")), required(text("type", "flow, segments or source")),
                      required(uuid("item_id", "of the flow or source")),
                      required(text("document", "JSON object: as it was")),
                      text("tags", "JSON object, copied from it"),
                      uuid("timeline_id", "where the segments are"), uuid("source_id"),
                      uuid_list("flow_collected_by"), uuid_list("source_collected_by"),
                      text("source", "JSON object: the flow's source as it was"),
                      text("memberships", "JSON array: where it stood in which collections"),
                      required(moment("deleted")), required(text("deleted_by")),
                      required(moment("expires"))},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {{"by_deleted", {"deleted"}}, {"by_expires", {"expires"}}},
          .product = true};
}

TableDefinition objects_to_check() {
  return {.name = std::string(table::kObjectsToCheck),
          .columns = {required(text("id")), required(uuid("note", "new with every lost use"))},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {},
          .product = true};
}

TableDefinition media_garbage() {
  return {.name = std::string(table::kMediaGarbage),
          .columns = {required(uuid("storage_id")), required(text("storage_key"))},
          .partition_key = {"storage_id"},
          .clustering_key = {"storage_key"},
          .indexes = {},
          .product = true};
}

TableDefinition webhooks() {
  return {.name = std::string(table::kWebhooks),
          .columns = {required(uuid("id")), required(text("url")),
                      required(text("document", "JSON object: as registered, without the key")),
                      text("api_key_value", "a secret"), required(text("status")),
                      text("error", "JSON object: why it was given up"),
                      counter("cursor", "every change up to this one is delivered or filtered"),
                      moment("failing_since", "no delivery has succeeded since then"),
                      counter("revision", "counts changes by clients"), moment("created"),
                      text("created_by")},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {{"by_url", {"url"}}},
          .product = true};
}

TableDefinition idempotency_keys() {
  return {.name = std::string(table::kIdempotencyKeys),
          .columns = {required(text("principal", "whose key it is")), required(text("key")),
                      required(moment("used")),
                      required(text("fingerprint", "SHA-256 of the request, hexadecimal")),
                      required(text("outcome", "JSON object: what the answer is made of"))},
          .partition_key = {"principal", "key"},
          .clustering_key = {},
          .indexes = {{"by_used", {"used"}}},
          .product = true};
}

}  // namespace

std::vector<TableDefinition> product_tables() {
  return {service(),          sources(),          flows(),
          profiles(),         collected_by(),     segments(),
          objects(),          object_copies(),    allocations(),
          object_uses(),      flow_activity(),    deletion_requests(),
          objects_to_check(), media_garbage(),    trash(),
          webhooks(),         idempotency_keys(), events::change_log_table()};
}

Status ensure_tables(store::Store& store) {
  for (const TableDefinition& definition : product_tables()) {
    auto schema = store.ensure_table(definition, "reelhouse");
    if (!schema) {
      return Failure(std::move(schema).error().while_doing("preparing table " + definition.name));
    }
  }
  return {};
}

}  // namespace reel::tams
