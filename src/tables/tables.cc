#include "tables/tables.h"

#include <algorithm>

#include "base/nearest_name.h"
#include "store/document.h"

namespace reel::tables {
namespace {

using store::Operation;
using store::SchemaVersion;
using store::TableSchema;

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kDayUs = 24 * kHourUs;

std::int64_t count_rows(const std::vector<store::LedgerEntry>& ledger) {
  std::int64_t rows = 0;
  for (const store::LedgerEntry& hour : ledger) rows += hour.rows;
  return rows;
}

Result<std::int64_t> count_rows(store::Store& store, std::string_view table) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  REEL_ASSIGN(const auto ledger, snapshot->ledger(table));
  return count_rows(ledger);
}

Failure unknown_column(const TableSchema& schema, std::string_view name) {
  for (const store::Column& column : schema.tombstones) {
    if (!store::same_name(column.name, name)) continue;
    return not_found("table '{}': column '{}' was dropped (its id is {})", schema.name, name,
                     column.id);
  }
  std::vector<std::string_view> names;
  for (const store::Column& column : schema.columns) names.push_back(column.name);
  return not_found("table '{}': column '{}' does not exist{}", schema.name,
                   name.substr(0, kNameShownMax), nearest_hint(name, names));
}

Result<json::Array> operations_of(const SchemaVersion& version) {
  if (version.operations.empty()) return json::Array();  // by a program that did not note them
  REEL_ASSIGN(const json::Value operations, json::parse(version.operations));
  const json::Array* items = operations.as_array();
  if (items == nullptr) return corrupt("the history has operations that are no array");
  return *items;
}

bool drops_the_table(const SchemaVersion& version) {
  const auto operations = operations_of(version);
  if (!operations || operations->size() != 1) return false;
  const json::Value* op = operations->front().find("op");
  return op != nullptr && *op == json::Value("drop_table");
}

Result<SchemaVersion> find_version(std::vector<SchemaVersion> versions, std::uint32_t number) {
  for (SchemaVersion& version : versions) {
    if (version.schema.version == number) return std::move(version);
  }
  return not_found("table '{}' has no version {}: it has versions {} to {}",
                   versions.back().schema.name, number, versions.front().schema.version,
                   versions.back().schema.version);
}

Result<SchemaVersion> version_at(std::vector<SchemaVersion> versions, Instant moment) {
  const auto later = std::find_if(versions.begin(), versions.end(),
                                  [&](const SchemaVersion& one) { return one.at > moment; });
  if (later == versions.begin()) {
    return not_found("table '{}' was created later, at {}", versions.back().schema.name,
                     versions.front().at.to_string());
  }
  SchemaVersion& found = *std::prev(later);
  if (!drops_the_table(found)) return std::move(found);
  return not_found("table '{}' was dropped at that moment", found.schema.name);
}

json::Value dropped_to_json(const store::DroppedTable& table, std::int64_t keep_days) {
  json::Value out;
  out.set("id", std::int64_t{table.schema.id});
  out.set("name", table.schema.name);
  out.set("version", std::int64_t{table.schema.version});
  out.set("dropped", table.dropped_at.to_string());
  out.set("expires", Instant{table.dropped_at.micros + keep_days * kDayUs}.to_string());
  out.set("purging", table.purging);
  return out;
}

json::Value namespace_to_json(const store::Catalog& catalog, std::string_view name) {
  std::int64_t tables = 0;
  bool product = name == store::kMainNamespace;
  for (const auto& [table, schema] : catalog.tables) {
    if (store::split_table_name(table).space != name) continue;
    ++tables;
    product = product || schema->product;
  }
  json::Value out;
  out.set("name", name);
  out.set("product", product);
  out.set("tables", tables);
  return out;
}

//! What leads from the present schema to the one that is wanted.
using Steps = std::function<Result<store::Rollback>(const TableSchema& current)>;

//! What happened, or would happen.
struct Outcome {
  const TableSchema& before;
  const TableSchema& after;
  const std::vector<Operation>& operations;
  std::int64_t rows_to_read = 0;
};

json::Value outcome_to_json(const Change& change, const Outcome& outcome) {
  json::Value out;
  out.set("dry_run", change.dry_run);
  out.set("operations", store::operations_to_json(outcome.before, outcome.operations));
  out.set("rows_to_read", outcome.rows_to_read);
  out.set("schema", store::schema_to_json(outcome.after));
  return out;
}

Status check_version(const Change& change, const TableSchema& current) {
  if (!change.expected_version || *change.expected_version == current.version) return {};
  return conflict("table '{}' has schema version {} by now, not {}", change.table, current.version,
                  *change.expected_version);
}

//! Carries the operations out on exactly this schema.
Result<json::Value> apply_to(store::Store& store, const Change& change, const TableSchema& current,
                             const std::vector<Operation>& operations) {
  if (operations.empty()) return outcome_to_json(change, {current, current, operations});
  REEL_ASSIGN(const auto plan, store::plan_migration(current, operations, change.now));
  Outcome outcome{current, plan.schema, operations};
  if (const std::size_t times = plan.columns_to_check.size() + plan.conversions.size(); times > 0) {
    REEL_ASSIGN(const std::int64_t rows, count_rows(store, change.table));
    outcome.rows_to_read = rows * static_cast<std::int64_t>(times);
    if (!change.wait) REEL_TRY(store::check_conversions(plan, rows, store.convert_rows_max()));
  }
  if (change.dry_run) {
    const std::string& name = plan.schema.name;
    if (name != change.table) REEL_TRY(store.catalog()->check_new_table(name));
    return outcome_to_json(change, outcome);
  }
  const store::Migration migration{.table = change.table,
                                   .operations = operations,
                                   .expected_version = current.version,
                                   .wait = change.wait};
  REEL_ASSIGN(const SchemaPtr after, store.migrate(migration, change.reason));
  return outcome_to_json(change, {current, *after, operations, outcome.rows_to_read});
}

//! Operations are thought out for one schema, and so not applied to another. When another change
//! is faster, they are thought out again.
Result<json::Value> apply(store::Store& store, const Change& change, const Steps& steps) {
  constexpr int kAttemptsMax = 20;
  for (int attempt = 1;; ++attempt) {
    REEL_ASSIGN(const SchemaPtr current, store.catalog()->table(change.table));
    REEL_TRY(check_version(change, *current));
    REEL_ASSIGN(const store::Rollback wanted, steps(*current));
    auto done = apply_to(store, change, *current, wanted.operations);
    if (done) {
      json::Array impossible(wanted.impossible.begin(), wanted.impossible.end());
      done->set("not_restored", std::move(impossible));
      return done;
    }
    const auto now = store.catalog()->table(change.table);
    const bool overtaken = done.error().code() == Code::conflict && now &&
                           (*now)->version != current->version && !change.expected_version;
    if (!overtaken || attempt == kAttemptsMax) return done;
  }
}

Result<SchemaPtr> change_columns(store::Store& store, const std::string& table,
                                 std::vector<Operation> operations, const Reason& reason) {
  return store.migrate({.table = table, .operations = std::move(operations)}, reason);
}

}  // namespace

