#include <duckdb/parser/constraints/not_null_constraint.hpp>
#include <duckdb/parser/constraints/unique_constraint.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/planner/operator/logical_create_table.hpp>
#include <duckdb/planner/tableref/bound_at_clause.hpp>
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

//! All columns but inserted_at.
std::vector<ShownColumn> columns_of(const store::TableSchema& stored) {
  std::vector<ShownColumn> columns;
  for (std::size_t i = 0; i < stored.columns.size(); ++i) {
    if (stored.columns[i].id != store::kInsertedAt) columns.push_back({stored.columns[i].name, i});
  }
  return columns;
}

//! What DuckDB is told of a table: its columns, and what they must keep.
duckdb::unique_ptr<duckdb::CreateTableInfo> describe(duckdb::SchemaCatalogEntry& schema,
                                                     const store::TableSchema& stored,
                                                     const std::vector<ShownColumn>& columns) {
  auto info = duckdb::make_uniq<duckdb::CreateTableInfo>(
      schema, std::string(store::split_table_name(stored.name).table));
  std::map<store::ColumnId, std::string> names;
  for (const ShownColumn& shown : columns) {
    const store::Column& column = stored.stored(shown.position);
    duckdb::ColumnDefinition definition(shown.name, to_logical(column.type));
    if (!column.default_value.is_null()) {
      definition.SetDefaultValue(duckdb::make_uniq<duckdb::ConstantExpression>(
          to_duckdb(column.type, column.default_value)));
    }
    if (!column.nullable) {
      info->constraints.push_back(duckdb::make_uniq<duckdb::NotNullConstraint>(
          duckdb::LogicalIndex(info->columns.LogicalColumnCount())));
    }
    info->columns.AddColumn(std::move(definition));
    names.emplace(column.id, shown.name);
  }
  duckdb::vector<std::string> key;
  for (const store::ColumnId id : stored.key()) key.push_back(names.at(id));
  info->constraints.push_back(duckdb::make_uniq<duckdb::UniqueConstraint>(std::move(key), true));
  return info;
}

//! Becomes less with each step of a purge, which is no version of its own: first the cells of a
//! column cannot be read any more, then the column is forgotten.
std::size_t not_purged_yet(const store::TableSchema& stored) {
  std::size_t steps = 0;
  for (const store::Column& dropped : stored.tombstones) steps += dropped.purging ? 1 : 2;
  return steps;
}

//! The columns of an earlier version, by id. Their types are today's: a column whose type became
//! wider may hold values that the earlier one did not have.
std::vector<ShownColumn> columns_at(const store::TableSchema& stored,
                                    const store::TableSchema& earlier) {
  std::map<store::ColumnId, std::size_t> positions;
  for (std::size_t i = 0; i < stored.stored_count(); ++i) {
    if (!stored.stored(i).purging) positions.emplace(stored.stored(i).id, i);
  }
  std::vector<ShownColumn> columns;
  for (const store::Column& column : earlier.columns) {
    if (column.id == store::kInsertedAt) continue;
    const auto found = positions.find(column.id);
    if (found == positions.end()) {
      throw duckdb::BinderException(
          "table %s cannot be read as in version %d: column \"%s\" was dropped since, and purged",
          stored.name, earlier.version, column.name);
    }
    columns.push_back({column.name, found->second});
  }
  return columns;
}

//! The version that AT names.
const store::SchemaVersion& version_at(const std::vector<store::SchemaVersion>& history,
                                       const store::TableSchema& stored,
                                       const duckdb::BoundAtClause& at) {
  const bool by_number = duckdb::StringUtil::CIEquals(at.Unit(), "version");
  const auto wanted = at.GetValue().DefaultCastAs(by_number ? duckdb::LogicalType::BIGINT
                                                            : duckdb::LogicalType::TIMESTAMP_TZ);
  const std::int64_t number = wanted.IsNull() ? -1 : wanted.GetValueUnsafe<std::int64_t>();
  const store::SchemaVersion* found = nullptr;
  for (const store::SchemaVersion& version : history) {
    const bool matches = by_number ? version.schema.version == number : version.at.micros <= number;
    if (matches && version.schema.version <= stored.version) found = &version;
  }
  if (found != nullptr && !wanted.IsNull()) return *found;
  if (by_number) {
    throw duckdb::BinderException("table %s has no version %s: it has 1 to %d", stored.name,
                                  at.GetValue().ToString(), stored.version);
  }
  throw duckdb::BinderException("there was no table %s at %s yet", stored.name,
                                at.GetValue().ToString());
}

}  // namespace

TableEntry::TableEntry(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema,
                       SchemaPtr stored, const std::vector<ShownColumn>& columns, Shows shows)
    : duckdb::TableCatalogEntry(catalog, schema, *describe(schema, *stored, columns)),
      stored_(std::move(stored)),
      shows_(shows) {
  for (const ShownColumn& column : columns) positions_.push_back(column.position);
}

