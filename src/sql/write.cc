#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/execution/operator/persistent/physical_merge_into.hpp>
#include <duckdb/execution/physical_operator.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/operator/logical_create_table.hpp>
#include <duckdb/planner/operator/logical_delete.hpp>
#include <duckdb/planner/operator/logical_insert.hpp>
#include <duckdb/planner/operator/logical_merge_into.hpp>
#include <duckdb/planner/operator/logical_update.hpp>

#include "sql/catalog_internal.h"
#include "sql/client_state_internal.h"
#include "sql/errors_internal.h"
#include "sql/schema_changes_internal.h"
#include "sql/transaction_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

using duckdb::DataChunk;
using duckdb::idx_t;

enum class WriteKind : std::uint8_t { insert, update, erase };

//! INSERT, UPDATE or DELETE: takes all rows in, then changes the transaction's view at once, so
//! that a statement never reads what it wrote.
class WriteOperator final : public duckdb::PhysicalOperator {
 public:
  WriteOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> types, idx_t rows,
                WriteKind write_kind)
      : duckdb::PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, std::move(types),
                                 rows),
        kind(write_kind) {}

  const WriteKind kind;
  TableEntry* table = nullptr;  //!< null: created by the statement
  std::unique_ptr<NewTable> new_table;
  bool returning = false;
  std::optional<idx_t> row_id_column;                                  //!< update: the last one
  duckdb::vector<duckdb::PhysicalIndex> columns;                       //!< update: which ones
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> expressions;  //!< update: their values
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> defaults;     //!< update: by column

  std::string GetName() const override {
    switch (kind) {
      case WriteKind::insert: return "REEL_INSERT";
      case WriteKind::update: return "REEL_UPDATE";
      case WriteKind::erase: return "REEL_DELETE";
    }
    return {};
  }
  bool IsSink() const override { return true; }
  bool IsSource() const override { return true; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(
      duckdb::ClientContext&) const override {
    return duckdb::make_uniq<Sunk>();
  }
  duckdb::SinkResultType Sink(duckdb::ExecutionContext& context, DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override;
  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline&, duckdb::Event&,
                                    duckdb::ClientContext& context,
                                    duckdb::OperatorSinkFinalizeInput& input) const override;
  duckdb::unique_ptr<duckdb::GlobalSourceState> GetGlobalSourceState(
      duckdb::ClientContext&) const override {
    return duckdb::make_uniq<Returned>();
  }
  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext&, DataChunk& chunk,
                                           duckdb::OperatorSourceInput& input) const override;

 private:
  //! What one row asks for.
  struct Request {
    std::string old_key = {};               //!< update, erase
    std::vector<store::Value> values = {};  //!< insert: all columns; update: `columns`
  };
  struct Sunk final : duckdb::GlobalSinkState {
    std::vector<Request> requests;
    std::vector<store::Row> returned;
    idx_t count = 0;
    std::size_t bytes = 0;  //!< of what is waiting in `requests`
    SchemaPtr schema;

    void add(Request request);
  };
  struct Returned final : duckdb::GlobalSourceState {
    std::size_t next = 0;
  };

  const SchemaPtr& schema_before() const { return table->stored(); }
  Request read_update(duckdb::ExecutionContext& context, DataChunk& chunk, idx_t row) const;
  store::Row inserted_row(const store::TableSchema& schema, Request request) const;
  std::vector<store::RowEdit> make_edits(StoreTransaction& transaction,
                                         const store::TableSchema& schema, Sunk& sunk) const;
  void keep_returned(StoreTransaction& transaction, const store::TableSchema& schema,
                     const std::vector<store::RowEdit>& edits, Sunk& sunk) const;
};

//! About what a cell takes in memory.
std::size_t bytes_of(const store::Value& cell) {
  std::size_t bytes = sizeof cell;
  if (const auto* text = cell.get_if<std::string>()) bytes += text->size();
  if (const auto* binary = cell.get_if<store::Binary>()) bytes += binary->bytes.size();
  if (const auto* list = cell.get_if<store::ValueList>()) {
    for (const store::Value& element : *list) bytes += bytes_of(element);
  }
  if (const auto* map = cell.get_if<store::ValueMap>()) {
    for (const auto& [key, value] : *map) bytes += key.size() + bytes_of(value);
  }
  return bytes;
}

