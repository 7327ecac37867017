#include "sql/undo_functions_internal.h"

#include <functional>

#include <duckdb/catalog/catalog_search_path.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/main/client_data.hpp>
#include <duckdb/parser/parsed_data/create_table_function_info.hpp>
#include <duckdb/parser/qualified_name.hpp>
#include <duckdb/planner/binder.hpp>

#include "base/nearest_name.h"
#include "sql/catalog_internal.h"
#include "sql/client_state_internal.h"
#include "sql/errors_internal.h"
#include "sql/transaction_internal.h"

namespace reel::sql {
namespace {

using duckdb::ClientContext;
using duckdb::LogicalType;
using duckdb::Value;

constexpr char kUndropColumn[] = "undrop_column";
constexpr char kUndropTable[] = "undrop_table";
constexpr char kRollbackTable[] = "rollback_table";

using Rows = std::vector<std::vector<Value>>;
//! What the function does, once, when its first row is wanted.
using Work = std::function<Rows(ClientContext&)>;

struct Bound final : duckdb::TableFunctionData {
  explicit Bound(Work does) : work(std::move(does)) {}
  Work work;

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<Bound>(work);
  }
  bool Equals(const duckdb::FunctionData&) const override { return false; }
};

struct Output final : duckdb::GlobalTableFunctionState {
  std::optional<Rows> rows;
  std::size_t next = 0;
};

void run(ClientContext& context, duckdb::TableFunctionInput& input, duckdb::DataChunk& chunk) {
  auto& output = input.global_state->Cast<Output>();
  if (!output.rows) output.rows = input.bind_data->Cast<Bound>().work(context);
  duckdb::idx_t count = 0;
  for (; count < STANDARD_VECTOR_SIZE && output.next < output.rows->size(); ++count) {
    const auto& row = (*output.rows)[output.next++];
    for (std::size_t i = 0; i < row.size(); ++i) chunk.SetValue(i, count, row[i]);
  }
  chunk.SetCardinality(count);
}

StoreCatalog& reel_of(ClientContext& context) {
  return duckdb::Catalog::GetCatalog(context, "reel").Cast<StoreCatalog>();
}

//! Needs the access of the statement that is running: who may only read may SELECT.
void check_is_call(ClientContext& context, const char* function) {
  const auto client = context.registered_state->Get<ClientState>(ClientState::kName);
  if (client != nullptr && client->access == Access::change_schema) return;
  raise(Error(Code::forbidden, fmt::format("{} changes tables: CALL {}(…)", function, function)));
}

std::string text_of(const Value& value, const char* what) {
  if (value.IsNull() || value.type().id() != duckdb::LogicalTypeId::VARCHAR) {
    raise(Error(Code::invalid, fmt::format("{} is a text", what)));
  }
  return duckdb::StringValue::Get(value);
}

//! A number that is an id or a version; of other values 0, which is none.
std::uint32_t number_of(const Value& value) {
  Value number = value;
  if (value.IsNull() || !number.DefaultTryCastAs(LogicalType::UINTEGER)) return 0;
  return number.GetValue<std::uint32_t>();
}

std::string named(const duckdb::TableFunctionBindInput& input, const char* parameter) {
  const auto found = input.named_parameters.find(parameter);
  return found == input.named_parameters.end() ? "" : text_of(found->second, parameter);
}

//! A table that is there.
store::TableId table_of(ClientContext& context, const Value& written) {
  auto name = duckdb::QualifiedName::Parse(text_of(written, "the name of a table"));
  duckdb::Binder::BindSchemaOrCatalog(context, name.catalog, name.schema);
  auto& entry = duckdb::Catalog::GetEntry<duckdb::TableCatalogEntry>(context, name.catalog,
                                                                     name.schema, name.name);
  const auto* table = dynamic_cast<const TableEntry*>(&entry);
  if (table == nullptr) {
    raise(Error(Code::invalid, fmt::format("{} is no table of the database reel", name.name)));
  }
  return table->stored()->id;
}

//! What the store calls a table that need not be there.
std::string stored_name(ClientContext& context, const std::string& written) {
  auto name = duckdb::QualifiedName::Parse(written);
  duckdb::Binder::BindSchemaOrCatalog(context, name.catalog, name.schema);
  if (name.schema.empty()) {
    name.schema = duckdb::ClientData::Get(context).catalog_search_path->GetDefault().schema;
  }
  return store::join_table_name(duckdb::StringUtil::Lower(name.schema),
                                duckdb::StringUtil::Lower(name.name));
}

SchemaPtr table_with(StoreTransaction& transaction, store::TableId id) {
  for (const auto& [name, schema] : transaction.catalog().tables) {
    if (schema->id == id) return schema;
  }
  raise(Error(Code::not_found, "the table was dropped meanwhile"));
}

Value text_value(std::string_view text) { return {std::string(text)}; }
Value json_value(std::string_view text) {
  Value value = text_value(text);
  value.Reinterpret(LogicalType::JSON());
  return value;
}
Value number_value(std::uint32_t number) { return Value::UINTEGER(number); }
Value moment_value(Instant moment) {
  return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(moment.micros));
}

