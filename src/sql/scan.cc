#include <algorithm>
#include <numeric>

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/planner/expression/bound_conjunction_expression.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/filter/conjunction_filter.hpp>
#include <duckdb/planner/filter/constant_filter.hpp>
#include <duckdb/planner/table_filter.hpp>

#include "sql/access_path.h"
#include "sql/catalog_internal.h"
#include "sql/errors_internal.h"
#include "sql/transaction_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

using duckdb::TableFilter;
using duckdb::TableFilterType;

std::optional<store::Predicate::Op> operator_of(duckdb::ExpressionType type) {
  using Op = store::Predicate::Op;
  switch (type) {
    case duckdb::ExpressionType::COMPARE_EQUAL: return Op::equal;
    case duckdb::ExpressionType::COMPARE_LESSTHAN: return Op::less;
    case duckdb::ExpressionType::COMPARE_LESSTHANOREQUALTO: return Op::less_equal;
    case duckdb::ExpressionType::COMPARE_GREATERTHAN: return Op::greater;
    case duckdb::ExpressionType::COMPARE_GREATERTHANOREQUALTO: return Op::greater_equal;
    default: return std::nullopt;
  }
}

//! The conditions that a filter implies; what it says beyond them is left out.
void collect_conditions(const TableFilter& filter, std::size_t column, const store::Type& type,
                        std::vector<Condition>& conditions) {
  switch (filter.filter_type) {
    case TableFilterType::CONSTANT_COMPARISON: {
      const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
      const auto op = operator_of(comparison.comparison_type);
      auto value = to_cell(type, comparison.constant);
      if (!op || !value || value->is_null() || !check_value(type, *value)) return;
      conditions.push_back({.column = column, .op = *op, .value = *std::move(value)});
      return;
    }
    case TableFilterType::IS_NULL:
      conditions.push_back({.column = column, .op = store::Predicate::Op::is_null});
      return;
    case TableFilterType::CONJUNCTION_AND:
      for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
        collect_conditions(*child, column, type, conditions);
      }
      return;
    default: return;
  }
}

//! Filters that a scan may ignore: they only save work.
bool is_optional(const TableFilter& filter) {
  return filter.filter_type == TableFilterType::OPTIONAL_FILTER ||
         filter.filter_type == TableFilterType::DYNAMIC_FILTER ||
         filter.filter_type == TableFilterType::BLOOM_FILTER;
}

struct ScanBindData final : duckdb::TableFunctionData {
  explicit ScanBindData(TableEntry& scanned) : table(scanned) {}
  TableEntry& table;

  bool Equals(const duckdb::FunctionData& other) const override {
    return &other.Cast<ScanBindData>().table == &table;
  }
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<ScanBindData>(table);
  }
};

//! What a column of the output is.
struct OutputColumn {
  enum class Kind : std::uint8_t { cell, row_id, nothing };
  Kind kind = Kind::cell;
  std::size_t position = 0;  //!< of a cell, in the schema
};

OutputColumn output_column(const TableEntry& table, duckdb::column_t column) {
  if (column == duckdb::COLUMN_IDENTIFIER_ROW_ID) return {OutputColumn::Kind::row_id, 0};
  if (column == duckdb::COLUMN_IDENTIFIER_EMPTY) return {OutputColumn::Kind::nothing, 0};
  if (column == kInsertedAtColumn) {
    return {OutputColumn::Kind::cell, table.stored()->position(store::kInsertedAt)};
  }
  return {OutputColumn::Kind::cell, table.position(column)};
}

//! One scan, shared by the threads that work on it: each takes the next chunk.
//!
//! The store is read by one thread at a time, because a snapshot belongs to one; what is done with
//! the rows runs on all. Reading goes on where the last chunk ended, so nothing is held between.
class TableScan final : public duckdb::GlobalTableFunctionState {
 public:
  TableScan(StoreTransaction& transaction, const TableEntry& table,
            std::vector<OutputColumn> output, const std::vector<Condition>& conditions,
            duckdb::unique_ptr<duckdb::Expression> filter)
      : filter_(std::move(filter)),
        transaction_(transaction),
        schema_(table.stored()),
        output_(std::move(output)),
        path_(choose_path(*schema_, conditions)) {
    path_.spec.limit = STANDARD_VECTOR_SIZE;
    path_.spec.columns = columns_to_read();
  }

