#include <array>

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/common/vector_operations/unary_executor.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/function_binder.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/parser/parsed_data/create_scalar_function_info.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>

#include "sql/errors_internal.h"
#include "sql/functions_internal.h"
#include "sql/types_internal.h"
#include "sql/undo_functions_internal.h"
#include "sql/values_internal.h"
#include "time/time_range.h"

namespace reel::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::hugeint_t;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::ScalarFunction;
using duckdb::string_t;
using duckdb::Vector;
using store::Int128;
using time::TimeRange;
using time::Timestamp;

using Expressions = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

constexpr char kOverlaps[] = "tr_overlaps";
constexpr char kContains[] = "tr_contains";

LogicalType moment_type() { return to_logical(store::Type::media_time()); }

LogicalType range_type() {
  return LogicalType::STRUCT({{"start_time", moment_type()}, {"end_time", moment_type()}});
}

std::string_view view(const string_t& text) { return {text.GetData(), text.GetSize()}; }

Timestamp to_timestamp(hugeint_t nanoseconds) {
  return value_or_raise(Timestamp::checked(from_hugeint(nanoseconds)));
}

//! A range as its columns have it, nullopt for an open bound.
struct Bounds {
  std::optional<Int128> start;
  std::optional<Int128> end;
};

Bounds bounds_of(const TimeRange& range) {
  if (range.is_never()) return {.start = 0, .end = 0};
  const auto first = range.first();
  return {.start = first ? std::optional(first->nanoseconds()) : std::nullopt,
          .end = range.past_last_nanoseconds()};
}

TimeRange range_of(const Bounds& bounds) {
  return value_or_raise(TimeRange::from_nanoseconds(bounds.start, bounds.end));
}

//! Two columns of bounds, or one column of ranges, row by row.
class RangeArgument {
 public:
  //! Takes one or two of the arguments, from `next` on.
  RangeArgument(DataChunk& arguments, idx_t& next, bool pair) : pair_(pair) {
    const idx_t count = arguments.size();
    if (pair) {
      arguments.data[next++].ToUnifiedFormat(count, start_);
      arguments.data[next++].ToUnifiedFormat(count, end_);
      return;
    }
    Vector& ranges = arguments.data[next++];
    constant_ = ranges.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
    if (!constant_) ranges.Flatten(count);
    ranges.ToUnifiedFormat(count, ranges_);
    auto& members = duckdb::StructVector::GetEntries(ranges);
    members[0]->ToUnifiedFormat(constant_ ? 1 : count, start_);
    members[1]->ToUnifiedFormat(constant_ ? 1 : count, end_);
  }

  //! nullopt: the range is null.
  std::optional<Bounds> operator()(idx_t row) const {
    const idx_t at = constant_ ? 0 : row;
    if (!pair_ && !ranges_.validity.RowIsValid(ranges_.sel->get_index(at))) return std::nullopt;
    return Bounds{.start = bound(start_, at), .end = bound(end_, at)};
  }

 private:
  static std::optional<Int128> bound(const duckdb::UnifiedVectorFormat& column, idx_t row) {
    const idx_t at = column.sel->get_index(row);
    if (!column.validity.RowIsValid(at)) return std::nullopt;
    return from_hugeint(duckdb::UnifiedVectorFormat::GetData<hugeint_t>(column)[at]);
  }

  const bool pair_;
  bool constant_ = false;
  duckdb::UnifiedVectorFormat ranges_;
  duckdb::UnifiedVectorFormat start_;
  duckdb::UnifiedVectorFormat end_;
};

void put(Vector& result, idx_t row, bool answer) {
  duckdb::FlatVector::GetData<bool>(result)[row] = answer;
}
void put(Vector& result, idx_t row, Int128 nanoseconds) {
  duckdb::FlatVector::GetData<hugeint_t>(result)[row] = to_hugeint(nanoseconds);
}
void put(Vector& result, idx_t row, const std::string& text) {
  duckdb::FlatVector::GetData<string_t>(result)[row] =
      duckdb::StringVector::AddString(result, text);
}
void put(Vector& result, idx_t row, const Bounds& bounds) {
  auto& members = duckdb::StructVector::GetEntries(result);
  const std::array<std::optional<Int128>, 2> values = {bounds.start, bounds.end};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) {
      put(*members[i], row, *values[i]);
    } else {
      duckdb::FlatVector::SetNull(*members[i], row, true);
    }
  }
}