//! The one that is meant by its name, when there are no others: else its id must be given.
template <class Dropped>
std::uint32_t only_one(const std::vector<Dropped>& found, const std::string& what,
                       const std::string& none) {
  if (found.empty()) raise(Error(Code::not_found, none));
  if (found.size() == 1) return found.front().first;
  std::string ids;
  for (const auto& [id, dropped_at] : found) {
    ids += fmt::format("{}{} of {}", ids.empty() ? "" : ", ", id, dropped_at.to_string());
  }
  raise(Error(Code::invalid,
              fmt::format("{} was dropped more than once, name its id: {}", what, ids)));
}

store::ColumnId dropped_column(const store::TableSchema& table, const Value& column) {
  if (const std::uint32_t id = number_of(column);
      id != 0 && column.type().id() != duckdb::LogicalTypeId::VARCHAR) {
    return id;
  }
  if (column.IsNull() || column.type().id() != duckdb::LogicalTypeId::VARCHAR) {
    raise(Error(Code::invalid, "a dropped column is named by its name or its id"));
  }
  const std::string name = duckdb::StringValue::Get(column);
  std::vector<std::pair<store::ColumnId, Instant>> found;
  std::vector<std::string_view> names;
  for (const store::Column& dropped : table.tombstones) {
    if (dropped.purging) continue;
    names.push_back(dropped.name);
    if (store::same_name(dropped.name, name)) found.emplace_back(dropped.id, dropped.dropped_at);
  }
  return only_one(found, fmt::format("column '{}'", name),
                  fmt::format("table '{}' has no dropped column '{}' that is not purged{}",
                              table.name, name, nearest_hint(name, names)));
}

store::TableId dropped_table(store::Store& store, const std::string& name) {
  std::vector<std::pair<store::TableId, Instant>> found;
  std::vector<std::string_view> names;
  const auto dropped = value_or_raise(store.dropped_tables());
  for (const store::DroppedTable& table : dropped) {
    if (table.purging) continue;
    names.push_back(table.schema.name);
    if (table.schema.name == name) found.emplace_back(table.schema.id, table.dropped_at);
  }
  return only_one(found, fmt::format("table '{}'", name),
                  fmt::format("there is no dropped table '{}' that is not purged{}", name,
                              nearest_hint(name, names)));
}

using BindInput = duckdb::TableFunctionBindInput;
using Types = duckdb::vector<LogicalType>;
using Names = duckdb::vector<std::string>;
using BoundPtr = duckdb::unique_ptr<duckdb::FunctionData>;

BoundPtr bind_undrop_column(ClientContext& context, BindInput& input, Types& types, Names& names) {
  types = {LogicalType::VARCHAR, LogicalType::UINTEGER};
  names = {"table_name", "version"};
  return duckdb::make_uniq<Bound>([id = table_of(context, input.inputs[0]),
                                   column = input.inputs[1],
                                   name = named(input, "name")](ClientContext& client) -> Rows {
    check_is_call(client, kUndropColumn);
    auto& transaction = StoreTransaction::get(client, reel_of(client));
    const SchemaPtr table = table_with(transaction, id);
    const store::Operation undrop = store::UndropColumn{dropped_column(*table, column), name};
    transaction.alter(
        fmt::format("CALL {}('{}', {});", kUndropColumn, table->name, column.ToSQLString()),
        [&](Alterations& alterations, const store::Catalog& base) {
          return alterations.add(base, table->name, undrop);
        });
    return {{text_value(table->name), number_value(table_with(transaction, id)->version)}};
  });
}