void WriteOperator::Sunk::add(Request request) {
  bytes += request.old_key.size();
  for (const store::Value& value : request.values) bytes += bytes_of(value);
  requests.push_back(std::move(request));
  if (requests.size() > kChangedRowsMax) {
    raise(Error(Code::too_large,
                fmt::format("a statement changes at most {} rows", kChangedRowsMax)));
  }
  if (bytes > kStatementBytesMax) {
    raise(Error(Code::too_large,
                fmt::format("a statement writes at most {} bytes", kStatementBytesMax)));
  }
}

store::Value cell_of(const store::Type& type, const duckdb::Value& value) {
  return value_or_raise(to_cell(type, value));
}

WriteOperator::Request WriteOperator::read_update(duckdb::ExecutionContext& context,
                                                  DataChunk& chunk, idx_t row) const {
  Request request{.old_key = duckdb::StringValue::Get(chunk.GetValue(*row_id_column, row))};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& type = schema_before()->columns[table->position(columns[i].index)].type;
    const duckdb::Expression& expression = *expressions[i];
    const duckdb::Value value =
        expression.GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT
            ? duckdb::ExpressionExecutor::EvaluateScalar(context.client,
                                                         *defaults[columns[i].index])
            : chunk.GetValue(expression.Cast<duckdb::BoundReferenceExpression>().index, row);
    request.values.push_back(cell_of(type, value));
  }
  return request;
}

duckdb::SinkResultType WriteOperator::Sink(duckdb::ExecutionContext& context, DataChunk& chunk,
                                           duckdb::OperatorSinkInput& input) const {
  auto& sunk = input.global_state.Cast<Sunk>();
  chunk.Flatten();
  for (idx_t row = 0; row < chunk.size(); ++row) {
    switch (kind) {
      case WriteKind::insert: {
        Request request;
        for (idx_t i = 0; i < chunk.ColumnCount(); ++i) {
          const auto& type = new_table != nullptr
                                 ? new_table->definition.columns[i].type
                                 : schema_before()->columns[table->position(i)].type;
          request.values.push_back(cell_of(type, chunk.GetValue(i, row)));
        }
        sunk.add(std::move(request));
        break;
      }
      case WriteKind::update: sunk.add(read_update(context, chunk, row)); break;
      case WriteKind::erase:
        sunk.add({.old_key = duckdb::StringValue::Get(chunk.GetValue(*row_id_column, row))});
        break;
    }
  }
  return duckdb::SinkResultType::NEED_MORE_INPUT;
}

//! Columns of the statement stand in the table's order, without inserted_at.
store::Row WriteOperator::inserted_row(const store::TableSchema& schema, Request request) const {
  store::Row row(schema.columns.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (schema.columns[i].id != store::kInsertedAt) row[i] = std::move(request.values[next++]);
  }
  return row;
}

std::vector<store::RowEdit> WriteOperator::make_edits(StoreTransaction& transaction,
                                                      const store::TableSchema& schema,
                                                      Sunk& sunk) const {
  std::vector<store::RowEdit> edits;
  std::set<std::string> seen;
  for (Request& request : sunk.requests) {
    store::RowEdit edit;
    if (kind == WriteKind::insert) {
      edit.after = inserted_row(schema, std::move(request));
    } else {
      // A row that a join meets twice is changed once.
      if (!seen.insert(request.old_key).second) continue;
      const store::Key key = value_or_raise(decode_key(schema, request.old_key));
      edit.before = value_or_raise(transaction.read(
          [&](store::Snapshot& snapshot) { return snapshot.get(schema.name, key); }));
      if (!edit.before) continue;
      if (kind == WriteKind::update) {
        edit.after = edit.before;
        for (std::size_t i = 0; i < request.values.size(); ++i) {
          (*edit.after)[table->position(columns[i].index)] = std::move(request.values[i]);
        }
      }
    }
    edits.push_back(std::move(edit));
  }
  return edits;
}

//! Rows as they are after the statement, or were before they went.
void WriteOperator::keep_returned(StoreTransaction& transaction, const store::TableSchema& schema,
                                  const std::vector<store::RowEdit>& edits, Sunk& sunk) const {
  for (const store::RowEdit& edit : edits) {
    std::optional<store::Row> row = edit.after ? edit.after : edit.before;
    if (edit.after && schema.product) {
      const store::Key key = key_of(schema, *row);
      row = value_or_raise(transaction.read(
          [&](store::Snapshot& snapshot) { return snapshot.get(schema.name, key); }));
    }
    if (row) sunk.returned.push_back(*std::move(row));
  }
}