  //! Fills the chunk; empty at the end.
  void next(duckdb::DataChunk& chunk) {
    transaction_.read([&](store::Snapshot& snapshot) {
      if (!done_) read(snapshot, chunk);
    });
  }

  idx_t MaxThreads() const override { return MAX_THREADS; }
  const duckdb::Expression* filter() const { return filter_.get(); }

 private:
  using idx_t = duckdb::idx_t;

  std::vector<std::string> columns_to_read() const {
    std::vector<bool> wanted(schema_->columns.size());
    for (const OutputColumn& column : output_) {
      if (column.kind == OutputColumn::Kind::cell) wanted[column.position] = true;
    }
    for (const std::size_t position : path_.order) wanted[position] = true;
    const bool with_key = std::any_of(output_.begin(), output_.end(), [](const auto& column) {
      return column.kind == OutputColumn::Kind::row_id;
    });
    if (with_key) {
      for (const store::ColumnId id : schema_->key()) wanted[schema_->position(id)] = true;
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) names.push_back(store::column_reference(schema_->columns[i].id));
    }
    return names;
  }

  void read(store::Snapshot& snapshot, duckdb::DataChunk& chunk) {
    idx_t count = 0;
    store::Key last;
    ok_or_raise(snapshot.scan(path_.spec, [&](const store::RowView& row) {
      write_row(chunk, count++, row.cells);
      if (count == path_.spec.limit) {
        for (const std::size_t position : path_.order) last.push_back(row[position]);
      }
      return true;
    }));
    done_ = count < path_.spec.limit || last.empty();
    if (!done_) {
      path_.spec.lower = store::RangeBound{.prefix = std::move(last), .inclusive = false};
    }
    chunk.SetCardinality(count);
  }

  void write_row(duckdb::DataChunk& chunk, idx_t row, const store::Row& cells) const {
    for (std::size_t i = 0; i < output_.size(); ++i) {
      duckdb::Vector& vector = chunk.data[i];
      switch (output_[i].kind) {
        case OutputColumn::Kind::cell:
          write_cell(vector, row, schema_->columns[output_[i].position].type,
                     cells[output_[i].position]);
          break;
        case OutputColumn::Kind::row_id:
          write_cell(vector, row, store::Type::of(store::TypeKind::binary),
                     store::Value(store::Binary{encode_key(*schema_, cells)}));
          break;
        case OutputColumn::Kind::nothing:
          write_cell(vector, row, store::Type::of(store::TypeKind::boolean), {});
          break;
      }
    }
  }

  const duckdb::unique_ptr<duckdb::Expression> filter_;
  StoreTransaction& transaction_;
  const SchemaPtr schema_;
  const std::vector<OutputColumn> output_;
  // What follows is used inside of transaction_.read() only.
  AccessPath path_;
  bool done_ = false;
};

struct ScanThread final : duckdb::LocalTableFunctionState {
  std::unique_ptr<duckdb::ExpressionExecutor> filter;
  duckdb::SelectionVector selected{STANDARD_VECTOR_SIZE};
};