//! Fills the result with what `answer` says of each row; nullopt is null. Once is enough when all
//! arguments are constant.
template <class Answer>
void answer_rows(const DataChunk& arguments, Vector& result, const Answer& answer) {
  const bool once = arguments.AllConstant();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t row = 0; row < (once ? 1 : arguments.size()); ++row) {
    if (const auto answered = answer(row)) {
      put(result, row, *answered);
    } else {
      duckdb::FlatVector::SetNull(result, row, true);
    }
  }
  if (once) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void run_ts(DataChunk& arguments, ExpressionState&, Vector& result) {
  duckdb::UnaryExecutor::Execute<string_t, hugeint_t>(
      arguments.data[0], result, arguments.size(), [](string_t text) {
        return to_hugeint(value_or_raise(Timestamp::parse(view(text))).nanoseconds());
      });
}

void run_ts_text(DataChunk& arguments, ExpressionState&, Vector& result) {
  duckdb::UnaryExecutor::Execute<hugeint_t, string_t>(
      arguments.data[0], result, arguments.size(), [&](hugeint_t moment) {
        return duckdb::StringVector::AddString(result, to_timestamp(moment).to_string());
      });
}

void run_timerange(DataChunk& arguments, ExpressionState&, Vector& result) {
  duckdb::UnifiedVectorFormat texts;
  arguments.data[0].ToUnifiedFormat(arguments.size(), texts);
  answer_rows(arguments, result, [&](idx_t row) -> std::optional<Bounds> {
    const idx_t at = texts.sel->get_index(row);
    if (!texts.validity.RowIsValid(at)) return std::nullopt;
    const string_t text = duckdb::UnifiedVectorFormat::GetData<string_t>(texts)[at];
    return bounds_of(value_or_raise(TimeRange::parse(view(text))));
  });
}

void run_timerange_text(DataChunk& arguments, ExpressionState&, Vector& result) {
  idx_t next = 0;
  const RangeArgument ranges(arguments, next, true);
  answer_rows(arguments, result, [&](idx_t row) -> std::optional<std::string> {
    return range_of(*ranges(row)).to_string();
  });
}

//! Of the ranges that a call is given, those that are given as two bounds.
struct Pairs final : duckdb::FunctionData {
  std::array<bool, 2> is_pair = {};

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<Pairs>(*this);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return other.Cast<Pairs>().is_pair == is_pair;
  }
};

const Pairs& pairs_of(const ExpressionState& state) {
  return state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<Pairs>();
}

//! Of one range.
template <auto answer>
void run_on_range(DataChunk& arguments, ExpressionState& state, Vector& result) {
  idx_t next = 0;
  const RangeArgument ranges(arguments, next, pairs_of(state).is_pair[0]);
  using Answer = decltype(answer(Bounds{}));
  answer_rows(arguments, result, [&](idx_t row) -> Answer {
    const auto range = ranges(row);
    return range ? answer(*range) : std::nullopt;
  });
}

//! Of two ranges.
template <auto answer>
void run_on_ranges(DataChunk& arguments, ExpressionState& state, Vector& result) {
  idx_t next = 0;
  const Pairs& pairs = pairs_of(state);
  const RangeArgument first(arguments, next, pairs.is_pair[0]);
  const RangeArgument second(arguments, next, pairs.is_pair[1]);
  using Answer = std::optional<decltype(answer(TimeRange::never(), TimeRange::never()))>;
  answer_rows(arguments, result, [&](idx_t row) -> Answer {
    const auto a = first(row);
    const auto b = second(row);
    if (!a || !b) return std::nullopt;
    return answer(range_of(*a), range_of(*b));
  });
}

void run_contains(DataChunk& arguments, ExpressionState& state, Vector& result) {
  idx_t next = 0;
  const RangeArgument ranges(arguments, next, pairs_of(state).is_pair[0]);
  duckdb::UnifiedVectorFormat moments;
  arguments.data[next].ToUnifiedFormat(arguments.size(), moments);
  answer_rows(arguments, result, [&](idx_t row) -> std::optional<bool> {
    const auto range = ranges(row);
    const idx_t at = moments.sel->get_index(row);
    if (!range || !moments.validity.RowIsValid(at)) return std::nullopt;
    const auto moment = duckdb::UnifiedVectorFormat::GetData<hugeint_t>(moments)[at];
    return range_of(*range).contains(to_timestamp(moment));
  });
}

std::optional<Int128> start_of(const Bounds& range) { return bounds_of(range_of(range)).start; }
std::optional<Int128> end_of(const Bounds& range) { return bounds_of(range_of(range)).end; }
std::optional<Int128> duration_of(const Bounds& range) {
  const Bounds bounds = bounds_of(range_of(range));
  if (!bounds.start || !bounds.end) return std::nullopt;
  return *bounds.end - *bounds.start;
}
bool overlap(const TimeRange& a, const TimeRange& b) { return a.overlaps(b); }
Bounds intersection(const TimeRange& a, const TimeRange& b) { return bounds_of(a.intersect(b)); }

