#include "events/change_log.h"

namespace reel::events {
namespace {

using store::Type;
using store::TypeKind;
using store::Value;

const std::string kTable = "changes";

//! There is one log; a number leaves room for more.
const store::Key kLog = {0};

template <class IdType>
std::optional<IdType> id_in(const Value& cell) {
  const auto* id = cell.get_if<Uuid>();
  return id == nullptr ? std::nullopt : std::optional(IdType{*id});
}

//! Positions of the columns, looked up once per scan.
struct Columns {
  explicit Columns(const store::TableSchema& schema)
      : sequence(schema.position("sequence")),
        at(schema.position("at")),
        type(schema.position("type")),
        actor(schema.position("actor")),
        flow_id(schema.position("flow_id")),
        source_id(schema.position("source_id")),
        flow_collected_by(schema.position("flow_collected_by")),
        source_collected_by(schema.position("source_collected_by")),
        payload(schema.position("payload")),
        before(schema.position("before")) {}

  Change read(const store::RowView& row) const {
    const auto text = [&](std::size_t column) {
      const auto* value = row[column].get_if<std::string>();
      return value == nullptr ? std::string() : *value;
    };
    return {.sequence = row[sequence].get<std::int64_t>(),
            .at = row[at].get<Instant>(),
            .type = text(type),
            .actor = text(actor),
            .flow_id = id_in<FlowId>(row[flow_id]),
            .source_id = id_in<SourceId>(row[source_id]),
            .flow_collected_by = store::ids_of<FlowId>(row[flow_collected_by]),
            .source_collected_by = store::ids_of<SourceId>(row[source_collected_by]),
            .payload = text(payload),
            .before = text(before)};
  }

  std::size_t sequence, at, type, actor, flow_id, source_id, flow_collected_by, source_collected_by,
      payload, before;
};

Status read(store::Snapshot& snapshot, const store::ScanSpec& spec, const ChangeVisitor& visit) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(kTable));
  const Columns columns(*schema);
  return snapshot.scan(spec, [&](const store::RowView& row) { return visit(columns.read(row)); });
}

Result<std::int64_t> outermost(store::Snapshot& snapshot, bool newest) {
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(kTable));
  const std::size_t sequence = schema->position("sequence");
  std::int64_t found = 0;
  const store::ScanSpec spec{
      .table = kTable, .partition = kLog, .reverse = newest, .limit = 1, .columns = {"sequence"}};
  REEL_TRY(snapshot.scan(spec, [&](const store::RowView& row) {
    found = row[sequence].get<std::int64_t>();
    return false;
  }));
  return found;
}

}  // namespace

store::TableDefinition change_log_table() {
  using Column = store::TableDefinition::ColumnDefinition;
  const auto required = [](std::string name, Type type, std::string doc = {}) {
    return Column{
        .name = std::move(name), .type = std::move(type), .nullable = false, .doc = std::move(doc)};
  };
  const Type uuid = Type::of(TypeKind::uuid);
  const Type text = Type::of(TypeKind::string);
  return {.name = kTable,
          .columns = {required("log", Type::of(TypeKind::int32), "always 0"),
                      required("sequence", Type::of(TypeKind::int64)),
                      required("at", Type::of(TypeKind::timestamp)),
                      required("type", text, "what happened"),
                      required("actor", text, "who did it"),
                      {.name = "flow_id", .type = uuid},
                      {.name = "source_id", .type = uuid},
                      required("flow_collected_by", Type::list(uuid), "at that time"),
                      required("source_collected_by", Type::list(uuid), "at that time"),
                      required("payload", text, "JSON object"),
                      {.name = "before", .type = text, .doc = "JSON object"}},
          .partition_key = {"log"},
          .clustering_key = {"sequence"},
          .indexes = {},
          .product = true,
          .large_rows = true};
}

void append_change(store::Batch& batch, Change change) {
  store::Cells cells = {{"at", change.at},
                        {"type", std::move(change.type)},
                        {"actor", std::move(change.actor)},
                        {"flow_collected_by", store::id_list(change.flow_collected_by)},
                        {"source_collected_by", store::id_list(change.source_collected_by)},
                        {"payload", std::move(change.payload)}};
  if (change.flow_id) cells.emplace_back("flow_id", change.flow_id->uuid);
  if (change.source_id) cells.emplace_back("source_id", change.source_id->uuid);
  if (!change.before.empty()) cells.emplace_back("before", std::move(change.before));
  batch.append(kTable, kLog, std::move(cells));
}

Status read_changes(store::Snapshot& snapshot, std::int64_t after, const ChangeVisitor& visit) {
  store::ScanSpec spec{.table = kTable, .partition = kLog};
  spec.lower = store::RangeBound{.prefix = {after}, .inclusive = false};
  return read(snapshot, spec, visit);
}

Status read_changes_back(store::Snapshot& snapshot, std::optional<std::int64_t> before,
                         const ChangeVisitor& visit) {
  store::ScanSpec spec{.table = kTable, .partition = kLog, .reverse = true};
  if (before) spec.upper = store::RangeBound{.prefix = {*before}, .inclusive = false};
  return read(snapshot, spec, visit);
}

Result<std::int64_t> newest_change(store::Snapshot& snapshot) { return outermost(snapshot, true); }
Result<std::int64_t> oldest_change(store::Snapshot& snapshot) { return outermost(snapshot, false); }

Result<std::size_t> trim_changes(store::RowStore& store, Instant horizon, std::size_t limit) {
  store::Batch batch;
  {
    REEL_ASSIGN(const auto snapshot, store.snapshot());
    REEL_ASSIGN(const std::int64_t newest, newest_change(*snapshot));
    REEL_ASSIGN(const auto schema, snapshot->catalog().table(kTable));
    const std::size_t sequence = schema->position("sequence");
    const std::size_t at = schema->position("at");
    const store::ScanSpec spec{
        .table = kTable, .partition = kLog, .limit = limit, .columns = {"sequence", "at"}};
    REEL_TRY(snapshot->scan(spec, [&](const store::RowView& row) {
      const bool old = row[at].get<Instant>() < horizon && row[sequence] != Value(newest);
      if (old) batch.erase(kTable, {kLog[0], row[sequence]});
      return old;
    }));
  }
  const std::size_t count = batch.mutations.size();
  if (count > 0) REEL_TRY(store.commit(std::move(batch)));
  return count;
}

}  // namespace reel::events