json::Value list_schemas(store::Store& store) {
  const auto catalog = store.catalog();
  json::Array schemas;
  for (const std::string& name : catalog->namespaces) {
    schemas.push_back(namespace_to_json(*catalog, name));
  }
  return json::Value(std::move(schemas));
}

Result<json::Value> list_tables(store::Store& store) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  json::Array tables;
  for (const auto& [name, schema] : snapshot->catalog().tables) {
    REEL_ASSIGN(const auto ledger, snapshot->ledger(name));
    json::Value table;
    table.set("schema", store::split_table_name(name).space);
    table.set("id", std::int64_t{schema->id});
    table.set("name", name);
    table.set("version", std::int64_t{schema->version});
    table.set("product", schema->product);
    table.set("columns", static_cast<std::int64_t>(schema->columns.size()));
    table.set("rows", count_rows(ledger));
    tables.push_back(std::move(table));
  }
  return json::Value(std::move(tables));
}

Result<SchemaPtr> get_schema(store::Store& store, std::string_view table, When when) {
  REEL_ASSIGN(SchemaPtr current, store.catalog()->table(table));
  if (!when.version && !when.as_of) return current;
  REEL_ASSIGN(auto versions, store.history(current->id));
  REEL_ASSIGN(SchemaVersion found, when.version ? find_version(std::move(versions), *when.version)
                                                : version_at(std::move(versions), *when.as_of));
  return std::make_shared<const TableSchema>(std::move(found.schema));
}

