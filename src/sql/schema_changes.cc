#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/parser/constraints/not_null_constraint.hpp>
#include <duckdb/parser/constraints/unique_constraint.hpp>
#include <duckdb/parser/parsed_data/alter_table_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/expression_binder/constant_binder.hpp>
#include <duckdb/planner/parsed_data/bound_create_table_info.hpp>

#include "sql/catalog_internal.h"
#include "sql/errors_internal.h"
#include "sql/schema_changes_internal.h"
#include "sql/types_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

using ColumnDefinition = store::TableDefinition::ColumnDefinition;

[[noreturn]] void not_offered(const std::string& what) {
  throw duckdb::NotImplementedException("%s is not offered on the tables of reel", what);
}

//! A default is one value, given to every row: an expression that is another one each time is none.
store::Value constant(duckdb::ClientContext& context, const duckdb::ParsedExpression& expression,
                      const store::Type& type) {
  const auto binder = duckdb::Binder::CreateBinder(context);
  duckdb::ConstantBinder constants(*binder, context, "DEFAULT value");
  constants.target_type = to_logical(type);
  auto copy = expression.Copy();
  const auto bound = constants.Bind(copy);
  if (!bound->IsConsistent() || !bound->IsFoldable()) {
    throw duckdb::NotImplementedException(
        "DEFAULT %s is not one constant value but another one each time, which no row that is "
        "there could keep: name the value when you insert",
        expression.ToString());
  }
  const auto value = duckdb::ExpressionExecutor::EvaluateScalar(context, *bound)
                         .DefaultCastAs(constants.target_type);
  return value_or_raise(to_cell(type, value));
}

ColumnDefinition column_of(duckdb::ClientContext& context, const duckdb::ColumnDefinition& column) {
  if (column.Generated()) not_offered("the generated column " + column.Name());
  duckdb::LogicalType type = column.Type();
  if (type.id() == duckdb::LogicalTypeId::UNBOUND) {
    duckdb::Binder::CreateBinder(context)->BindLogicalType(type);
  }
  ColumnDefinition made{.name = column.Name(), .type = value_or_raise(to_stored(type))};
  if (column.HasDefaultValue()) {
    made.default_value = constant(context, column.DefaultValue(), made.type);
  }
  return made;
}

//! The first column of the key is the partition: rows that share it live together, in the order of
//! the others.
void set_key(store::TableDefinition& definition, const std::vector<std::string>& names) {
  for (const std::string& column_name : names) {
    for (ColumnDefinition& column : definition.columns) {
      if (store::same_name(column.name, column_name)) column.nullable = false;
    }
  }
  definition.partition_key = {names.front()};
  definition.clustering_key.assign(names.begin() + 1, names.end());
}

//! NOT NULL, and the columns of the primary key. Code::unsupported for what nobody would enforce.
std::vector<std::string> apply_constraints(store::TableDefinition& definition,
                                           const duckdb::CreateTableInfo& info) {
  std::vector<std::string> key;
  for (const auto& constraint : info.constraints) {
    if (constraint->type == duckdb::ConstraintType::NOT_NULL) {
      definition.columns[constraint->Cast<duckdb::NotNullConstraint>().index.index].nullable =
          false;
      continue;
    }
    if (constraint->type != duckdb::ConstraintType::UNIQUE ||
        !constraint->Cast<duckdb::UniqueConstraint>().IsPrimaryKey()) {
      not_offered("the constraint " + constraint->ToString());
    }
    const auto& primary = constraint->Cast<duckdb::UniqueConstraint>();
    if (primary.HasIndex()) {
      key.push_back(definition.columns[primary.GetIndex().index].name);
    } else {
      for (const auto& column : primary.GetColumnNames()) {
        key.push_back(column);
      }
    }
  }
  return key;
}

//! The store's name of a table that is to be called so. A dot would make it another schema's.
std::string new_name(const duckdb::SchemaCatalogEntry& schema, const std::string& written) {
  ok_or_raise(store::check_name(duckdb::StringUtil::Lower(written)));
  return schema.Cast<SchemaEntry>().stored_name(written);
}

