#include "lake/tables.h"

#include <algorithm>
#include <array>

#include "store/schema_codec.h"

namespace reel::lake {
namespace {

using store::Cells;
using store::Field;
using store::RowView;
using store::TableDefinition;
using store::Type;
using store::TypeKind;
using store::Value;
using store::ValueList;
using Column = TableDefinition::ColumnDefinition;

Column required(std::string name, TypeKind kind, std::string doc = {}) {
  return {
      .name = std::move(name), .type = Type::of(kind), .nullable = false, .doc = std::move(doc)};
}
Column optional(std::string name, Type type, std::string doc = {}) {
  return {.name = std::move(name), .type = std::move(type), .doc = std::move(doc)};
}
Column optional(std::string name, TypeKind kind, std::string doc = {}) {
  return optional(std::move(name), Type::of(kind), std::move(doc));
}

Field member(std::string name, TypeKind kind) {
  return {.name = std::move(name), .type = Type::of(kind)};
}

Type source_type() {
  return Type::list(
      Type::structure({member("hour", TypeKind::int64), member("rows", TypeKind::int64),
                       member("fingerprint", TypeKind::binary)}));
}

Type statistics_type() {
  return Type::list(
      Type::structure({member("column_id", TypeKind::int64), member("values", TypeKind::int64),
                       member("nulls", TypeKind::int64), member("nans", TypeKind::int64),
                       member("bytes", TypeKind::int64), member("lower", TypeKind::binary),
                       member("upper", TypeKind::binary)}));
}

TableDefinition view_sets() {
  return {.name = std::string(table::kViewSets),
          .columns = {required("id", TypeKind::int64, "of the table that it shows"),
                      required("name", TypeKind::string),
                      required("schema_id", TypeKind::int64, "the current one"),
                      required("created", TypeKind::timestamp)},
          .partition_key = {"id"},
          .product = true};
}

TableDefinition view_schemas() {
  return {
      .name = std::string(table::kViewSchemas),
      .columns = {required("view_set_id", TypeKind::int64), required("schema_id", TypeKind::int64),
                  required("schema_hash", TypeKind::binary, "SHA-256 of the structure"),
                  required("semantics_version", TypeKind::int64),
                  required("columns", TypeKind::binary, "as in the store's own catalog"),
                  required("created", TypeKind::timestamp),
                  required("build", TypeKind::string, "the program that registered it")},
      .partition_key = {"view_set_id"},
      .clustering_key = {"schema_id"},
      .product = true};
}

TableDefinition instances() {
  return {
      .name = std::string(table::kInstances),
      .columns = {required("view_set_id", TypeKind::int64), required("instance", TypeKind::string),
                  required("generation", TypeKind::int64,
                           "counts changes of what is active; a change requires it")},
      .partition_key = {"view_set_id"},
      .clustering_key = {"instance"},
      .product = true};
}

TableDefinition partitions() {
  return {
      .name = std::string(table::kPartitions),
      .columns = {required("id", TypeKind::uuid), required("view_set_id", TypeKind::int64),
                  required("instance", TypeKind::string),
                  required("begin_insert_time", TypeKind::timestamp, "inclusive"),
                  required("end_insert_time", TypeKind::timestamp, "exclusive"),
                  required("state", TypeKind::string, "staged, active or retired"),
                  required("schema_id", TypeKind::int64),
                  optional("source", source_type(), "the ledger, as of when it was written"),
                  required("num_rows", TypeKind::int64), required("created", TypeKind::timestamp),
                  optional("file_path", TypeKind::string, "null: no rows, no file"),
                  optional("file_size", TypeKind::int64, "bytes"),
                  optional("file_sha256", TypeKind::binary),
                  optional("statistics", statistics_type(), "bounds as canonical values"),
                  optional("retirement_id", TypeKind::uuid)},
      .partition_key = {"id"},
      .indexes = {{"by_place", {"view_set_id", "instance", "state", "begin_insert_time"}},
                  {"by_path", {"file_path"}},
                  {"by_retirement", {"retirement_id"}}},
      .product = true};
}

TableDefinition retirements() {
  return {
      .name = std::string(table::kRetirements),
      .columns = {required("id", TypeKind::uuid), required("retired_at", TypeKind::timestamp),
                  required("retired_by", TypeKind::string), required("reason", TypeKind::string),
                  required("state", TypeKind::string, "undoable, restored or expired"),
                  required("partitions", TypeKind::int64), required("size_bytes", TypeKind::int64),
                  required("delete_after", TypeKind::timestamp),
                  optional("ended", TypeKind::timestamp, "restored or expired"),
                  optional("ended_by", TypeKind::string)},
      .partition_key = {"id"},
      .indexes = {{"by_state", {"state", "delete_after"}}},
      .product = true};
}

TableDefinition leases() {
  return {
      .name = std::string(table::kLeases),
      .columns = {required("id", TypeKind::uuid), required("holder", TypeKind::string),
                  required("taken", TypeKind::timestamp), required("expires", TypeKind::timestamp)},
      .partition_key = {"id"},
      .product = true};
}

store::Binary binary(const Sha256Digest& digest) {
  return {std::string(digest.begin(), digest.end())};
}

Result<Sha256Digest> digest_of(const Value& cell) {
  const std::string& bytes = cell.get<store::Binary>().bytes;
  Sha256Digest digest;
  if (bytes.size() != digest.size()) return fail(Code::corrupt, "a hash of {} bytes", bytes.size());
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

constexpr std::size_t kHashBytes = 16;

store::Binary binary(const Hash128& hash) {
  std::string bytes;
  for (const std::uint64_t half : {hash.high, hash.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift);
  }
  return {std::move(bytes)};
}

Result<Hash128> hash_of(const Value& cell) {
  const std::string& bytes = cell.get<store::Binary>().bytes;
  if (bytes.size() != kHashBytes) {
    return fail(Code::corrupt, "a fingerprint of {} bytes", bytes.size());
  }
  Hash128 hash;
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    std::uint64_t& half = i < kHashBytes / 2 ? hash.high : hash.low;
    half = half << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return hash;
}

template <class State, std::size_t kCount>
Result<State> state_of(const Value& cell, const std::array<State, kCount>& states) {
  const auto& name = cell.get<std::string>();
  for (const State state : states) {
    if (state_name(state) == name) return state;
  }
  return fail(Code::corrupt, "'{}' is no state", name);
}

template <class IdType>
std::optional<IdType> id_in(const Value& cell) {
  const auto* uuid = cell.get_if<Uuid>();
  return uuid == nullptr ? std::nullopt : std::optional(IdType{*uuid});
}

Value source_value(const std::vector<store::LedgerEntry>& source) {
  ValueList list;
  for (const store::LedgerEntry& entry : source) {
    list.emplace_back(ValueList{entry.hour, entry.rows, binary(entry.fingerprint)});
  }
  return list;
}

Result<std::vector<store::LedgerEntry>> source_in(const Value& cell) {
  std::vector<store::LedgerEntry> source;
  for (const Value& item : cell.get<ValueList>()) {
    const auto& members = item.get<ValueList>();
    REEL_ASSIGN(const Hash128 fingerprint, hash_of(members[2]));
    source.push_back({.hour = members[0].get<std::int64_t>(),
                      .rows = members[1].get<std::int64_t>(),
                      .fingerprint = fingerprint});
  }
  return source;
}

Value bound_value(const store::TableSchema& schema, store::ColumnId id, const Value& bound) {
  if (bound.is_null()) return {};
  std::string bytes;
  encode_value(bytes, schema.find(id)->type, bound);
  return store::Binary{std::move(bytes)};
}

Result<Value> bound_in(const store::TableSchema& schema, store::ColumnId id, const Value& cell) {
  if (cell.is_null()) return Value();
  const store::Column* column = schema.find(id);
  if (column == nullptr) return fail(Code::corrupt, "bounds of column {}, which is not there", id);
  std::string_view bytes = cell.get<store::Binary>().bytes;
  return decode_value(column->type, bytes);
}

Value statistics_value(const DataFile& file, const store::TableSchema& schema) {
  ValueList list;
  for (const auto& [id, column] : file.columns) {
    list.emplace_back(ValueList{std::int64_t{id}, column.values, column.nulls, column.nans,
                                column.bytes, bound_value(schema, id, column.lower),
                                bound_value(schema, id, column.upper)});
  }
  return list;
}

const Value& cell(const RowView& row, std::string_view column) {
  return row[row.schema.position(column)];
}
std::int64_t integer(const RowView& row, std::string_view column) {
  return cell(row, column).get<std::int64_t>();
}
std::string text(const RowView& row, std::string_view column) {
  const auto* value = cell(row, column).get_if<std::string>();
  return value == nullptr ? std::string() : *value;
}
Instant moment(const RowView& row, std::string_view column) {
  return cell(row, column).get<Instant>();
}
template <class IdType>
IdType id_of(const RowView& row) {
  return {cell(row, "id").get<Uuid>()};
}

}  // namespace

std::vector<TableDefinition> catalog_tables() {
  return {view_sets(), view_schemas(), instances(), partitions(), retirements(), leases()};
}

Cells cells_of(const ViewSet& view_set) {
  return {{"name", view_set.name}, {"schema_id", view_set.schema}, {"created", view_set.created}};
}

Cells cells_of(const RegisteredSchema& schema) {
  return {{"schema_hash", binary(schema.hash)},
          {"semantics_version", std::int64_t{schema.view.semantics_version}},
          {"columns", store::Binary{encode_schema(schema.view.table)}},
          {"created", schema.created},
          {"build", schema.build}};
}

Cells cells_of(const Partition& partition, const store::TableSchema& schema) {
  Cells cells = {{"view_set_id", partition.view_set},
                 {"instance", partition.instance},
                 {"begin_insert_time", start_of_hour(partition.hours.begin)},
                 {"end_insert_time", start_of_hour(partition.hours.end)},
                 {"state", std::string(state_name(partition.state))},
                 {"schema_id", partition.schema},
                 {"source", source_value(partition.source)},
                 {"num_rows", partition.rows()},
                 {"created", partition.created}};
  if (partition.file) {
    cells.emplace_back("file_path", partition.file->path);
    cells.emplace_back("file_size", partition.file->size_bytes);
    cells.emplace_back("file_sha256", binary(partition.file->sha256));
    cells.emplace_back("statistics", statistics_value(*partition.file, schema));
  }
  return cells;
}

Cells cells_of(const Retirement& retirement) {
  return {{"retired_at", retirement.at},
          {"retired_by", retirement.by},
          {"reason", retirement.reason},
          {"state", std::string(state_name(retirement.state))},
          {"partitions", retirement.partitions},
          {"size_bytes", retirement.size_bytes},
          {"delete_after", retirement.delete_after}};
}

Cells cells_of(const Lease& lease) {
  return {{"holder", lease.holder}, {"taken", lease.taken}, {"expires", lease.expires}};
}

ViewSet read_view_set(const RowView& row) {
  return {.id = integer(row, "id"),
          .name = text(row, "name"),
          .schema = integer(row, "schema_id"),
          .created = moment(row, "created")};
}

Result<RegisteredSchema> read_schema(const RowView& row) {
  REEL_ASSIGN(const Sha256Digest hash, digest_of(cell(row, "schema_hash")));
  REEL_ASSIGN(auto table, store::decode_schema(cell(row, "columns").get<store::Binary>().bytes));
  const auto semantics = static_cast<std::uint32_t>(integer(row, "semantics_version"));
  return RegisteredSchema{.id = integer(row, "schema_id"),
                          .view = {.table = std::move(table), .semantics_version = semantics},
                          .hash = hash,
                          .created = moment(row, "created"),
                          .build = text(row, "build")};
}

Result<Partition> read_partition(const RowView& row) {
  constexpr std::array kStates = {PartitionState::staged, PartitionState::active,
                                  PartitionState::retired};
  REEL_ASSIGN(const PartitionState state, state_of(cell(row, "state"), kStates));
  REEL_ASSIGN(auto source, source_in(cell(row, "source")));
  Partition partition{.id = id_of<PartitionId>(row),
                      .view_set = integer(row, "view_set_id"),
                      .instance = text(row, "instance"),
                      .hours = {.begin = hour_of(moment(row, "begin_insert_time")),
                                .end = hour_of(moment(row, "end_insert_time"))},
                      .schema = integer(row, "schema_id"),
                      .state = state,
                      .source = std::move(source),
                      .created = moment(row, "created"),
                      .retirement = id_in<RetirementId>(cell(row, "retirement_id"))};
  if (cell(row, "file_path").is_null()) return partition;
  REEL_ASSIGN(const Sha256Digest sha256, digest_of(cell(row, "file_sha256")));
  partition.file = DataFile{.path = text(row, "file_path"),
                            .size_bytes = integer(row, "file_size"),
                            .rows = integer(row, "num_rows"),
                            .sha256 = sha256};
  return partition;
}

Result<std::map<store::ColumnId, ColumnStatistics>> read_statistics(
    const RowView& row, const store::TableSchema& schema) {
  std::map<store::ColumnId, ColumnStatistics> columns;
  const auto* list = cell(row, "statistics").get_if<ValueList>();
  if (list == nullptr) return columns;
  for (const Value& item : *list) {
    const auto& members = item.get<ValueList>();
    const auto id = static_cast<store::ColumnId>(members[0].get<std::int64_t>());
    REEL_ASSIGN(Value lower, bound_in(schema, id, members[5]));
    REEL_ASSIGN(Value upper, bound_in(schema, id, members[6]));
    columns[id] = {.values = members[1].get<std::int64_t>(),
                   .nulls = members[2].get<std::int64_t>(),
                   .nans = members[3].get<std::int64_t>(),
                   .bytes = members[4].get<std::int64_t>(),
                   .lower = std::move(lower),
                   .upper = std::move(upper)};
  }
  return columns;
}

Result<Retirement> read_retirement(const RowView& row) {
  constexpr std::array kStates = {RetirementState::undoable, RetirementState::restored,
                                  RetirementState::expired};
  REEL_ASSIGN(const RetirementState state, state_of(cell(row, "state"), kStates));
  Retirement retirement{.id = id_of<RetirementId>(row),
                        .at = moment(row, "retired_at"),
                        .by = text(row, "retired_by"),
                        .reason = text(row, "reason"),
                        .state = state,
                        .partitions = integer(row, "partitions"),
                        .size_bytes = integer(row, "size_bytes"),
                        .delete_after = moment(row, "delete_after"),
                        .ended_by = text(row, "ended_by")};
  if (const auto* ended = cell(row, "ended").get_if<Instant>()) retirement.ended = *ended;
  return retirement;
}

Lease read_lease(const RowView& row) {
  return {.id = id_of<LeaseId>(row),
          .holder = text(row, "holder"),
          .taken = moment(row, "taken"),
          .expires = moment(row, "expires")};
}

}  // namespace reel::lake