duckdb::TableStorageInfo TableEntry::GetStorageInfo(duckdb::ClientContext&) {
  duckdb::IndexInfo key;
  key.is_unique = true;
  key.is_primary = true;
  key.is_foreign = false;
  for (std::size_t column = 0; column < positions_.size(); ++column) {
    if (stored_->is_key(stored_->stored(positions_[column]).id)) key.column_set.insert(column);
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

duckdb::vector<duckdb::column_t> TableEntry::GetRowIdColumns() const {
  if (shows_ == Shows::earlier) {
    throw duckdb::BinderException("an earlier version of table %s can only be read", name);
  }
  return duckdb::TableCatalogEntry::GetRowIdColumns();
}

duckdb::DataTable& TableEntry::GetStorage() {
  throw duckdb::NotImplementedException("this statement is not offered on the tables of reel");
}

void SchemaEntry::Scan(duckdb::ClientContext& context, CatalogType type,
                       const std::function<void(duckdb::CatalogEntry&)>& callback) {
  if (type != CatalogType::TABLE_ENTRY) return;
  auto& reel = catalog.Cast<StoreCatalog>();
  auto& transaction = StoreTransaction::get(context, reel);
  for (const auto& [table_name, stored] : transaction.catalog().tables) {
    const bool here = store::split_table_name(table_name).space == name;
    if (!here || !ClientState::shows(context, *stored)) continue;
    callback(reel.entry(stored, transaction.alteration_of(stored->id)));
  }
}

duckdb::optional_ptr<duckdb::CatalogEntry> SchemaEntry::LookupEntry(
    duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup) {
  if (lookup.GetCatalogType() != CatalogType::TABLE_ENTRY &&
      lookup.GetCatalogType() != CatalogType::VIEW_ENTRY) {
    return nullptr;
  }
  const std::string& written = lookup.GetEntryName();
  if (written.find('.') != std::string::npos) return nullptr;  // "a.b" is not the table b of a
  auto& own = transaction.transaction->Cast<StoreTransaction>();
  const auto& tables = own.catalog().tables;
  const auto found = tables.find(stored_name(written));
  if (found == tables.end()) return nullptr;
  if (transaction.HasContext() && !ClientState::shows(*transaction.context, *found->second)) {
    return nullptr;
  }
  auto& reel = catalog.Cast<StoreCatalog>();
  const std::uint64_t alteration = own.alteration_of(found->second->id);
  const auto at = lookup.GetAtClause();
  if (at && alteration == 0) return &reel.entry_at(found->second, *at);
  return &reel.entry(found->second, alteration);
}

duckdb::optional_ptr<duckdb::CatalogEntry> SchemaEntry::CreateIndex(duckdb::CatalogTransaction,
                                                                    duckdb::CreateIndexInfo&,
                                                                    duckdb::TableCatalogEntry&) {
  throw duckdb::NotImplementedException("indexes cannot be created in SQL");
}

SchemaEntry& StoreCatalog::schema(std::string_view name) {
  const MutexLock lock(mutex_);
  auto& schema = schemas_[std::string(name)];
  if (schema == nullptr) {
    duckdb::CreateSchemaInfo info;
    info.schema = name;
    info.internal = name == store::kMainNamespace;
    schema = std::make_unique<SchemaEntry>(*this, info);
  }
  return *schema;
}

TableEntry& StoreCatalog::entry(const SchemaPtr& stored, std::uint64_t alteration) {
  SchemaEntry& lies_in = schema(store::split_table_name(stored->name).space);
  const MutexLock lock(mutex_);
  auto& entry = entries_[{stored->id, stored->version, 0, 0, alteration}];
  if (entry == nullptr) {
    entry = std::make_unique<TableEntry>(*this, lies_in, stored, columns_of(*stored),
                                         TableEntry::Shows::now);
  }
  return *entry;
}

TableEntry& StoreCatalog::entry_at(const SchemaPtr& stored, const duckdb::BoundAtClause& at) {
  const auto history = value_or_raise(store_.history(stored->id));
  const store::TableSchema& shown = version_at(history, *stored, at).schema;
  const auto columns = columns_at(*stored, shown);
  SchemaEntry& lies_in = schema(store::split_table_name(stored->name).space);
  const MutexLock lock(mutex_);
  auto& entry = entries_[{stored->id, stored->version, shown.version, not_purged_yet(*stored), 0}];
  if (entry == nullptr) {
    entry =
        std::make_unique<TableEntry>(*this, lies_in, stored, columns, TableEntry::Shows::earlier);
  }
  return *entry;
}

duckdb::optional_idx StoreCatalog::GetCatalogVersion(duckdb::ClientContext& context) {
  auto transaction = duckdb::Transaction::TryGet(context, GetAttached());
  return transaction ? transaction->Cast<StoreTransaction>().catalog_version()
                     : store_.catalog()->version;
}

void StoreCatalog::ScanSchemas(duckdb::ClientContext& context,
                               std::function<void(duckdb::SchemaCatalogEntry&)> callback) {
  for (const std::string& name : StoreTransaction::get(context, *this).catalog().namespaces) {
    callback(schema(name));
  }
}

duckdb::optional_ptr<duckdb::SchemaCatalogEntry> StoreCatalog::LookupSchema(
    duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup,
    duckdb::OnEntryNotFound if_not_found) {
  const std::string name = duckdb::StringUtil::Lower(lookup.GetEntryName());
  if (name == INVALID_SCHEMA || name == store::kMainNamespace) {
    return &schema(store::kMainNamespace);
  }
  const Status found =
      transaction.transaction->Cast<StoreTransaction>().catalog().check_namespace(name);
  if (found) return &schema(name);
  if (if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return nullptr;
  raise(found.error());
}

duckdb::unique_ptr<duckdb::LogicalOperator> StoreCatalog::BindCreateIndex(
    duckdb::Binder&, duckdb::CreateStatement&, duckdb::TableCatalogEntry&,
    duckdb::unique_ptr<duckdb::LogicalOperator>) {
  throw duckdb::NotImplementedException("indexes cannot be created in SQL");
}

}  // namespace reel::sql