store::Operation default_of(duckdb::ClientContext& context, const store::TableSchema& schema,
                            const duckdb::SetDefaultInfo& set) {
  const store::Column* column = schema.find_named(set.column_name);
  store::SetDefault operation{.column = set.column_name, .value = {}};
  // Without the column there is a reason to tell, whatever the value.
  if (column != nullptr && set.expression != nullptr) {
    operation.value = constant(context, *set.expression, column->type);
  }
  return operation;
}

store::Operation type_of(duckdb::ClientContext& context, const store::TableSchema& schema,
                         const duckdb::ChangeColumnTypeInfo& change) {
  duckdb::LogicalType type = change.target_type;
  if (type.id() == duckdb::LogicalTypeId::UNBOUND) {
    duckdb::Binder::CreateBinder(context)->BindLogicalType(type);
  }
  const bool casts_only = change.expression == nullptr || change.expression->GetExpressionType() ==
                                                              duckdb::ExpressionType::OPERATOR_CAST;
  if (!casts_only) not_offered("ALTER TYPE with USING");
  store::Type wanted = value_or_raise(to_stored(type));
  const store::Column* column = schema.find_named(change.column_name);
  if (column == nullptr || is_widening(column->type, wanted)) {
    return store::AlterType{change.column_name, std::move(wanted)};
  }
  return store::ConvertType{change.column_name, std::move(wanted)};
}

//! What an ALTER TABLE but RENAME TO means; nothing when it says IF (NOT) EXISTS and that decides.
std::optional<store::Operation> operation_of(duckdb::ClientContext& context,
                                             const store::TableSchema& schema,
                                             const duckdb::AlterTableInfo& info) {
  using duckdb::AlterTableType;
  switch (info.alter_table_type) {
    case AlterTableType::ADD_COLUMN: {
      const auto& add = info.Cast<duckdb::AddColumnInfo>();
      const bool exists = schema.find_named(add.new_column.Name()) != nullptr;
      if (exists && add.if_column_not_exists) return std::nullopt;
      return store::AddColumn{column_of(context, add.new_column)};
    }
    case AlterTableType::RENAME_COLUMN: {
      const auto& rename = info.Cast<duckdb::RenameColumnInfo>();
      return store::RenameColumn{rename.old_name, rename.new_name};
    }
    case AlterTableType::REMOVE_COLUMN: {
      const auto& drop = info.Cast<duckdb::RemoveColumnInfo>();
      const bool exists = schema.find_named(drop.removed_column) != nullptr;
      if (!exists && drop.if_column_exists) return std::nullopt;
      return store::DropColumn{drop.removed_column};
    }
    case AlterTableType::ALTER_COLUMN_TYPE:
      return type_of(context, schema, info.Cast<duckdb::ChangeColumnTypeInfo>());
    case AlterTableType::SET_DEFAULT:
      return default_of(context, schema, info.Cast<duckdb::SetDefaultInfo>());
    case AlterTableType::SET_NOT_NULL:
      return store::SetNullable{info.Cast<duckdb::SetNotNullInfo>().column_name, false};
    case AlterTableType::DROP_NOT_NULL:
      return store::SetNullable{info.Cast<duckdb::DropNotNullInfo>().column_name, true};
    case AlterTableType::ADD_FIELD:
    case AlterTableType::REMOVE_FIELD:
    case AlterTableType::RENAME_FIELD:
      not_offered("changing a member of the struct " + info.GetColumnName());
    default: not_offered(info.ToString());
  }
}

}  // namespace

NewTable new_table_as(duckdb::SchemaCatalogEntry& schema, const duckdb::CreateTableInfo& info) {
  if (info.on_conflict == duckdb::OnCreateConflict::REPLACE_ON_CONFLICT) {
    not_offered("CREATE OR REPLACE TABLE");
  }
  NewTable table{.catalog = &schema.ParentCatalog(),
                 .definition = {.name = new_name(schema, info.table)}};
  for (const auto& column : info.columns.Logical()) {
    table.definition.columns.push_back(
        {.name = column.Name(), .type = value_or_raise(to_stored(column.Type()))});
  }
  set_key(table.definition, {table.definition.columns.front().name});
  return table;
}

SchemaPtr create_table(StoreTransaction& transaction, const NewTable& table) {
  SchemaPtr made;
  transaction.change_schema([&](store::Store& store) -> Status {
    REEL_ASSIGN(made, store.create_table(table.definition, {.by = transaction.by_whom()}));
    return {};
  });
  return made;
}