Result<json::Value> get_table_columns(store::Store& store, std::string_view table, When when) {
  REEL_ASSIGN(const SchemaPtr schema, get_schema(store, table, when));
  return store::schema_to_json(*schema);
}

Result<std::vector<std::string>> list_table_columns(store::Store& store, std::string_view table) {
  REEL_ASSIGN(const SchemaPtr schema, store.catalog()->table(table));
  std::vector<std::string> names;
  for (const store::Column& column : schema->columns) names.push_back(column.name);
  return names;
}

Result<bool> column_exists(store::Store& store, std::string_view table, std::string_view column) {
  REEL_ASSIGN(const SchemaPtr schema, store.catalog()->table(table));
  return schema->find_named(column) != nullptr;
}

Result<json::Value> get_column_info(store::Store& store, std::string_view table,
                                    std::string_view column) {
  REEL_ASSIGN(const SchemaPtr schema, store.catalog()->table(table));
  const store::Column* found = schema->find_named(column);
  if (found == nullptr) return unknown_column(*schema, column);
  REEL_ASSIGN(auto versions, store.history(schema->id));
  REEL_ASSIGN(const SchemaVersion first, find_version(std::move(versions), found->since_version));
  json::Value out = store::column_to_json(*schema, *found);
  out.set("created", first.at.to_string());
  out.set("created_by", first.by);
  return out;
}

Result<json::Value> get_table_stats(store::Store& store, std::string_view table) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  REEL_ASSIGN(const SchemaPtr schema, snapshot->catalog().table(table));
  REEL_ASSIGN(const auto ledger, snapshot->ledger(table));
  json::Value out;
  out.set("id", std::int64_t{schema->id});
  out.set("name", schema->name);
  out.set("version", std::int64_t{schema->version});
  out.set("columns", static_cast<std::int64_t>(schema->columns.size()));
  out.set("dropped_columns", static_cast<std::int64_t>(schema->tombstones.size()));
  out.set("rows", count_rows(ledger));
  json::Array hours;
  for (const store::LedgerEntry& entry : ledger) {
    json::Value hour;
    hour.set("hour", Instant{entry.hour * kHourUs}.to_string());
    hour.set("rows", entry.rows);
    hours.push_back(std::move(hour));
  }
  out.set("hours", std::move(hours));
  return out;
}

Result<json::Value> history(store::Store& store, std::string_view table) {
  REEL_ASSIGN(const SchemaPtr schema, store.catalog()->table(table));
  REEL_ASSIGN(const auto versions, store.history(schema->id));
  json::Array out;
  for (const SchemaVersion& version : versions) {
    REEL_ASSIGN(json::Array operations, operations_of(version));
    json::Value entry;
    entry.set("version", std::int64_t{version.schema.version});
    entry.set("name", version.schema.name);
    entry.set("at", version.at.to_string());
    entry.set("by", version.by);
    entry.set("comment", version.comment);
    entry.set("operations", std::move(operations));
    out.push_back(std::move(entry));
  }
  return json::Value(std::move(out));
}

Result<SchemaPtr> add_columns(store::Store& store, const std::string& table,
                              std::vector<NewColumn> columns, const Reason& reason) {
  std::vector<Operation> operations;
  for (NewColumn& column : columns) operations.emplace_back(store::AddColumn{std::move(column)});
  return change_columns(store, table, std::move(operations), reason);
}