//! All filters as one expression on the output, nullptr when there are none.
duckdb::unique_ptr<duckdb::Expression> join_filters(
    const duckdb::TableFilterSet& filters, const duckdb::vector<duckdb::LogicalType>& types) {
  duckdb::unique_ptr<duckdb::Expression> joined;
  for (const auto& [column, filter] : filters.filters) {  // counts the columns of the output
    if (is_optional(*filter)) continue;
    const duckdb::BoundReferenceExpression reference(types[column], column);
    auto expression = filter->ToExpression(reference);
    joined = joined == nullptr ? std::move(expression)
                               : duckdb::make_uniq<duckdb::BoundConjunctionExpression>(
                                     duckdb::ExpressionType::CONJUNCTION_AND, std::move(joined),
                                     std::move(expression));
  }
  return joined;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start_scan(
    duckdb::ClientContext& context, duckdb::TableFunctionInitInput& input) {
  TableEntry& table = input.bind_data->Cast<ScanBindData>().table;
  auto& transaction = StoreTransaction::get(context, table.ParentCatalog());
  transaction.check_version(*table.stored());
  std::vector<OutputColumn> output;
  duckdb::vector<duckdb::LogicalType> types;
  const auto virtual_columns = table.GetVirtualColumns();
  for (const duckdb::column_t column : input.column_ids) {
    output.push_back(output_column(table, column));
    const auto found = virtual_columns.find(column);
    types.push_back(found != virtual_columns.end()
                        ? found->second.type
                        : table.GetColumn(duckdb::LogicalIndex(column)).Type());
  }
  std::vector<Condition> conditions;
  duckdb::unique_ptr<duckdb::Expression> filter;
  if (input.filters) {
    filter = join_filters(*input.filters, types);
    for (const auto& [column, column_filter] : input.filters->filters) {
      if (output[column].kind != OutputColumn::Kind::cell) continue;
      const std::size_t position = output[column].position;
      collect_conditions(*column_filter, position, table.stored()->columns[position].type,
                         conditions);
    }
  }
  return duckdb::make_uniq<TableScan>(transaction, table, std::move(output), conditions,
                                      std::move(filter));
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_thread(
    duckdb::ExecutionContext& context, duckdb::TableFunctionInitInput&,
    duckdb::GlobalTableFunctionState* global) {
  auto thread = duckdb::make_uniq<ScanThread>();
  if (const auto* filter = global->Cast<TableScan>().filter()) {
    thread->filter = std::make_unique<duckdb::ExpressionExecutor>(context.client, *filter);
  }
  return thread;
}

void fill(duckdb::ClientContext& context, duckdb::TableFunctionInput& input,
          duckdb::DataChunk& chunk) {
  auto& scan = input.global_state->Cast<TableScan>();
  auto& thread = input.local_state->Cast<ScanThread>();
  while (true) {
    if (context.IsInterrupted()) throw duckdb::InterruptException();
    scan.next(chunk);
    if (chunk.size() == 0 || thread.filter == nullptr) return;
    const duckdb::idx_t kept = thread.filter->SelectExpression(chunk, thread.selected);
    if (kept == chunk.size()) return;
    if (kept > 0) return chunk.Slice(thread.selected, kept);
    chunk.Reset();
  }
}

//! From the ledger, which counts the rows of every hour.
duckdb::unique_ptr<duckdb::NodeStatistics> estimate(duckdb::ClientContext& context,
                                                    const duckdb::FunctionData* bind_data) {
  TableEntry& table = bind_data->Cast<ScanBindData>().table;
  auto& transaction = StoreTransaction::get(context, table.ParentCatalog());
  const auto ledger = transaction.read(
      [&](store::Snapshot& snapshot) { return snapshot.ledger(table.stored()->name); });
  if (!ledger) return nullptr;
  std::int64_t rows = 0;
  for (const store::LedgerEntry& entry : *ledger) rows += entry.rows;
  return duckdb::make_uniq<duckdb::NodeStatistics>(static_cast<duckdb::idx_t>(rows));
}

}  // namespace

duckdb::TableFunction TableEntry::GetScanFunction(
    duckdb::ClientContext&, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  bind_data = duckdb::make_uniq<ScanBindData>(*this);
  duckdb::TableFunction function("reel_scan", {}, fill, nullptr, start_scan, start_thread);
  function.projection_pushdown = true;
  function.filter_pushdown = true;
  function.cardinality = estimate;
  function.get_bind_info = [](const duckdb::optional_ptr<duckdb::FunctionData> bind_data) {
    return duckdb::BindInfo(bind_data->Cast<ScanBindData>().table);
  };
  return function;
}

}  // namespace reel::sql