duckdb::optional_ptr<duckdb::CatalogEntry> SchemaEntry::CreateTable(
    duckdb::CatalogTransaction transaction, duckdb::BoundCreateTableInfo& bound) {
  auto& info = bound.Base();
  auto& own = transaction.transaction->Cast<StoreTransaction>();
  const std::string full_name = new_name(*this, info.table);
  const bool exists = own.catalog().tables.contains(full_name);
  if (exists && info.on_conflict == duckdb::OnCreateConflict::IGNORE_ON_CONFLICT) return nullptr;
  if (exists && info.on_conflict == duckdb::OnCreateConflict::ERROR_ON_CONFLICT) {
    throw duckdb::CatalogException("there is already a table %s", info.table);
  }
  if (info.on_conflict == duckdb::OnCreateConflict::REPLACE_ON_CONFLICT) {
    not_offered("CREATE OR REPLACE TABLE");
  }
  NewTable table{.catalog = &catalog, .definition = {.name = full_name}};
  for (const auto& column : info.columns.Logical()) {
    table.definition.columns.push_back(column_of(*transaction.context, column));
  }
  const auto key = apply_constraints(table.definition, info);
  if (key.empty()) {
    throw duckdb::BinderException("table %s needs a PRIMARY KEY: every row of reel is found by it",
                                  info.table);
  }
  set_key(table.definition, key);
  return &catalog.Cast<StoreCatalog>().entry(create_table(own, table));
}

void SchemaEntry::Alter(duckdb::CatalogTransaction transaction, duckdb::AlterInfo& info) {
  if (info.type != duckdb::AlterType::ALTER_TABLE) not_offered(info.ToString());
  auto& own = transaction.transaction->Cast<StoreTransaction>();
  auto found = own.catalog().table(stored_name(info.name));
  if (!found && info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return;
  const SchemaPtr now = value_or_raise(std::move(found));
  const auto& alter = info.Cast<duckdb::AlterTableInfo>();
  std::optional<store::Operation> operation;
  if (alter.alter_table_type == duckdb::AlterTableType::RENAME_TABLE) {
    const std::string& written = alter.Cast<duckdb::RenameTableInfo>().new_table_name;
    operation = store::RenameTable{new_name(*this, written)};
  } else {
    operation = operation_of(*transaction.context, *now, alter);
  }
  if (!operation) return;
  own.alter(info.ToString(), [&](Alterations& alterations, const store::Catalog& base) {
    return alterations.add(base, now->name, *operation);
  });
}

void SchemaEntry::DropEntry(duckdb::ClientContext& context, duckdb::DropInfo& info) {
  if (info.type != duckdb::CatalogType::TABLE_ENTRY) not_offered("DROP of " + info.name);
  auto& transaction = StoreTransaction::get(context, catalog);
  transaction.change_schema([&](store::Store& store) {
    return store.drop_table(stored_name(info.name),
                            {.by = transaction.by_whom(), .comment = info.ToString()});
  });
}

duckdb::optional_ptr<duckdb::CatalogEntry> StoreCatalog::CreateSchema(
    duckdb::CatalogTransaction transaction, duckdb::CreateSchemaInfo& info) {
  using duckdb::OnCreateConflict;
  auto& own = transaction.transaction->Cast<StoreTransaction>();
  const std::string name = duckdb::StringUtil::Lower(info.schema);
  const bool exists = own.catalog().namespaces.contains(name);
  if (exists && info.on_conflict == OnCreateConflict::IGNORE_ON_CONFLICT) return nullptr;
  if (info.on_conflict == OnCreateConflict::REPLACE_ON_CONFLICT) {
    not_offered("CREATE OR REPLACE SCHEMA");
  }
  own.change_schema([&](store::Store& store) { return store.create_namespace(name); });
  return &schema(name);
}

void StoreCatalog::DropSchema(duckdb::ClientContext& context, duckdb::DropInfo& info) {
  auto& transaction = StoreTransaction::get(context, *this);
  const std::string name = duckdb::StringUtil::Lower(info.name);
  const bool exists = transaction.catalog().namespaces.contains(name);
  if (!exists && info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return;
  transaction.change_schema([&](store::Store& store) {
    return store.drop_namespace(name, info.cascade,
                                {.by = transaction.by_whom(), .comment = info.ToString()});
  });
}

}  // namespace reel::sql