duckdb::SinkFinalizeType WriteOperator::Finalize(duckdb::Pipeline&, duckdb::Event&,
                                                 duckdb::ClientContext& context,
                                                 duckdb::OperatorSinkFinalizeInput& input) const {
  auto& sunk = input.global_state.Cast<Sunk>();
  duckdb::Catalog& catalog = new_table != nullptr ? *new_table->catalog : table->ParentCatalog();
  auto& transaction = StoreTransaction::get(context, catalog);
  if (new_table != nullptr) {
    // Before there is a table, because taking it back is another change of the schema.
    const store::TableSchema planned = value_or_raise(make_schema(0, new_table->definition));
    std::vector<store::Row> rows;
    for (const Request& request : sunk.requests) rows.push_back(inserted_row(planned, request));
    ok_or_raise(check_new_rows(planned, rows));
  }
  sunk.schema = new_table != nullptr ? create_table(transaction, *new_table) : schema_before();
  transaction.check_version(*sunk.schema);
  const auto edits = make_edits(transaction, *sunk.schema, sunk);
  sunk.requests.clear();
  sunk.count = edits.size();
  transaction.apply(*sunk.schema, edits, ClientState::product_writes(context));
  if (returning) keep_returned(transaction, *sunk.schema, edits, sunk);
  return duckdb::SinkFinalizeType::READY;
}

duckdb::SourceResultType WriteOperator::GetDataInternal(duckdb::ExecutionContext&, DataChunk& chunk,
                                                        duckdb::OperatorSourceInput& input) const {
  const auto& sunk = sink_state->Cast<Sunk>();
  if (!returning) {
    chunk.SetValue(0, 0, duckdb::Value::BIGINT(static_cast<std::int64_t>(sunk.count)));
    chunk.SetCardinality(1);
    return duckdb::SourceResultType::FINISHED;
  }
  auto& returned = input.global_state.Cast<Returned>();
  idx_t count = 0;
  for (; count < STANDARD_VECTOR_SIZE && returned.next < sunk.returned.size(); ++count) {
    const store::Row& row = sunk.returned[returned.next++];
    for (idx_t i = 0; i < table->positions().size(); ++i) {
      const std::size_t position = table->position(i);
      write_cell(chunk.data[i], count, sunk.schema->columns[position].type, row[position]);
    }
  }
  chunk.SetCardinality(count);
  return returned.next < sunk.returned.size() ? duckdb::SourceResultType::HAVE_MORE_OUTPUT
                                              : duckdb::SourceResultType::FINISHED;
}

//! The rules of the product's tables are not the table layer's: it takes somebody who keeps them.
TableEntry& writable(duckdb::ClientContext& context, duckdb::TableCatalogEntry& entry) {
  auto& table = entry.Cast<TableEntry>();
  if (table.stored()->product && ClientState::product_writes(context) == nullptr) {
    throw duckdb::PermissionException("table %s belongs to the product and is read-only here",
                                      table.name);
  }
  return table;
}

template <class Operation>
WriteOperator& make_write(duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                          const Operation& op, duckdb::vector<duckdb::LogicalType> types,
                          WriteKind kind) {
  auto& made = planner.Make<WriteOperator>(std::move(types), op.estimated_cardinality, kind)
                   .template Cast<WriteOperator>();
  made.table = &writable(context, op.table);
  made.returning = op.return_chunk;
  return made;
}

//! The values of an inserted row in the table's order, defaults where the statement names none.
void complete_insert(duckdb::LogicalMergeInto& op, duckdb::BoundMergeIntoAction& action) {
  if (action.column_index_map.empty()) return;
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> complete;
  for (const auto& column : op.table.GetColumns().Physical()) {
    const idx_t given = action.column_index_map[column.Physical()];
    complete.push_back(given == duckdb::DConstants::INVALID_INDEX
                           ? op.bound_defaults[column.StorageOid()]->Copy()
                           : std::move(action.expressions[given]));
  }
  action.expressions = std::move(complete);
}

