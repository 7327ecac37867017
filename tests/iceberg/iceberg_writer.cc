// links: iceberg iceberg_sqlite
//! A table at the hands of a test in another language: one JSON object a line in, one a line out.
//!   iceberg_writer directory <warehouse>
//!   iceberg_writer sql <catalog.db> <catalog name> <warehouse>
//! A failed command answers {"error": <code>, "message": …}.

#include <iostream>
#include <string>

#include "iceberg/file.h"
#include "iceberg/sqlite/sql_catalog.h"
#include "iceberg/table.h"
#include "store/document.h"

namespace {

using namespace reel;
using namespace reel::iceberg;

const json::Value& member(const json::Value& json, std::string_view name) {
  static const json::Value kNull;
  const json::Value* found = json.find(name);
  return found != nullptr ? *found : kNull;
}

std::string text_of(const json::Value& json) {
  return json.as_string() != nullptr ? *json.as_string() : "";
}

std::int64_t integer_of(const json::Value& json, std::int64_t otherwise = 0) {
  std::int64_t number = otherwise;
  json.get_int64(number);
  return number;
}

const json::Array& items_of(const json::Value& json) {
  static const json::Array kNone;
  return json.as_array() != nullptr ? *json.as_array() : kNone;
}

Properties properties_of(const json::Value& json) {
  Properties out;
  if (json.as_object() == nullptr) return out;
  for (const auto& [key, value] : *json.as_object()) out[key] = text_of(value);
  return out;
}

json::Value to_json(const std::set<std::string>& texts) {
  json::Array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return json::Value(std::move(out));
}

class Session {
 public:
  explicit Session(std::unique_ptr<Catalog> catalog) : catalog_(std::move(catalog)) {}

  Result<json::Value> run(const json::Value& command) {
    const std::string what = text_of(member(command, "do"));
    if (what == "create") return create(command);
    if (what == "load") return load(command);
    if (what == "migrate") return migrate(command);
    if (what == "commit") return commit(command);
    if (what == "expire") return expire(command);
    if (what == "files") return files();
    return invalid("there is no command '{}'", what);
  }

 private:
  static TableName name_of(const json::Value& command) {
    return {.space = "reel", .name = text_of(member(command, "table"))};
  }

  //! {"table", "columns", "primary_key", "partition": [{"column", "transform", "name"}],
  //! "properties"}
  Result<json::Value> create(const json::Value& command) {
    json::Value document = command;
    document.set("name", name_of(command).name);
    REEL_ASSIGN(const store::TableDefinition definition, store::definition_from_json(document));
    REEL_ASSIGN(store::TableSchema stored, store::make_schema(1, definition));
    NewTable table{
        .location = "", .schema = {}, .properties = properties_of(member(command, "properties"))};
    REEL_ASSIGN(table.schema, schema_of(stored));
    for (const json::Value& item : items_of(member(command, "partition"))) {
      const store::Column* column = stored.find_named(text_of(member(item, "column")));
      REEL_ASSIGN(const Transform transform, Transform::parse(text_of(member(item, "transform"))));
      table.partition.push_back({.source_id = static_cast<FieldId>(column->id),
                                 .name = text_of(member(item, "name")),
                                 .transform = transform});
    }
    REEL_ASSIGN(Table created, Table::create(*catalog_, name_of(command), std::move(table)));
    stored_ = std::move(stored);
    table_ = std::move(created);
    return state();
  }

  Result<json::Value> load(const json::Value& command) {
    REEL_ASSIGN(Table loaded, Table::load(*catalog_, name_of(command)));
    table_ = std::move(loaded);
    return state();
  }

  Result<json::Value> state() {
    json::Value out;
    out.set("schema", iceberg::to_json(table_->metadata().schema()));
    out.set("location", table_->metadata().location);
    out.set("metadata_location", table_->metadata_location());
    return out;
  }

  //! {"operations": …} of the store; the table follows.
  Result<json::Value> migrate(const json::Value& command) {
    REEL_ASSIGN(const auto operations,
                store::operations_from_json(*stored_, items_of(member(command, "operations"))));
    REEL_ASSIGN(store::MigrationPlan plan,
                store::plan_migration(*stored_, operations, system_clock().now()));
    REEL_ASSIGN(Schema wanted, schema_of(plan.schema));
    REEL_TRY(table_->commit({.schema = std::move(wanted)}));
    stored_ = std::move(plan.schema);
    return state();
  }