ScalarFunction ts_function() { return {"ts", {LogicalType::VARCHAR}, moment_type(), run_ts}; }

ScalarFunction timerange_function() {
  return {"timerange", {LogicalType::VARCHAR}, range_type(), run_timerange};
}

//! Wraps a text into the function that reads it.
void read_text(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression>& argument,
               ScalarFunction reader) {
  if (argument->return_type.id() != LogicalTypeId::VARCHAR) return;
  reader.SetErrorMode(duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR);
  Expressions children;
  children.push_back(std::move(argument));
  argument =
      duckdb::FunctionBinder(context).BindScalarFunction(std::move(reader), std::move(children));
}

bool is_null(const duckdb::Expression& argument) {
  return argument.return_type.id() == LogicalTypeId::SQLNULL;
}

bool is_range(const duckdb::Expression& argument) {
  const LogicalTypeId type = argument.return_type.id();
  return type == LogicalTypeId::VARCHAR || type == LogicalTypeId::STRUCT;
}

//! Whether the next argument is the first of two bounds. Of NULL, what comes last tells it.
bool begins_pair(const duckdb::Expression& next, const duckdb::Expression& last) {
  return !is_range(next) && (!is_null(next) || is_range(last));
}

//! Finds out which arguments are the ranges; a moment may follow. DuckDB then casts them to the
//! types that are left in `function`.
template <std::size_t kRanges, bool kMoment>
duckdb::unique_ptr<duckdb::FunctionData> bind_ranges(duckdb::ClientContext& context,
                                                     ScalarFunction& function,
                                                     Expressions& arguments) {
  constexpr std::size_t kLeast = kRanges + (kMoment ? 1 : 0);
  if (arguments.size() < kLeast || arguments.size() > kLeast + kRanges) {
    throw duckdb::BinderException("%s takes %d to %d arguments, not %d", function.name, kLeast,
                                  kLeast + kRanges, arguments.size());
  }
  for (const auto& argument : arguments) {
    // Of a parameter, the type is known when its value is.
    if (argument->return_type.id() == LogicalTypeId::UNKNOWN) {
      throw duckdb::ParameterNotResolvedException();
    }
  }
  auto found = duckdb::make_uniq<Pairs>();
  std::size_t pairs = arguments.size() - kLeast;
  function.arguments.clear();
  const auto moment = [&] {
    read_text(context, arguments[function.arguments.size()], ts_function());
    function.arguments.push_back(moment_type());
  };
  for (std::size_t i = 0; i < kRanges; ++i) {
    auto& argument = arguments[function.arguments.size()];
    const bool only_pairs_left = pairs == kRanges - i;
    if (only_pairs_left || (pairs > 0 && begins_pair(*argument, *arguments.back()))) {
      found->is_pair[i] = true;
      --pairs;
      moment();
      moment();
      continue;
    }
    if (!is_range(*argument) && !is_null(*argument)) {
      throw duckdb::BinderException("%s: %s is not a time range but %s", function.name,
                                    argument->ToString(), argument->return_type.ToString());
    }
    read_text(context, argument, timerange_function());
    function.arguments.push_back(range_type());
  }
  if (kMoment) moment();
  return found;
}

template <std::size_t kRanges, bool kMoment = false>
ScalarFunction on_ranges(const char* name, LogicalType result, duckdb::scalar_function_t run) {
  ScalarFunction function(name, {}, std::move(result), std::move(run),
                          bind_ranges<kRanges, kMoment>);
  function.varargs = LogicalType::ANY;
  // A bound that is null means something.
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  return function;
}

//! With what duckdb_functions() says of it.
void add(duckdb::DatabaseInstance& instance, ScalarFunction function,
         duckdb::vector<std::string> parameters, std::string description, std::string example) {
  function.SetErrorMode(duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR);
  duckdb::FunctionDescription about;
  about.parameter_types = function.arguments;
  about.parameter_types.resize(parameters.size(), LogicalType::ANY);
  about.parameter_names = std::move(parameters);
  about.description = std::move(description);
  about.examples = {std::move(example)};
  duckdb::CreateScalarFunctionInfo info(std::move(function));
  info.descriptions.push_back(std::move(about));
  info.internal = true;
  info.on_conflict = duckdb::OnCreateConflict::ALTER_ON_CONFLICT;  // overloads come one by one
  duckdb::Catalog::GetSystemCatalog(instance).CreateFunction(
      duckdb::CatalogTransaction::GetSystemTransaction(instance), info);
}

