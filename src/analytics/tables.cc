#include "analytics/tables.h"

#include "analytics/summary.h"
#include "events/change_log.h"
#include "tams/record.h"
#include "tams/tables.h"

namespace reel::analytics {
namespace {

using store::TableDefinition;
using store::Type;
using store::TypeKind;
using Column = TableDefinition::ColumnDefinition;

const std::string kStateName = "figures";
const std::string kStateTable(table::kState);

Column required(std::string name, Type type, std::string doc = {}) {
  return {
      .name = std::move(name), .type = std::move(type), .nullable = false, .doc = std::move(doc)};
}

TableDefinition with_summary(std::string_view name, std::vector<Column> columns,
                             std::vector<std::string> clustering) {
  for (Column& column : summary_columns()) columns.push_back(std::move(column));
  return {.name = std::string(name),
          .columns = std::move(columns),
          .partition_key = {"flow_id"},
          .clustering_key = std::move(clustering),
          .indexes = {},
          .product = true};
}

std::vector<TableDefinition> definitions() {
  const Type uuid = Type::of(TypeKind::uuid);
  const Type text = Type::of(TypeKind::string);
  const Type number = Type::of(TypeKind::int64);
  const Type flag = Type::of(TypeKind::boolean);
  return {
      {.name = kStateTable,
       .columns = {required("name", text),
                   required("cursor", number, "every change up to this one is contained"),
                   required("complete", flag, "false while everything is computed from scratch")},
       .partition_key = {"name"},
       .clustering_key = {},
       .indexes = {},
       .product = true},
      with_summary(
          table::kFlowSummaries,
          {required("flow_id", uuid), required("as_of", number,
                                               "computed from scratch when this was the newest "
                                               "change; older ones are contained")},
          {}),
      with_summary(table::kNodes,
                   {required("flow_id", uuid), required("level", number, "0: a leaf"),
                    required("slice", number, "of media time, counted within the level")},
                   {"level", "slice"}),
      {.name = std::string(table::kObjectUsage),
       .columns = {required("object_id", text),
                   {.name = "size_bytes", .type = number},
                   required("is_init", flag),
                   required("group_id", uuid, "of object_groups"),
                   required("reads", number, "of its media")},
       .partition_key = {"object_id"},
       .clustering_key = {},
       .indexes = {{"by_reads", {"reads"}}},
       .product = true},
      {.name = std::string(table::kObjectGroups),
       .columns = {required("id", uuid, "hash of the timelines; nil: the tally of all objects"),
                   required("timeline_ids", Type::list(uuid), "that use the objects"),
                   required("objects", number, "how many"),
                   required("unsized", number, "those whose size is not known"),
                   required("bytes", number),
                   required("media_bytes", number, "without initialisation segments"),
                   required("reads", number),
                   required("sizes", Type::list(number), "objects of each class of sizes")},
       .partition_key = {"id"},
       .clustering_key = {},
       .indexes = {},
       .product = true},
      {.name = std::string(table::kTimelineGroups),
       .columns = {required("timeline_id", uuid), required("group_id", uuid)},
       .partition_key = {"timeline_id"},
       .clustering_key = {"group_id"},
       .indexes = {},
       .product = true}};
}

//! nullopt before the first computation.
Result<std::optional<State>> read_state(store::Snapshot& snapshot) {
  REEL_ASSIGN(const auto row, tams::load(snapshot, table::kState, {kStateName}));
  if (!row) return std::nullopt;
  return State{.cursor = row->integer("cursor"), .complete = row->flag("complete")};
}

Result<bool> is_empty(store::Snapshot& snapshot, std::string_view table) {
  REEL_ASSIGN(const auto entries, snapshot.ledger(table));
  return entries.empty();
}

}  // namespace

Status prepare(store::Store& store) {
  for (const TableDefinition& definition : definitions()) {
    REEL_TRY(store.ensure_table(definition, "reelhouse"));
  }
  store::Batch batch;
  {
    REEL_ASSIGN(const auto snapshot, store.snapshot());
    REEL_ASSIGN(const auto state, read_state(*snapshot));
    REEL_ASSIGN(const bool no_flows, is_empty(*snapshot, tams::table::kFlows));
    REEL_ASSIGN(const bool no_objects, is_empty(*snapshot, tams::table::kObjects));
    if (state || !no_flows || !no_objects) return {};
    REEL_ASSIGN(const std::int64_t newest, events::newest_change(*snapshot));
    write_state(batch, {.cursor = newest, .complete = true});
  }
  return store.commit(std::move(batch));
}

Result<std::int64_t> changes_behind(store::RowStore& store) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  REEL_ASSIGN(const auto state, read_state(*snapshot));
  REEL_ASSIGN(const std::int64_t newest, events::newest_change(*snapshot));
  return newest - (state ? state->cursor : 0);
}

void write_state(store::Batch& batch, const State& state) {
  batch.upsert(kStateTable, {kStateName}, {{"cursor", state.cursor}, {"complete", state.complete}});
}

void require_state(store::Batch& batch, const State& state) {
  batch.require_cells(kStateTable, {kStateName},
                      {{"cursor", state.cursor}, {"complete", state.complete}});
}

Result<std::optional<State>> sound_state(store::Snapshot& snapshot) {
  REEL_ASSIGN(const auto state, read_state(snapshot));
  if (!state || !state->complete) return std::nullopt;
  REEL_ASSIGN(const std::int64_t oldest, events::oldest_change(snapshot));
  return oldest > state->cursor + 1 ? std::nullopt : state;
}

}  // namespace reel::analytics