Result<SchemaPtr> rename_column(store::Store& store, const std::string& table, std::string column,
                                std::string name, const Reason& reason) {
  return change_columns(store, table, {store::RenameColumn{std::move(column), std::move(name)}},
                        reason);
}

Result<SchemaPtr> drop_columns(store::Store& store, const std::string& table,
                               std::vector<std::string> columns, const Reason& reason) {
  std::vector<Operation> operations;
  for (std::string& column : columns) operations.emplace_back(store::DropColumn{std::move(column)});
  return change_columns(store, table, std::move(operations), reason);
}

Result<json::Value> migrate(store::Store& store, const Change& change,
                            const json::Array& operations) {
  return apply(store, change, [&](const TableSchema& current) -> Result<store::Rollback> {
    auto read = store::operations_from_json(current, operations);
    if (read) return store::Rollback{.operations = *std::move(read), .impossible = {}};
    std::string pointer = "/operations" + read.error().pointer();
    return Failure(std::move(read).error().at(std::move(pointer)));
  });
}

Result<json::Value> rollback(store::Store& store, const Change& change, std::uint32_t version) {
  return apply(store, change, [&](const TableSchema& current) -> Result<store::Rollback> {
    REEL_ASSIGN(auto versions, store.history(current.id));
    REEL_ASSIGN(const SchemaVersion target, find_version(std::move(versions), version));
    return store::plan_rollback(current, target.schema);
  });
}

Result<json::Value> create_table(store::Store& store, const json::Value& definition,
                                 const Reason& reason) {
  REEL_ASSIGN(const auto read, store::definition_from_json(definition));
  REEL_ASSIGN(const SchemaPtr schema, store.create_table(read, reason));
  return store::schema_to_json(*schema);
}

Result<json::Value> drop_table(store::Store& store, const std::string& table, const Reason& reason,
                               std::int64_t keep_days) {
  REEL_ASSIGN(const SchemaPtr schema, store.catalog()->table(table));
  REEL_TRY(store.drop_table(table, reason));
  REEL_ASSIGN(const auto dropped, store.dropped_tables());
  for (const store::DroppedTable& one : dropped) {
    if (one.schema.id == schema->id) return dropped_to_json(one, keep_days);
  }
  return conflict("table '{}' was dropped and brought back meanwhile", table);
}

Result<json::Value> undrop_table(store::Store& store, store::TableId id, std::string_view name,
                                 const Reason& reason) {
  REEL_ASSIGN(const SchemaPtr schema, store.undrop_table(id, name, reason));
  return store::schema_to_json(*schema);
}

Result<json::Value> list_dropped_tables(store::Store& store, std::int64_t keep_days) {
  REEL_ASSIGN(const auto dropped, store.dropped_tables());
  json::Array out;
  for (const store::DroppedTable& table : dropped) out.push_back(dropped_to_json(table, keep_days));
  return json::Value(std::move(out));
}

Result<json::Value> create_schema(store::Store& store, std::string_view name) {
  REEL_TRY(store.create_namespace(name));
  return namespace_to_json(*store.catalog(), name);
}

Result<json::Value> drop_schema(store::Store& store, std::string_view name, bool cascade,
                                const Reason& reason, std::int64_t keep_days) {
  std::set<store::TableId> ids;
  for (const auto& [table, schema] : store.catalog()->tables) {
    if (store::split_table_name(table).space == name) ids.insert(schema->id);
  }
  REEL_TRY(store.drop_namespace(name, cascade, reason));
  REEL_ASSIGN(const auto dropped, store.dropped_tables());
  json::Array out;
  for (const store::DroppedTable& table : dropped) {
    if (ids.contains(table.schema.id)) out.push_back(dropped_to_json(table, keep_days));
  }
  return json::Value(std::move(out));
}

}  // namespace reel::tables