//! The bounds of the constant range or moment that a call compares its columns with; nullopt when
//! it is not constant, null, or no proper one.
std::optional<Bounds> constant_bounds(duckdb::ClientContext& context,
                                      const duckdb::Expression& expression) {
  duckdb::Value value;
  if (!expression.IsFoldable() ||
      !duckdb::ExpressionExecutor::TryEvaluateScalar(context, expression, value) ||
      value.IsNull()) {
    return std::nullopt;
  }
  const auto number = [](const duckdb::Value& bound) -> std::optional<Int128> {
    if (bound.IsNull()) return std::nullopt;
    return from_hugeint(bound.GetValueUnsafe<hugeint_t>());
  };
  if (value.type().id() != LogicalTypeId::STRUCT) return Bounds{number(value), number(value)};
  const auto& members = duckdb::StructValue::GetChildren(value);
  const Bounds bounds{number(members[0]), number(members[1])};
  const auto range = TimeRange::from_nanoseconds(bounds.start, bounds.end);
  return range && !range->is_never() ? std::optional(bounds) : std::nullopt;
}

}  // namespace

void register_functions(duckdb::DatabaseInstance& instance) {
  register_undo_functions(instance);
  add(instance, ts_function(), {"text"}, "The moment of a TAMS timestamp, in seconds",
      "ts('1694429247:40000000')");
  add(instance, {"ts_text", {moment_type()}, LogicalType::VARCHAR, run_ts_text}, {"moment"},
      "The TAMS timestamp of a moment", "ts_text(start_time)");
  add(instance, timerange_function(), {"text"}, "The bounds of a TAMS time range, half-open",
      "timerange('[0:0_10:0)')");
  ScalarFunction text("timerange", {moment_type(), moment_type()}, LogicalType::VARCHAR,
                      run_timerange_text);
  text.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  add(instance, std::move(text), {"start", "end"}, "The TAMS time range from start up to end",
      "timerange(start_time, end_time)");
  add(instance, on_ranges<1>("tr_start", moment_type(), run_on_range<start_of>), {"range"},
      "The first moment of a range", "tr_start('[0:0_10:0)')");
  add(instance, on_ranges<1>("tr_end", moment_type(), run_on_range<end_of>), {"range"},
      "The first moment behind a range", "tr_end('[0:0_10:0)')");
  add(instance, on_ranges<1>("tr_duration", moment_type(), run_on_range<duration_of>), {"range"},
      "The length of a range in seconds", "tr_duration(start_time, end_time)");
  add(instance, on_ranges<2>(kOverlaps, LogicalType::BOOLEAN, run_on_ranges<overlap>), {"a", "b"},
      "Whether two ranges share a moment", "tr_overlaps(start_time, end_time, '[0:0_10:0)')");
  add(instance, on_ranges<2>("tr_intersect", range_type(), run_on_ranges<intersection>), {"a", "b"},
      "What two ranges have in common", "tr_intersect('[0:0_10:0)', '[5:0_')");
  add(instance, on_ranges<1, true>(kContains, LogicalType::BOOLEAN, run_contains),
      {"range", "moment"}, "Whether a range holds a moment",
      "tr_contains(start_time, end_time, '5:0')");
}

std::vector<TimeBound> time_bounds(duckdb::ClientContext& context,
                                   const duckdb::Expression& filter) {
  if (filter.GetExpressionClass() != duckdb::ExpressionClass::BOUND_FUNCTION) return {};
  const auto& call = filter.Cast<duckdb::BoundFunctionExpression>();
  const bool overlaps = call.function.name == kOverlaps;
  if ((!overlaps && call.function.name != kContains) || call.children.size() != 3) return {};
  const bool first_is_pair = call.bind_info->Cast<Pairs>().is_pair[0];
  const auto column = [&](std::size_t i) -> const duckdb::BoundColumnRefExpression* {
    const duckdb::Expression& child = *call.children[i + (first_is_pair ? 0 : 1)];
    return child.GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF
               ? &child.Cast<duckdb::BoundColumnRefExpression>()
               : nullptr;
  };
  const auto bounds = constant_bounds(context, *call.children[first_is_pair ? 2 : 0]);
  if (!bounds) return {};
  using Op = store::Predicate::Op;
  std::vector<TimeBound> found;
  if (column(0) != nullptr && bounds->end) {
    found.push_back(
        {column(0), overlaps ? Op::less : Op::less_equal, store::Decimal{*bounds->end}});
  }
  if (column(1) != nullptr && bounds->start) {
    found.push_back({column(1), Op::greater, store::Decimal{*bounds->start}});
  }
  return found;
}

}  // namespace reel::sql