  //! {"path", "rows", "size", "partition": [value of the source column], "metrics": {"<column>":
  //! {"values", "nulls", "smallest", "largest"}}}
  Result<DataFile> file_of(const json::Value& json) {
    DataFile file{.record_count = integer_of(member(json, "rows")),
                  .size_bytes = integer_of(member(json, "size"))};
    REEL_ASSIGN(file.location, location_of(text_of(member(json, "path"))));
    const auto& fields = table_->metadata().spec().fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto* column = stored_->find(static_cast<store::ColumnId>(fields[i].source_id));
      const json::Value& given = items_of(member(json, "partition")).at(i);
      REEL_ASSIGN(const store::Value value, store::value_from_json(column->type, given));
      REEL_ASSIGN(const Type type, type_of(column->type));
      REEL_ASSIGN(store::Value result, fields[i].transform.apply(type, value));
      file.partition.push_back(std::move(result));
    }
    const json::Value& metrics = member(json, "metrics");
    if (metrics.as_object() == nullptr) return file;
    for (const auto& [name, given] : *metrics.as_object()) {
      const auto* column = stored_->find_named(name);
      const Field* field = table_->metadata().schema().find(static_cast<FieldId>(column->id));
      ColumnMetrics known{.values = integer_of(member(given, "values")),
                          .nulls = integer_of(member(given, "nulls"))};
      REEL_ASSIGN(known.smallest, store::value_from_json(column->type, member(given, "smallest")));
      REEL_ASSIGN(known.largest, store::value_from_json(column->type, member(given, "largest")));
      REEL_TRY(set_metrics(file, *field, known));
    }
    return file;
  }

  //! {"added": [file], "removed": [path], "summary", "commit_id"}
  Result<json::Value> commit(const json::Value& command) {
    Changes changes{.summary = properties_of(member(command, "summary")),
                    .commit_id = text_of(member(command, "commit_id"))};
    for (const json::Value& item : items_of(member(command, "added"))) {
      REEL_ASSIGN(DataFile file, file_of(item));
      changes.added.push_back(std::move(file));
    }
    for (const json::Value& item : items_of(member(command, "removed"))) {
      REEL_ASSIGN(std::string location, location_of(text_of(item)));
      changes.removed.push_back(std::move(location));
    }
    REEL_ASSIGN(const CommitResult result, table_->commit(std::move(changes)));
    json::Value out;
    if (result.snapshot_id) out.set("snapshot_id", *result.snapshot_id);
    out.set("was_done", result.was_done);
    return out;
  }

  //! Keeps the newest {"snapshots"}, and removes what nothing needs any more.
  Result<json::Value> expire(const json::Value& command) {
    const RetentionPolicy policy{.snapshot_age_ms_max = -1,
                                 .snapshots_min = integer_of(member(command, "snapshots"), 1)};
    REEL_ASSIGN(const CommitResult result, table_->commit({.expire = policy}));
    REEL_TRY(remove_files(result.unreachable));
    json::Value out;
    out.set("data", to_json(result.unreachable.data));
    out.set("manifests", to_json(result.unreachable.manifests));
    return out;
  }

  Result<json::Value> files() {
    REEL_TRY(table_->refresh());
    json::Array out;
    if (const Snapshot* current = table_->metadata().current_snapshot()) {
      REEL_ASSIGN(const auto entries, live_files(table_->metadata(), *current));
      for (const ManifestEntry& entry : entries) {
        json::Value item;
        item.set("location", entry.file.location);
        item.set("rows", entry.file.record_count);
        item.set("size", entry.file.size_bytes);
        out.push_back(std::move(item));
      }
    }
    return json::Value(std::move(out));
  }

  std::unique_ptr<Catalog> catalog_;
  std::optional<store::TableSchema> stored_;
  std::optional<Table> table_;
};

Result<std::unique_ptr<Catalog>> open_catalog(const std::vector<std::string>& words) {
  if (words.size() == 2 && words[0] == "directory") return open_directory_catalog(words[1]);
  if (words.size() == 4 && words[0] == "sql") {
    return sqlite::open_sql_catalog(
        {.path = words[1], .catalog_name = words[2], .warehouse = words[3]});
  }
  return invalid("usage: iceberg_writer directory WAREHOUSE | sql DATABASE CATALOG WAREHOUSE");
}

json::Value answer_to(Session& session, const std::string& line) {
  const auto command = json::parse(line);
  auto answer = command ? session.run(*command) : Result<json::Value>(invalid("no JSON"));
  if (answer) return *std::move(answer);
  json::Value out;
  out.set("error", code_name(answer.error().code()));
  out.set("message", answer.error().message());
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  auto catalog = open_catalog({argv + 1, argv + argc});
  if (!catalog) {
    std::cerr << catalog.error().message() << '\n';
    return 2;
  }
  Session session(*std::move(catalog));
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << json::to_text(answer_to(session, line)) << std::endl;
  }
}
