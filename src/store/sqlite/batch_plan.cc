#include "store/sqlite/batch_plan_internal.h"

#include <algorithm>

namespace reel::store::sqlite {
namespace {

//! Of all cells of a batch together; keeps every row below SQLite's limit of 10^9 bytes.
constexpr std::size_t kBatchBytesMax = std::size_t{256} << 20;

//! What a value takes in the file, roughly.
std::size_t size_of(const Value& value) {
  if (const auto* text = value.get_if<std::string>()) return text->size();
  if (const auto* binary = value.get_if<Binary>()) return binary->bytes.size();
  std::size_t size = 16;
  if (const auto* list = value.get_if<ValueList>()) {
    for (const Value& item : *list) size += size_of(item);
  }
  if (const auto* map = value.get_if<ValueMap>()) {
    for (const auto& [name, item] : *map) size += name.size() + size_of(item);
  }
  return size;
}

class Planner {
 public:
  Planner(const Batch& batch, const BatchLimits& limits, BatchPlan& plan)
      : batch_(batch), limits_(limits), plan_(plan) {}

  Status run() {
    if (batch_.mutations.size() > limits_.mutations_max) {
      return too_large("a batch has {} mutations, at most {} are allowed", batch_.mutations.size(),
                       limits_.mutations_max);
    }
    for (const auto& [name, version] : batch_.schema_versions) {
      REEL_ASSIGN(const Layout* const layout, find(name));
      if (layout->schema->version != version) {
        return conflict("table '{}' has schema version {} by now, not {}", name,
                        layout->schema->version, version);
      }
    }
    plan_.preconditions.reserve(batch_.preconditions.size());
    for (const Precondition& precondition : batch_.preconditions) REEL_TRY(add(precondition));
    plan_.mutations.reserve(batch_.mutations.size());
    for (const Mutation& mutation : batch_.mutations) REEL_TRY(add(mutation));
    if (bytes_ > kBatchBytesMax) {
      return too_large("a batch has {} bytes of values, at most {} are allowed", bytes_,
                       kBatchBytesMax);
    }
    return {};
  }

 private:
  Result<const Layout*> find(const std::string& table) {
    if (last_ != nullptr && last_->schema->name == table) return last_;
    REEL_ASSIGN(const auto layout, plan_.layouts->table(table));
    last_ = layout.get();  // kept alive by plan_.layouts
    return last_;
  }

  Status add(const Precondition& precondition) {
    REEL_ASSIGN(const Layout* const layout, find(precondition.table));
    PlannedPrecondition planned{.layout = layout, .cells = {}};
    if (precondition.kind == Precondition::Kind::no_overlap) {
      REEL_TRY(check_key(*layout, precondition.key, layout->partition_size));
      REEL_TRY(plan_overlap(precondition, planned));
    } else if (precondition.kind == Precondition::Kind::empty) {
      REEL_TRY(check_key(*layout, precondition.key, layout->partition_size));
    } else {
      REEL_TRY(check_key(*layout, precondition.key, layout->key.size()));
      REEL_ASSIGN(planned.cells, positions(*layout, precondition.cells));
    }
    plan_.preconditions.push_back(std::move(planned));
    return {};
  }

  Status plan_overlap(const Precondition& precondition, PlannedPrecondition& planned) {
    const Layout& layout = *planned.layout;
    if (layout.key.size() != layout.partition_size + 1) {
      return invalid("no_overlap needs a table with one clustering column, '{}' has {}",
                     precondition.table, layout.key.size() - layout.partition_size);
    }
    REEL_ASSIGN(planned.end_column, layout.position(precondition.end_column));
    const Type& start = layout.schema->columns[layout.key.back()].type;
    if (start != layout.schema->columns[planned.end_column].type) {
      return invalid("no_overlap: '{}' is not of the type of the clustering column",
                     precondition.end_column);
    }
    if (precondition.start.is_null()) return invalid("no_overlap: start is null");
    REEL_TRY(check_value(start, precondition.start));
    return check_value(start, precondition.end);
  }