BoundPtr bind_rollback_table(ClientContext& context, BindInput& input, Types& types, Names& names) {
  types = {LogicalType::VARCHAR, LogicalType::UINTEGER, LogicalType::LIST(LogicalType::VARCHAR)};
  names = {"table_name", "version", "not_restored"};
  return duckdb::make_uniq<Bound>(
      [id = table_of(context, input.inputs[0]),
       number = number_of(input.inputs[1])](ClientContext& client) -> Rows {
        check_is_call(client, kRollbackTable);
        StoreCatalog& reel = reel_of(client);
        auto& transaction = StoreTransaction::get(client, reel);
        const SchemaPtr table = table_with(transaction, id);
        const auto history = value_or_raise(reel.store().history(id));
        const auto target = std::find_if(
            history.begin(), history.end(),
            [&](const store::SchemaVersion& version) { return version.schema.version == number; });
        if (target == history.end()) {
          raise(Error(Code::not_found, fmt::format("table '{}' has no such version: it has 1 to {}",
                                                   table->name, history.back().schema.version)));
        }
        const store::Rollback rollback = store::plan_rollback(*table, target->schema);
        if (!rollback.operations.empty()) {
          transaction.alter(fmt::format("CALL {}('{}', {});", kRollbackTable, table->name, number),
                            [&](Alterations& alterations, const store::Catalog& base) {
                              return alterations.add_all(base, table->name, rollback.operations);
                            });
        }
        duckdb::vector<Value> impossible;
        for (const std::string& one : rollback.impossible) impossible.push_back(text_value(one));
        const SchemaPtr after = table_with(transaction, id);
        return {{text_value(after->name), number_value(after->version),
                 Value::LIST(LogicalType::VARCHAR, std::move(impossible))}};
      });
}

BoundPtr bind_undrop_table(ClientContext& context, BindInput& input, Types& types, Names& names) {
  types = {LogicalType::VARCHAR, LogicalType::UINTEGER};
  names = {"table_name", "version"};
  const Value table = input.inputs[0];
  std::string written;
  if (table.IsNull() || table.type().id() == duckdb::LogicalTypeId::VARCHAR) {
    written = stored_name(context, text_of(table, "the name of a dropped table"));
  }
  std::string name = named(input, "name");
  if (!name.empty()) name = stored_name(context, name);
  return duckdb::make_uniq<Bound>(
      [id = number_of(table), written, name](ClientContext& client) -> Rows {
        check_is_call(client, kUndropTable);
        SchemaPtr made;
        auto& transaction = StoreTransaction::get(client, reel_of(client));
        transaction.change_schema([&](store::Store& store) -> Status {
          const store::TableId wanted = written.empty() ? id : dropped_table(store, written);
          REEL_ASSIGN(made, store.undrop_table(wanted, name, {.by = transaction.by_whom()}));
          return {};
        });
        return {{text_value(made->name), number_value(made->version)}};
      });
}

BoundPtr bind_table_history(ClientContext& context, BindInput& input, Types& types, Names& names) {
  types = {LogicalType::UINTEGER, LogicalType::VARCHAR, LogicalType::TIMESTAMP_TZ,
           LogicalType::VARCHAR,  LogicalType::VARCHAR, LogicalType::JSON()};
  names = {"version", "table_name", "changed_at", "changed_by", "comment", "operations"};
  return duckdb::make_uniq<Bound>(
      [id = table_of(context, input.inputs[0])](ClientContext& client) -> Rows {
        Rows rows;
        for (const auto& version : value_or_raise(reel_of(client).store().history(id))) {
          rows.push_back({number_value(version.schema.version), text_value(version.schema.name),
                          moment_value(version.at), text_value(version.by),
                          text_value(version.comment), json_value(version.operations)});
        }
        return rows;
      });
}

