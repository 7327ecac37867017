#pragma once
//! CREATE, ALTER and DROP of tables and schemas as changes of the store's catalog.

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>

#include "sql/transaction_internal.h"
#include "store/schema.h"

namespace reel::sql {

//! A table that a statement creates.
struct NewTable {
  duckdb::Catalog* catalog = nullptr;
  store::TableDefinition definition;
};

//! CREATE TABLE … AS: its first column is the primary key, because the statement can name none.
NewTable new_table_as(duckdb::SchemaCatalogEntry& schema, const duckdb::CreateTableInfo& info);

//! Creates it at once, and gives the schema that it got.
SchemaPtr create_table(StoreTransaction& transaction, const NewTable& table);

}  // namespace reel::sql
