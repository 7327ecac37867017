#include "sql/access_path.h"

#include <algorithm>

namespace reel::sql {
namespace {

using Op = store::Predicate::Op;

const Condition* find(const std::vector<Condition>& conditions, std::size_t column,
                      std::initializer_list<Op> ops) {
  for (const Condition& condition : conditions) {
    const bool wanted = std::find(ops.begin(), ops.end(), condition.op) != ops.end();
    if (condition.column == column && wanted) return &condition;
  }
  return nullptr;
}

//! What is known of the leading columns of an order.
struct Bounds {
  store::Key equal;
  const Condition* low = nullptr;
  const Condition* high = nullptr;

  //! Of two orders, the one that leaves fewer rows, as far as one can tell.
  std::size_t score() const {
    return 4 * equal.size() + (low != nullptr ? 1U : 0U) + (high != nullptr ? 1U : 0U);
  }
};

Bounds find_bounds(const std::vector<std::size_t>& order,
                   const std::vector<Condition>& conditions) {
  Bounds bounds;
  for (const std::size_t column : order) {
    if (const auto* equal = find(conditions, column, {Op::equal, Op::is_null})) {
      bounds.equal.push_back(equal->value);
      continue;
    }
    bounds.low = find(conditions, column, {Op::greater, Op::greater_equal});
    bounds.high = find(conditions, column, {Op::less, Op::less_equal});
    break;
  }
  return bounds;
}

store::RangeBound bound_of(const Bounds& bounds, const Condition* end) {
  store::RangeBound bound{.prefix = bounds.equal};
  if (end == nullptr) return bound;
  bound.prefix.push_back(end->value);
  bound.inclusive = end->op == Op::greater_equal || end->op == Op::less_equal;
  return bound;
}

std::vector<std::size_t> positions(const store::TableSchema& schema,
                                   const std::vector<store::ColumnId>& ids) {
  std::vector<std::size_t> found;
  found.reserve(ids.size());
  for (const store::ColumnId id : ids) found.push_back(schema.position(id));
  return found;
}

//! An index's columns, then those of the key, which bounds of an index scan repeat.
std::vector<std::size_t> order_of(const store::TableSchema& schema, const store::Index& index) {
  auto order = positions(schema, index.columns);
  const auto key = positions(schema, schema.key());
  order.insert(order.end(), key.begin(), key.end());
  return order;
}

void set_bounds(AccessPath& path, const Bounds& bounds) {
  if (!bounds.equal.empty() || bounds.low != nullptr) {
    path.spec.lower = bound_of(bounds, bounds.low);
  }
  if (!bounds.equal.empty() || bounds.high != nullptr) {
    path.spec.upper = bound_of(bounds, bounds.high);
  }
}

}  // namespace

AccessPath choose_path(const store::TableSchema& schema, const std::vector<Condition>& conditions) {
  AccessPath path{.spec = {.table = schema.name}, .order = positions(schema, schema.key())};
  Bounds best = find_bounds(path.order, conditions);
  if (best.equal.size() >= schema.partition_key.size()) {
    const auto partition = static_cast<std::ptrdiff_t>(schema.partition_key.size());
    path.spec.partition.assign(best.equal.begin(), best.equal.begin() + partition);
    best.equal.erase(best.equal.begin(), best.equal.begin() + partition);
    path.order.erase(path.order.begin(), path.order.begin() + partition);
    set_bounds(path, best);
    return path;
  }
  for (const store::Index& index : schema.indexes) {
    if (index.kind != store::IndexKind::sorted) continue;
    auto order = order_of(schema, index);
    Bounds bounds = find_bounds(order, conditions);
    if (bounds.score() <= best.score()) continue;
    best = std::move(bounds);
    path.order = std::move(order);
    path.spec.index = index.name;
  }
  set_bounds(path, best);
  return path;
}

}  // namespace reel::sql
