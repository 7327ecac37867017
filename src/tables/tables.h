#pragma once
//! Column management: looking at tables, changing them, taking changes back. Documents are as
//! shapes.h says. Code::not_found names the table or column that is missing, and the nearest one.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "store/store.h"

namespace reel::tables {

//! Which state of a table: the present one, unless one of these is set.
struct When {
  std::optional<std::uint32_t> version = {};
  //! The version in force at that moment; `version` goes first.
  std::optional<Instant> as_of = {};
};

// Looking.

//! Schemas in the sense of SQL: the store's namespaces.
json::Value list_schemas(store::Store& store);
Result<json::Value> list_tables(store::Store& store);
using SchemaPtr = std::shared_ptr<const store::TableSchema>;
Result<SchemaPtr> get_schema(store::Store& store, std::string_view table, When when = {});
//! The same as a document.
Result<json::Value> get_table_columns(store::Store& store, std::string_view table, When when = {});
Result<std::vector<std::string>> list_table_columns(store::Store& store, std::string_view table);
Result<bool> column_exists(store::Store& store, std::string_view table, std::string_view column);
//! The column, and who added it when.
Result<json::Value> get_column_info(store::Store& store, std::string_view table,
                                    std::string_view column);
//! Rows in all and by the hour of their insertion, as the ledger counts them.
Result<json::Value> get_table_stats(store::Store& store, std::string_view table);
//! Every version, the oldest first.
Result<json::Value> history(store::Store& store, std::string_view table);

// Changing columns. Each call is one migration: all of it or nothing.

using store::Reason;
using NewColumn = store::TableDefinition::ColumnDefinition;

Result<SchemaPtr> add_columns(store::Store& store, const std::string& table,
                              std::vector<NewColumn> columns, const Reason& reason);
Result<SchemaPtr> rename_column(store::Store& store, const std::string& table, std::string column,
                                std::string name, const Reason& reason);
Result<SchemaPtr> drop_columns(store::Store& store, const std::string& table,
                               std::vector<std::string> columns, const Reason& reason);

//! What to change, and under which conditions.
struct Change {
  std::string table;
  //! Code::conflict when the table has another version. Without it a change that another one
  //! overtakes is thought over again.
  std::optional<std::uint32_t> expected_version = {};
  //! Only says what would happen. Whether rows have the values that it takes is not looked up.
  bool dry_run = false;
  bool wait = false;  //!< as in store::Migration
  Instant now = {};   //!< of a dry run
  Reason reason = {};
};

//! Operations as JSON. REQUIRES: they passed store::operations_shape().
Result<json::Value> migrate(store::Store& store, const Change& change,
                            const json::Array& operations);
//! Makes the schema what it was in that version, as far as possible. The answer says what was not.
Result<json::Value> rollback(store::Store& store, const Change& change, std::uint32_t version);

// Changing whole tables.

//! REQUIRES: the document passed store::definition_shape().
Result<json::Value> create_table(store::Store& store, const json::Value& definition,
                                 const Reason& reason);
//! Returns how it is listed among the dropped ones; `keep_days`: how long it stays there.
Result<json::Value> drop_table(store::Store& store, const std::string& table, const Reason& reason,
                               std::int64_t keep_days);
//! Under its old name if `name` is empty.
Result<json::Value> undrop_table(store::Store& store, store::TableId id, std::string_view name,
                                 const Reason& reason);
Result<json::Value> list_dropped_tables(store::Store& store, std::int64_t keep_days);

//! As it is listed then.
Result<json::Value> create_schema(store::Store& store, std::string_view name);
//! With its tables if `cascade`; returns these as drop_table() does.
Result<json::Value> drop_schema(store::Store& store, std::string_view name, bool cascade,
                                const Reason& reason, std::int64_t keep_days);

}  // namespace reel::tables