duckdb::unique_ptr<duckdb::MergeIntoOperator> plan_action(
    duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
    duckdb::LogicalMergeInto& op, const duckdb::vector<duckdb::LogicalType>& types,
    duckdb::BoundMergeIntoAction& action) {
  auto planned = duckdb::make_uniq<duckdb::MergeIntoOperator>();
  planned->action_type = action.action_type;
  planned->condition = std::move(action.condition);
  switch (action.action_type) {
    case duckdb::MergeActionType::MERGE_UPDATE: {
      WriteOperator& write = make_write(context, planner, op, types, WriteKind::update);
      write.row_id_column = op.row_id_start;
      write.columns = std::move(action.columns);
      write.expressions = std::move(action.expressions);
      for (const auto& value : op.bound_defaults) write.defaults.push_back(value->Copy());
      planned->op = write;
      break;
    }
    case duckdb::MergeActionType::MERGE_DELETE: {
      WriteOperator& write = make_write(context, planner, op, types, WriteKind::erase);
      write.row_id_column = op.row_id_start;
      planned->op = write;
      break;
    }
    case duckdb::MergeActionType::MERGE_INSERT:
      planned->op = make_write(context, planner, op, types, WriteKind::insert);
      complete_insert(op, action);
      planned->expressions = std::move(action.expressions);
      break;
    default: planned->expressions = std::move(action.expressions);
  }
  return planned;
}

}  // namespace

duckdb::PhysicalOperator& StoreCatalog::PlanInsert(
    duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
    duckdb::LogicalInsert& op, duckdb::optional_ptr<duckdb::PhysicalOperator> plan) {
  if (!op.column_index_map.empty()) plan = planner.ResolveDefaultsProjection(op, *plan);
  WriteOperator& write = make_write(context, planner, op, op.types, WriteKind::insert);
  write.children.push_back(*plan);
  return write;
}

duckdb::PhysicalOperator& StoreCatalog::PlanCreateTableAs(duckdb::ClientContext&,
                                                          duckdb::PhysicalPlanGenerator& planner,
                                                          duckdb::LogicalCreateTable& op,
                                                          duckdb::PhysicalOperator& plan) {
  auto& write = planner.Make<WriteOperator>(op.types, op.estimated_cardinality, WriteKind::insert)
                    .Cast<WriteOperator>();
  write.new_table = std::make_unique<NewTable>(new_table_as(op.schema, op.info->Base()));
  write.children.push_back(plan);
  return write;
}

duckdb::PhysicalOperator& StoreCatalog::PlanDelete(duckdb::ClientContext& context,
                                                   duckdb::PhysicalPlanGenerator& planner,
                                                   duckdb::LogicalDelete& op,
                                                   duckdb::PhysicalOperator& plan) {
  WriteOperator& write = make_write(context, planner, op, op.types, WriteKind::erase);
  write.row_id_column = op.expressions[0]->Cast<duckdb::BoundReferenceExpression>().index;
  write.children.push_back(plan);
  return write;
}

duckdb::PhysicalOperator& StoreCatalog::PlanUpdate(duckdb::ClientContext& context,
                                                   duckdb::PhysicalPlanGenerator& planner,
                                                   duckdb::LogicalUpdate& op,
                                                   duckdb::PhysicalOperator& plan) {
  WriteOperator& write = make_write(context, planner, op, op.types, WriteKind::update);
  write.row_id_column = plan.types.size() - 1;
  write.columns = op.columns;
  write.expressions = std::move(op.expressions);
  write.defaults = std::move(op.bound_defaults);
  write.children.push_back(plan);
  return write;
}

// ON CONFLICT and INSERT OR REPLACE arrive here as well.
duckdb::PhysicalOperator& StoreCatalog::PlanMergeInto(duckdb::ClientContext& context,
                                                      duckdb::PhysicalPlanGenerator& planner,
                                                      duckdb::LogicalMergeInto& op,
                                                      duckdb::PhysicalOperator& plan) {
  auto types = op.types;
  if (op.return_chunk) types.pop_back();  // the name of the action, which DuckDB adds
  std::map<duckdb::MergeActionCondition,
           duckdb::vector<duckdb::unique_ptr<duckdb::MergeIntoOperator>>>
      actions;
  for (auto& [condition, bound] : op.actions) {
    for (auto& action : bound) {
      actions[condition].push_back(plan_action(context, planner, op, types, *action));
    }
  }
  auto& merge = planner.Make<duckdb::PhysicalMergeInto>(
      op.types, std::move(actions), op.row_id_start, op.source_marker, false, op.return_chunk);
  merge.children.push_back(plan);
  return merge;
}

}  // namespace reel::sql
