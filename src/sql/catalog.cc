#include <duckdb/parser/constraints/not_null_constraint.hpp>
#include <duckdb/parser/constraints/unique_constraint.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/planner/operator/logical_create_table.hpp>
#include <duckdb/storage/table_storage_info.hpp>

#include "sql/catalog_internal.h"
#include "sql/client_state_internal.h"
#include "sql/errors_internal.h"
#include "sql/transaction_internal.h"
#include "sql/types_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

using duckdb::CatalogType;

//! What DuckDB is told of a table: its columns but for inserted_at, and what they must keep.
duckdb::CreateTableInfo describe(duckdb::SchemaCatalogEntry& schema,
                                 const store::TableSchema& stored) {
  duckdb::CreateTableInfo info(schema, stored.name);
  for (const store::Column& column : stored.columns) {
    if (column.id == store::kInsertedAt) continue;
    duckdb::ColumnDefinition definition(column.name, to_logical(column.type));
    if (!column.default_value.is_null()) {
      definition.SetDefaultValue(duckdb::make_uniq<duckdb::ConstantExpression>(
          to_duckdb(column.type, column.default_value)));
    }
    if (!column.nullable) {
      info.constraints.push_back(duckdb::make_uniq<duckdb::NotNullConstraint>(
          duckdb::LogicalIndex(info.columns.LogicalColumnCount())));
    }
    info.columns.AddColumn(std::move(definition));
  }
  duckdb::vector<std::string> key;
  for (const store::ColumnId id : stored.key()) key.push_back(stored.find(id)->name);
  info.constraints.push_back(duckdb::make_uniq<duckdb::UniqueConstraint>(std::move(key), true));
  return info;
}

}  // namespace

TableEntry::TableEntry(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema,
                       duckdb::CreateTableInfo& info, SchemaPtr stored)
    : duckdb::TableCatalogEntry(catalog, schema, info), stored_(std::move(stored)) {
  for (std::size_t i = 0; i < stored_->columns.size(); ++i) {
    if (stored_->columns[i].id != store::kInsertedAt) positions_.push_back(i);
  }
}

duckdb::TableStorageInfo TableEntry::GetStorageInfo(duckdb::ClientContext&) {
  duckdb::IndexInfo key;
  key.is_unique = true;
  key.is_primary = true;
  key.is_foreign = false;
  for (std::size_t column = 0; column < positions_.size(); ++column) {
    if (stored_->is_key(stored_->columns[positions_[column]].id)) key.column_set.insert(column);
  }
  duckdb::TableStorageInfo info;
  info.index_info.push_back(std::move(key));
  return info;
}

duckdb::virtual_column_map_t TableEntry::GetVirtualColumns() const {
  using duckdb::LogicalType;
  using duckdb::TableColumn;
  return {{duckdb::COLUMN_IDENTIFIER_ROW_ID, TableColumn("rowid", LogicalType::BLOB)},
          {duckdb::COLUMN_IDENTIFIER_EMPTY, TableColumn("", LogicalType::BOOLEAN)},
          {kInsertedAtColumn,
           TableColumn(std::string(store::kInsertedAtName), LogicalType::TIMESTAMP_TZ)}};
}

duckdb::DataTable& TableEntry::GetStorage() {
  throw duckdb::NotImplementedException("this statement is not offered on the tables of reel");
}

void MainSchema::Scan(duckdb::ClientContext& context, CatalogType type,
                      const std::function<void(duckdb::CatalogEntry&)>& callback) {
  if (type != CatalogType::TABLE_ENTRY) return;
  auto& reel = catalog.Cast<StoreCatalog>();
  for (const auto& [table_name, stored] : StoreTransaction::get(context, reel).catalog().tables) {
    if (ClientState::shows(context, *stored)) callback(reel.entry(stored));
  }
}

duckdb::optional_ptr<duckdb::CatalogEntry> MainSchema::LookupEntry(
    duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup) {
  if (lookup.GetCatalogType() != CatalogType::TABLE_ENTRY &&
      lookup.GetCatalogType() != CatalogType::VIEW_ENTRY) {
    return nullptr;
  }
  if (lookup.GetAtClause()) {
    throw duckdb::NotImplementedException("AT is not offered on the tables of reel");
  }
  const auto& tables = transaction.transaction->Cast<StoreTransaction>().catalog().tables;
  // Names of tables are lower case; SQL's are the same in any case.
  const auto found = tables.find(duckdb::StringUtil::Lower(lookup.GetEntryName()));
  if (found == tables.end()) return nullptr;
  if (transaction.HasContext() && !ClientState::shows(*transaction.context, *found->second)) {
    return nullptr;
  }
  return &catalog.Cast<StoreCatalog>().entry(found->second);
}

duckdb::optional_ptr<duckdb::CatalogEntry> MainSchema::CreateIndex(duckdb::CatalogTransaction,
                                                                   duckdb::CreateIndexInfo&,
                                                                   duckdb::TableCatalogEntry&) {
  throw duckdb::NotImplementedException("indexes cannot be created in SQL");
}

TableEntry& StoreCatalog::entry(const SchemaPtr& stored) {
  const MutexLock lock(mutex_);
  auto& entry = entries_[{stored->id, stored->version}];
  if (entry == nullptr) {
    duckdb::CreateTableInfo info = describe(*main_, *stored);
    entry = std::make_unique<TableEntry>(*this, *main_, info, stored);
  }
  return *entry;
}

void StoreCatalog::Initialize(bool) {
  duckdb::CreateSchemaInfo info;
  info.schema = DEFAULT_SCHEMA;
  info.internal = true;
  main_ = std::make_unique<MainSchema>(*this, info);
}

duckdb::optional_idx StoreCatalog::GetCatalogVersion(duckdb::ClientContext& context) {
  auto transaction = duckdb::Transaction::TryGet(context, GetAttached());
  return transaction ? transaction->Cast<StoreTransaction>().catalog().version
                     : store_.catalog()->version;
}

duckdb::optional_ptr<duckdb::CatalogEntry> StoreCatalog::CreateSchema(duckdb::CatalogTransaction,
                                                                      duckdb::CreateSchemaInfo&) {
  throw duckdb::NotImplementedException("schemas cannot be created in the database reel");
}

void StoreCatalog::DropSchema(duckdb::ClientContext&, duckdb::DropInfo&) {
  throw duckdb::NotImplementedException("schemas of the database reel cannot be dropped");
}

duckdb::optional_ptr<duckdb::SchemaCatalogEntry> StoreCatalog::LookupSchema(
    duckdb::CatalogTransaction, const duckdb::EntryLookupInfo& lookup,
    duckdb::OnEntryNotFound if_not_found) {
  const std::string& name = lookup.GetEntryName();
  if (name == INVALID_SCHEMA || duckdb::StringUtil::CIEquals(name, DEFAULT_SCHEMA)) {
    return main_.get();
  }
  if (if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return nullptr;
  throw duckdb::CatalogException("the database reel has no schema \"%s\"", name);
}

duckdb::unique_ptr<duckdb::LogicalOperator> StoreCatalog::BindCreateIndex(
    duckdb::Binder&, duckdb::CreateStatement&, duckdb::TableCatalogEntry&,
    duckdb::unique_ptr<duckdb::LogicalOperator>) {
  throw duckdb::NotImplementedException("indexes cannot be created in SQL");
}

}  // namespace reel::sql
