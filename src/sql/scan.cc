#include <algorithm>
#include <atomic>

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/parallel/task_scheduler.hpp>
#include <duckdb/planner/expression/bound_conjunction_expression.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/filter/conjunction_filter.hpp>
#include <duckdb/planner/filter/constant_filter.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <duckdb/planner/table_filter.hpp>

#include "sql/access_path.h"
#include "sql/catalog_internal.h"
#include "sql/errors_internal.h"
#include "sql/functions_internal.h"
#include "sql/scan_shares.h"
#include "sql/transaction_internal.h"
#include "sql/values_internal.h"

namespace reel::sql {
namespace {

using duckdb::idx_t;
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
  std::vector<Condition> conditions;  //!< beside those of the filters that are pushed into the scan
  mutable duckdb::idx_t rows = 0;     //!< of the table, when the statement was planned

  bool Equals(const duckdb::FunctionData& other) const override {
    const auto& scan = other.Cast<ScanBindData>();
    return &scan.table == &table && scan.conditions.empty() && conditions.empty();
  }
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<ScanBindData>(*this);
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

struct ScanThread final : duckdb::LocalTableFunctionState {
  std::optional<ScanShares::Share> share;
  std::unique_ptr<duckdb::ExpressionExecutor> filter;
  duckdb::SelectionVector selected{STANDARD_VECTOR_SIZE};
};

//! What is read, and by how many threads.
struct ScanPlan {
  std::vector<OutputColumn> output;
  AccessPath path;
  duckdb::unique_ptr<duckdb::Expression> filter;
  std::size_t threads = 1;
  std::size_t rows = 0;  //!< of the table; 0: it is not known
};

//! One scan, shared by the threads that work on it. Each reads its share of the key range chunk by
//! chunk and goes on where the last one ended, so nothing of the store is held between.
class TableScan final : public duckdb::GlobalTableFunctionState {
 public:
  TableScan(StoreTransaction& transaction, const TableEntry& table, ScanPlan plan)
      : threads_(plan.threads),
        rows_(plan.rows),
        filter_(std::move(plan.filter)),
        transaction_(transaction),
        schema_(table.stored()),
        output_(std::move(plan.output)),
        path_(with_columns(std::move(plan.path))),
        shares_(*schema_, path_) {}

  //! Fills the chunk; empty when nothing is left for this thread.
  void next(ScanThread& thread, duckdb::DataChunk& chunk) {
    transaction_.read([&](store::Snapshot& snapshot) {
      while (chunk.size() == 0) {
        if (!thread.share) thread.share = value_or_raise(shares_.take(snapshot));
        if (!thread.share) return;
        read(snapshot, thread, chunk);
      }
    });
  }

  //! In percent; negative when it is not known. At any time, from any thread.
  double progress() const {
    const store::ScanSpec& spec = path_.spec;
    if (rows_ == 0 || !spec.partition.empty() || spec.lower || spec.upper) return -1;
    return std::min(100.0, 100.0 * static_cast<double>(rows_read_) / static_cast<double>(rows_));
  }

  idx_t MaxThreads() const override { return threads_; }
  const duckdb::Expression* filter() const { return filter_.get(); }
  const store::TableSchema& schema() const { return *schema_; }
  const AccessPath& path() const { return path_; }
  std::uint64_t rows_read() const { return rows_read_; }

 private:
  AccessPath with_columns(AccessPath path) const {
    std::vector<bool> wanted(schema_->stored_count());
    for (const OutputColumn& column : output_) {
      if (column.kind == OutputColumn::Kind::cell) wanted[column.position] = true;
    }
    for (const std::size_t position : path.order) wanted[position] = true;
    const bool with_key = std::any_of(output_.begin(), output_.end(), [](const auto& column) {
      return column.kind == OutputColumn::Kind::row_id;
    });
    if (with_key) {
      for (const store::ColumnId id : schema_->key()) wanted[schema_->position(id)] = true;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) path.spec.columns.push_back(store::column_reference(schema_->stored(i).id));
    }
    path.spec.limit = STANDARD_VECTOR_SIZE;
    return path;
  }

  void read(store::Snapshot& snapshot, ScanThread& thread, duckdb::DataChunk& chunk) {
    idx_t count = 0;
    store::Key last;
    ok_or_raise(snapshot.scan(shares_.rest_of(*thread.share), [&](const store::RowView& row) {
      write_row(chunk, count++, row.cells);
      if (count == STANDARD_VECTOR_SIZE) {
        for (const std::size_t position : path_.order) last.push_back(row[position]);
      }
      return true;
    }));
    rows_read_ += count;
    chunk.SetCardinality(count);
    if (!last.empty()) return shares_.advance(*thread.share, std::move(last));
    shares_.finish(*thread.share);
    thread.share.reset();
  }

