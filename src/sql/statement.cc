#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parsed_data/alter_table_info.hpp>
#include <duckdb/parser/parsed_data/create_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/statement/alter_statement.hpp>
#include <duckdb/parser/statement/call_statement.hpp>
#include <duckdb/parser/statement/copy_statement.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/drop_statement.hpp>
#include <duckdb/parser/statement/explain_statement.hpp>
#include <duckdb/parser/statement/multi_statement.hpp>
#include <duckdb/parser/statement/prepare_statement.hpp>
#include <duckdb/parser/statement/transaction_statement.hpp>

#include "sql/dialect_internal.h"
#include "sql/errors_internal.h"
#include "sql/statement_internal.h"
#include "sql/undo_functions_internal.h"

namespace reel::sql {
namespace {

using duckdb::StatementType;

Failure refuse(StatementType type) {
  return forbidden("{} statements are not allowed", duckdb::StatementTypeToString(type));
}

Result<Access> access_of_create(const duckdb::CreateInfo& info) {
  if (info.type == duckdb::CatalogType::SECRET_ENTRY)
    return refuse(StatementType::CREATE_STATEMENT);
  // Temporary tables and views belong to the session.
  return info.temporary ? Access::read : Access::change_schema;
}

Access access_of_call(const duckdb::ParsedExpression& call) {
  const std::string& function = call.Cast<duckdb::FunctionExpression>().function_name;
  return changes_tables(function) ? Access::change_schema : Access::read;
}

Result<Access> most_of(const Statements& statements) {
  Access most = Access::read;
  for (const auto& statement : statements) {
    REEL_ASSIGN(const Access needed, access_of(*statement));
    most = std::max(most, needed);
  }
  return most;
}

//! What a statement does to a table; null for other statements.
duckdb::AlterTableInfo* alteration(duckdb::SQLStatement& statement, duckdb::AlterTableType type) {
  if (statement.type != StatementType::ALTER_STATEMENT) return nullptr;
  auto& info = *statement.Cast<duckdb::AlterStatement>().info;
  if (info.type != duckdb::AlterType::ALTER_TABLE) return nullptr;
  auto& table = info.Cast<duckdb::AlterTableInfo>();
  return table.alter_table_type == type ? &table : nullptr;
}

//! Whether this one and the next four are what DuckDB makes of ADD COLUMN with an expression as its
//! default: ADD COLUMN without it, UPDATE and SET DEFAULT, between BEGIN and COMMIT or, in a
//! transaction, two of SET. None of the five was written so, and so has a place in the text.
bool is_add_with_default(const Statements& statements, std::size_t first) {
  if (first + 4 >= statements.size()) return false;
  for (std::size_t i = first; i < first + 5; ++i) {
    if (statements[i]->stmt_length != 0) return false;
  }
  return alteration(*statements[first + 1], duckdb::AlterTableType::ADD_COLUMN) != nullptr &&
         alteration(*statements[first + 3], duckdb::AlterTableType::SET_DEFAULT) != nullptr;
}

}  // namespace

Statements with_defaults_joined(Statements statements) {
  Statements joined;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (!is_add_with_default(statements, i)) {
      joined.push_back(std::move(statements[i]));
      continue;
    }
    auto& add = *alteration(*statements[i + 1], duckdb::AlterTableType::ADD_COLUMN);
    auto& set = *alteration(*statements[i + 3], duckdb::AlterTableType::SET_DEFAULT);
    add.Cast<duckdb::AddColumnInfo>().new_column.SetDefaultValue(
        std::move(set.Cast<duckdb::SetDefaultInfo>().expression));
    joined.push_back(std::move(statements[i + 1]));
    i += 4;
  }
  return joined;
}

Result<Access> access_of(const duckdb::SQLStatement& statement) {
  switch (statement.type) {
    case StatementType::SELECT_STATEMENT:
    case StatementType::TRANSACTION_STATEMENT:
    case StatementType::EXECUTE_STATEMENT:  // what was prepared had its own check
    case StatementType::RELATION_STATEMENT:
    case StatementType::PRAGMA_STATEMENT:
    case StatementType::SET_STATEMENT:  // the configuration is locked
    case StatementType::VARIABLE_SET_STATEMENT: return Access::read;
    case StatementType::INSERT_STATEMENT:
    case StatementType::UPDATE_STATEMENT:
    case StatementType::DELETE_STATEMENT:
    case StatementType::MERGE_INTO_STATEMENT:
    case StatementType::COPY_STATEMENT: return Access::change_rows;
    case StatementType::ALTER_STATEMENT: return Access::change_schema;
    case StatementType::CALL_STATEMENT:
      return access_of_call(*statement.Cast<duckdb::CallStatement>().function);
    case StatementType::CREATE_STATEMENT:
      return access_of_create(*statement.Cast<duckdb::CreateStatement>().info);
    case StatementType::DROP_STATEMENT:
      return statement.Cast<duckdb::DropStatement>().info->type ==
                     duckdb::CatalogType::PREPARED_STATEMENT
                 ? Access::read
                 : Access::change_schema;
    case StatementType::EXPLAIN_STATEMENT:  // ANALYZE runs what it explains
      return access_of(*statement.Cast<duckdb::ExplainStatement>().stmt);
    case StatementType::PREPARE_STATEMENT:
      return access_of(*statement.Cast<duckdb::PrepareStatement>().statement);
    case StatementType::MULTI_STATEMENT:
      return most_of(statement.Cast<duckdb::MultiStatement>().statements);
    default: return refuse(statement.type);
  }
}

Result<Access> needed_access(std::string_view sql) {
  try {
    duckdb::Parser parser;
    parser.ParseQuery(std::string(sql));
    return most_of(parser.statements);
  } catch (const std::exception& exception) {
    const duckdb::ErrorData data(exception);
    return Failure(with_our_words(to_error(data), data, sql));
  }
}

bool begins_transaction(std::string_view sql) {
  try {
    duckdb::Parser parser;
    parser.ParseQuery(std::string(sql));
    return std::any_of(parser.statements.begin(), parser.statements.end(), [](const auto& each) {
      return each->type == StatementType::TRANSACTION_STATEMENT &&
             each->template Cast<duckdb::TransactionStatement>().info->type ==
                 duckdb::TransactionType::BEGIN_TRANSACTION;
    });
  } catch (const std::exception&) {
    return false;  // not SQL: executing it says so
  }
}

}  // namespace reel::sql