BoundPtr bind_dropped_columns(ClientContext& context, BindInput& input, Types& types,
                              Names& names) {
  types = {LogicalType::UINTEGER, LogicalType::VARCHAR, LogicalType::VARCHAR,
           LogicalType::TIMESTAMP_TZ, LogicalType::BOOLEAN};
  names = {"column_id", "column_name", "stored_as", "dropped_at", "purging"};
  return duckdb::make_uniq<Bound>(
      [id = table_of(context, input.inputs[0])](ClientContext& client) -> Rows {
        auto& transaction = StoreTransaction::get(client, reel_of(client));
        Rows rows;
        for (const store::Column& column : table_with(transaction, id)->tombstones) {
          rows.push_back({number_value(column.id), text_value(column.name),
                          text_value(column.type.to_string()), moment_value(column.dropped_at),
                          Value::BOOLEAN(column.purging)});
        }
        return rows;
      });
}

BoundPtr bind_dropped_tables(ClientContext&, BindInput&, Types& types, Names& names) {
  types = {LogicalType::UINTEGER, LogicalType::VARCHAR, LogicalType::TIMESTAMP_TZ,
           LogicalType::BOOLEAN};
  names = {"table_id", "table_name", "dropped_at", "purging"};
  return duckdb::make_uniq<Bound>([](ClientContext& client) -> Rows {
    Rows rows;
    for (const auto& table : value_or_raise(reel_of(client).store().dropped_tables())) {
      rows.push_back({number_value(table.schema.id), text_value(table.schema.name),
                      moment_value(table.dropped_at), Value::BOOLEAN(table.purging)});
    }
    return rows;
  });
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start(ClientContext&,
                                                           duckdb::TableFunctionInitInput&) {
  return duckdb::make_uniq<Output>();
}

struct Described {
  const char* name;
  duckdb::vector<LogicalType> arguments;
  duckdb::vector<std::string> parameters;
  duckdb::table_function_bind_t bind;
  const char* description;
  const char* example;
  bool takes_name = false;
};

void add(duckdb::DatabaseInstance& instance, const Described& described) {
  duckdb::TableFunction function(described.name, described.arguments, run, described.bind, start);
  if (described.takes_name) function.named_parameters["name"] = LogicalType::VARCHAR;
  duckdb::FunctionDescription about;
  about.parameter_types = described.arguments;
  about.parameter_names = described.parameters;
  about.description = described.description;
  about.examples = {described.example};
  duckdb::CreateTableFunctionInfo info(std::move(function));
  info.descriptions.push_back(std::move(about));
  info.internal = true;
  duckdb::Catalog::GetSystemCatalog(instance).CreateTableFunction(
      duckdb::CatalogTransaction::GetSystemTransaction(instance), info);
}

}  // namespace

bool changes_tables(std::string_view function) {
  for (const char* one : {kUndropColumn, kUndropTable, kRollbackTable}) {
    if (store::same_name(function, one)) return true;
  }
  return false;
}

void register_undo_functions(duckdb::DatabaseInstance& instance) {
  const LogicalType text = LogicalType::VARCHAR;
  add(instance, {kUndropColumn,
                 {text, LogicalType::ANY},
                 {"table", "column"},
                 bind_undrop_column,
                 "Brings a dropped column back, by its name or its id",
                 "CALL undrop_column('takes', 'note')",
                 true});
  add(instance, {kUndropTable,
                 {LogicalType::ANY},
                 {"table"},
                 bind_undrop_table,
                 "Brings a dropped table back, by its name or its id",
                 "CALL undrop_table('takes', name := 'old_takes')",
                 true});
  add(instance, {kRollbackTable,
                 {text, LogicalType::BIGINT},
                 {"table", "version"},
                 bind_rollback_table,
                 "Makes a table's schema what it was in a version",
                 "CALL rollback_table('takes', 2)"});
  add(instance, {"table_history",
                 {text},
                 {"table"},
                 bind_table_history,
                 "Every version of a table's schema: who changed what when, and why",
                 "FROM table_history('takes')"});
  add(instance, {"dropped_columns",
                 {text},
                 {"table"},
                 bind_dropped_columns,
                 "Columns of a table that were dropped and are not purged yet",
                 "FROM dropped_columns('takes')"});
  add(instance, {"dropped_tables",
                 {},
                 {},
                 bind_dropped_tables,
                 "Tables that were dropped and are not purged yet",
                 "FROM dropped_tables()"});
}

}  // namespace reel::sql