  void write_row(duckdb::DataChunk& chunk, idx_t row, const store::Row& cells) const {
    for (std::size_t i = 0; i < output_.size(); ++i) {
      duckdb::Vector& vector = chunk.data[i];
      switch (output_[i].kind) {
        case OutputColumn::Kind::cell:
          write_cell(vector, row, schema_->stored(output_[i].position).type,
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

  const std::size_t threads_;
  const std::size_t rows_;
  const duckdb::unique_ptr<duckdb::Expression> filter_;
  StoreTransaction& transaction_;
  const SchemaPtr schema_;
  const std::vector<OutputColumn> output_;
  const AccessPath path_;
  ScanShares shares_;
  std::atomic<std::uint64_t> rows_read_ = 0;
};

//! One more thread is worth its start for so many rows.
constexpr std::size_t kRowsPerThread = 20'000;
//! Each thread holds a snapshot.
constexpr std::size_t kThreadsMax = 8;

std::size_t threads_of(duckdb::ClientContext& context) {
  const auto threads = duckdb::TaskScheduler::GetScheduler(context).NumberOfThreads();
  return std::clamp<std::size_t>(static_cast<std::size_t>(threads), 1, kThreadsMax);
}

//! How many threads a scan is for, and that their snapshots are there.
std::size_t start_threads(duckdb::ClientContext& context, StoreTransaction& transaction,
                          const AccessPath& path, std::size_t rows) {
  // One row, or an index: few rows.
  const bool divisible = !path.order.empty() && path.spec.index.empty();
  const std::size_t wanted =
      divisible ? std::clamp<std::size_t>(rows / kRowsPerThread, 1, threads_of(context)) : 1;
  // Later statements of the transaction read the state that this one does.
  const bool more_follow = !context.transaction.IsAutoCommit();
  const std::size_t had =
      transaction.start_reading(more_follow ? threads_of(context) : wanted, divisible);
  return std::min(wanted, had);
}

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
  const auto& bind_data = input.bind_data->Cast<ScanBindData>();
  TableEntry& table = bind_data.table;
  auto& transaction = StoreTransaction::get(context, table.ParentCatalog());
  transaction.check_version(*table.stored());
  ScanPlan plan;
  std::vector<OutputColumn>& output = plan.output;
  duckdb::vector<duckdb::LogicalType> types;
  const auto virtual_columns = table.GetVirtualColumns();
  for (const duckdb::column_t column : input.column_ids) {
    output.push_back(output_column(table, column));
    const auto found = virtual_columns.find(column);
    types.push_back(found != virtual_columns.end()
                        ? found->second.type
                        : table.GetColumn(duckdb::LogicalIndex(column)).Type());
  }
  std::vector<Condition> conditions = bind_data.conditions;
  if (input.filters) {
    plan.filter = join_filters(*input.filters, types);
    for (const auto& [column, column_filter] : input.filters->filters) {
      if (output[column].kind != OutputColumn::Kind::cell) continue;
      const std::size_t position = output[column].position;
      collect_conditions(*column_filter, position, table.stored()->stored(position).type,
                         conditions);
    }
  }
  plan.path = choose_path(*table.stored(), conditions);
  plan.rows = bind_data.rows;
  plan.threads = start_threads(context, transaction, plan.path, bind_data.rows);
  return duckdb::make_uniq<TableScan>(transaction, table, std::move(plan));
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
    scan.next(thread, chunk);
    if (chunk.size() == 0 || thread.filter == nullptr) return;
    const duckdb::idx_t kept = thread.filter->SelectExpression(chunk, thread.selected);
    if (kept == chunk.size()) return;
    if (kept > 0) return chunk.Slice(thread.selected, kept);
    chunk.Reset();
  }
}

//! Filters on media time narrow the scan; they stay in the plan, so every row is checked.
void note_time_filters(duckdb::ClientContext& context, duckdb::LogicalGet& get,
                       duckdb::FunctionData* bind_data,
                       duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) {
  auto& scan = bind_data->Cast<ScanBindData>();
  const auto& columns = get.GetColumnIds();
  for (const auto& filter : filters) {
    for (TimeBound& bound : time_bounds(context, *filter)) {
      const auto& index = columns[bound.column->binding.column_index];
      if (index.IsVirtualColumn()) continue;
      const OutputColumn output = output_column(scan.table, index.GetPrimaryIndex());
      // Where a bound may be null, such rows belong to the result as well.
      if (scan.table.stored()->stored(output.position).nullable) continue;
      scan.conditions.push_back(
          {.column = output.position, .op = bound.op, .value = std::move(bound.value)});
    }
  }
}

//! From the ledger, which counts the rows of every hour.
duckdb::unique_ptr<duckdb::NodeStatistics> estimate(duckdb::ClientContext& context,
                                                    const duckdb::FunctionData* bind_data) {
  const auto& scan = bind_data->Cast<ScanBindData>();
  TableEntry& table = scan.table;
  auto& transaction = StoreTransaction::get(context, table.ParentCatalog());
  const auto ledger = transaction.read(
      [&](store::Snapshot& snapshot) { return snapshot.ledger(table.stored()->name); });
  if (!ledger) return nullptr;
  std::int64_t rows = 0;
  for (const store::LedgerEntry& entry : *ledger) rows += entry.rows;
  scan.rows = static_cast<duckdb::idx_t>(rows);
  transaction.expect_threads(
      std::min<std::size_t>(scan.rows / kRowsPerThread, threads_of(context)));
  return duckdb::make_uniq<duckdb::NodeStatistics>(scan.rows);
}

std::string bound_text(const TableScan& scan, const store::RangeBound& bound) {
  std::string text;
  for (std::size_t i = 0; i < bound.prefix.size(); ++i) {
    const store::Type& type = scan.schema().columns[scan.path().order[i]].type;
    text += (i > 0 ? ", " : "") + to_duckdb(type, bound.prefix[i]).ToString();
  }
  return text;
}

//! What EXPLAIN says of a scan before it runs.
duckdb::InsertionOrderPreservingMap<std::string> describe(
    duckdb::TableFunctionToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> lines;
  lines["Table"] = input.bind_data->Cast<ScanBindData>().table.stored()->name;
  return lines;
}

//! What EXPLAIN ANALYZE adds: where the scan has looked.
duckdb::InsertionOrderPreservingMap<std::string> describe_run(
    duckdb::TableFunctionDynamicToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> lines;
  if (!input.global_state) return lines;
  const auto& scan = input.global_state->Cast<TableScan>();
  const store::ScanSpec& spec = scan.path().spec;
  std::string access = spec.index.empty() ? "key" : spec.index;
  if (!spec.partition.empty()) access = "partition";
  const char* word = ": ";
  for (const std::size_t position : scan.path().order) {
    access += std::exchange(word, ", ") + scan.schema().columns[position].name;
  }
  lines["Access"] = access;
  if (spec.lower) lines["From"] = bound_text(scan, *spec.lower);
  if (spec.upper) lines["To"] = bound_text(scan, *spec.upper);
  lines["Rows Read"] = std::to_string(scan.rows_read());
  return lines;
}

}  // namespace

duckdb::TableFunction TableEntry::GetScanFunction(
    duckdb::ClientContext&, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  bind_data = duckdb::make_uniq<ScanBindData>(*this);
  duckdb::TableFunction function("reel_scan", {}, fill, nullptr, start_scan, start_thread);
  function.projection_pushdown = true;
  function.filter_pushdown = true;
  function.pushdown_complex_filter = note_time_filters;
  function.cardinality = estimate;
  function.to_string = describe;
  function.dynamic_to_string = describe_run;
  function.table_scan_progress = [](duckdb::ClientContext&, const duckdb::FunctionData*,
                                    const duckdb::GlobalTableFunctionState* scan) {
    return scan->Cast<TableScan>().progress();
  };
  // Plans that are asked for a copy of it, of a CTE for instance, do without.
  function.SetSerializeCallback([](duckdb::Serializer&,
                                   const duckdb::optional_ptr<duckdb::FunctionData>,
                                   const duckdb::TableFunction&) {
    throw duckdb::NotImplementedException("a scan of the store cannot be copied");
  });
  function.SetDeserializeCallback(
      [](duckdb::Deserializer&,
         duckdb::TableFunction&) -> duckdb::unique_ptr<duckdb::FunctionData> { return nullptr; });
  function.get_bind_info = [](const duckdb::optional_ptr<duckdb::FunctionData> bind_data) {
    return duckdb::BindInfo(bind_data->Cast<ScanBindData>().table);
  };
  return function;
}

}  // namespace reel::sql