  Status add(const Mutation& mutation) {
    REEL_ASSIGN(const Layout* const layout, find(mutation.table));
    const bool appends = mutation.kind == Mutation::Kind::append;
    REEL_TRY(
        check_key(*layout, mutation.key, appends ? layout->partition_size : layout->key.size()));
    if (appends) REEL_TRY(check_appendable(*layout));
    if (mutation.kind == Mutation::Kind::erase && !mutation.cells.empty()) {
      return invalid("an erase names cells");
    }
    PlannedMutation planned{.layout = layout, .cells = {}};
    REEL_ASSIGN(planned.cells, positions(*layout, mutation.cells));
    REEL_TRY(check_cells(mutation, planned));
    const bool may_fail =
        mutation.kind == Mutation::Kind::insert || mutation.kind == Mutation::Kind::update;
    plan_.needs_savepoint = plan_.needs_savepoint || (may_fail && !plan_.mutations.empty());
    for (const Value& value : mutation.key) bytes_ += size_of(value);
    plan_.mutations.push_back(std::move(planned));
    return {};
  }

  static Status check_appendable(const Layout& layout) {
    const TableSchema& schema = *layout.schema;
    const bool one_more = layout.key.size() == layout.partition_size + 1;
    if (one_more && schema.columns[layout.key.back()].type == Type::of(TypeKind::int64)) return {};
    return invalid("append needs a table with one clustering column of int64, not '{}'",
                   schema.name);
  }

  //! Positions of named cells; types and sizes are right.
  Result<std::vector<std::size_t>> positions(const Layout& layout, const Cells& cells) {
    std::vector<std::size_t> found;
    found.reserve(cells.size());
    for (const auto& [name, value] : cells) {
      REEL_ASSIGN(const std::size_t position, layout.position(name));
      if (const Status checked = check_value(layout.schema->columns[position].type, value);
          !checked) {
        return invalid("column '{}': {}", name, checked.error().message());
      }
      const std::size_t size = size_of(value);
      if (size > limits_.cell_bytes_max) {
        return too_large("column '{}' has {} bytes, at most {} are allowed", name, size,
                         limits_.cell_bytes_max);
      }
      bytes_ += size;
      found.push_back(position);
    }
    return found;
  }

  //! No key column, no column twice, no null where none may be, nothing missing.
  Status check_cells(const Mutation& mutation, const PlannedMutation& planned) {
    const TableSchema& schema = *planned.layout->schema;
    named_.assign(schema.columns.size(), false);
    for (std::size_t i = 0; i < planned.cells.size(); ++i) {
      const std::size_t position = planned.cells[i];
      const Column& column = schema.columns[position];
      if (planned.layout->is_key(position)) {
        return invalid("column '{}' belongs to the key", column.name);
      }
      if (named_[position]) return invalid("column '{}' is named twice", column.name);
      if (mutation.kind == Mutation::Kind::update && column.id == kInsertedAt) {
        return invalid("inserted_at cannot be updated");
      }
      if (!column.nullable && mutation.cells[i].second.is_null()) {
        return invalid("column '{}' may not be null", column.name);
      }
      named_[position] = true;
    }
    const bool creates = mutation.kind == Mutation::Kind::insert ||
                         mutation.kind == Mutation::Kind::upsert ||
                         mutation.kind == Mutation::Kind::append;
    if (!creates) return {};
    for (const std::size_t position : planned.layout->not_key) {
      const Column& column = schema.columns[position];
      if (!column.nullable && !named_[position] && column.default_value.is_null() &&
          column.id != kInsertedAt) {
        return invalid("column '{}' has no default and is not given", column.name);
      }
    }
    return {};
  }

  const Batch& batch_;
  const BatchLimits& limits_;
  BatchPlan& plan_;
  const Layout* last_ = nullptr;
  std::vector<bool> named_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<BatchPlan> plan_batch(std::shared_ptr<const Layouts> layouts, const Batch& batch,
                             const BatchLimits& limits) {
  BatchPlan plan;
  plan.layouts = std::move(layouts);
  REEL_TRY(Planner(batch, limits, plan).run());
  return plan;
}

Status check_key(const Layout& layout, const Key& key, std::size_t size) {
  const TableSchema& schema = *layout.schema;
  if (key.size() != size) {
    return invalid("a key of table '{}' has {} values, {} are needed", schema.name, key.size(),
                   size);
  }
  for (std::size_t i = 0; i < size; ++i) {
    const Column& column = schema.columns[layout.key[i]];
    if (key[i].is_null()) return invalid("key column '{}' is null", column.name);
    if (const Status checked = check_value(column.type, key[i]); !checked) {
      return invalid("key column '{}': {}", column.name, checked.error().message());
    }
  }
  return {};
}

}  // namespace reel::store::sqlite
