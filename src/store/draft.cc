#include "store/draft.h"

#include <algorithm>
#include <utility>

#include "store/document.h"

namespace reel::store {
namespace {

//! The cells of a row in this order.
Key cells_at(const std::vector<std::size_t>& positions, const Row& row) {
  Key cells;
  cells.reserve(positions.size());
  for (const std::size_t position : positions) cells.push_back(row[position]);
  return cells;
}

//! Column by column, as far as the shorter one goes.
std::strong_ordering compare_leading(const Key& a, const Key& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const auto order = compare(a[i], b[i]); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

bool holds(const Predicate& predicate, const Value& cell) {
  using Op = Predicate::Op;
  const bool is_null = cell.is_null() || predicate.value.is_null();
  switch (predicate.op) {
    case Op::equal: return compare(cell, predicate.value) == 0;
    case Op::less: return !is_null && compare(cell, predicate.value) < 0;
    case Op::less_equal: return !is_null && compare(cell, predicate.value) <= 0;
    case Op::greater: return !is_null && compare(cell, predicate.value) > 0;
    case Op::greater_equal: return !is_null && compare(cell, predicate.value) >= 0;
    case Op::is_null: return cell.is_null();
    case Op::not_null: return !cell.is_null();
  }
  return false;
}

bool is_within(const ScanSpec& spec, const Key& sorted) {
  if (spec.lower) {
    const auto order = compare_leading(sorted, spec.lower->prefix);
    if (order < 0 || (order == 0 && !spec.lower->inclusive)) return false;
  }
  if (spec.upper) {
    const auto order = compare_leading(sorted, spec.upper->prefix);
    if (order > 0 || (order == 0 && !spec.upper->inclusive)) return false;
  }
  return true;
}

Result<std::size_t> position_of(const TableSchema& schema, std::string_view reference) {
  const Column* column = schema.find(reference);
  if (column == nullptr) return invalid("table '{}' has no column '{}'", schema.name, reference);
  return schema.position(column->id);
}

}  // namespace

Key key_of(const TableSchema& schema, const Row& row) {
  Key key;
  for (const ColumnId id : schema.key()) key.push_back(row[schema.position(id)]);
  return key;
}

bool Draft::KeyLess::operator()(const Key& a, const Key& b) const {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end(), compare) <
         0;
}

//! The snapshot, with the rows that the draft changed in their places.
class Draft::View final : public Snapshot {
 public:
  explicit View(const Draft& draft) : draft_(draft), base_(draft.base_) {}

  const Catalog& catalog() const override { return base_.catalog(); }

  Result<std::optional<Row>> get(std::string_view table, const Key& key,
                                 const std::vector<std::string>& columns) override {
    const Changed* changed = find(table, key);
    if (changed == nullptr) return base_.get(table, key, columns);
    if (!changed->row) return std::nullopt;
    const Table& changes = *draft_.find(table);
    REEL_ASSIGN(Row row, with_dropped(changes, key, *changed, dropped_of(changes, columns)));
    return row;
  }

  Status get_each(std::string_view table, const std::vector<Key>& keys,
                  const std::vector<std::string>& columns, const KeyVisitor& visit) override {
    const Table* changes = draft_.find(table);
    if (changes == nullptr) return base_.get_each(table, keys, columns, visit);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      REEL_ASSIGN(const auto row, get(table, keys[i], columns));
      if (row) visit(i, {*changes->schema, *row});
    }
    return {};
  }

  Status scan(const ScanSpec& spec, const RowVisitor& visit) override;

  Status scan_all(std::string_view table, std::size_t part, std::size_t parts,
                  const RowVisitor& visit) override {
    const Table* changes = draft_.find(table);
    if (changes == nullptr) return base_.scan_all(table, part, parts, visit);
    bool wanted = true;
    REEL_TRY(base_.scan_all(table, part, parts, [&](const RowView& row) {
      if (!changes->rows.contains(cells_at(changes->key, row.cells))) wanted = visit(row);
      return wanted;
    }));
    if (part > 0) return {};  // all of the draft is in the first share
    for (auto next = changes->rows.begin(); wanted && next != changes->rows.end(); ++next) {
      if (next->second.row) wanted = visit({*changes->schema, *next->second.row});
    }
    return {};
  }

  Status search(const SearchSpec& spec, const RowVisitor& visit) override {
    const Table* changes = draft_.find(spec.table);
    if (changes == nullptr) return base_.search(spec, visit);
    SearchSpec with_key = spec;
    if (!spec.columns.empty()) add_columns(*changes, changes->key, with_key.columns);
    return base_.search(with_key, [&](const RowView& row) {
      const auto changed = changes->rows.find(cells_at(changes->key, row.cells));
      if (changed == changes->rows.end()) return visit(row);
      return !changed->second.row || visit({*changes->schema, *changed->second.row});
    });
  }

  Result<std::vector<LedgerEntry>> ledger(std::string_view table) override {
    return base_.ledger(table);
  }

 private:
  const Changed* find(std::string_view table, const Key& key) const {
    const Table* changes = draft_.find(table);
    if (changes == nullptr) return nullptr;
    const auto found = changes->rows.find(key);
    return found == changes->rows.end() ? nullptr : &found->second;
  }

  static void add_columns(const Table& table, const std::vector<std::size_t>& positions,
                          std::vector<std::string>& columns) {
    for (const std::size_t position : positions) {
      columns.push_back(column_reference(table.schema->columns[position].id));
    }
  }

  //! The columns that a scan is ordered by, as far as they vary: bounds name them.
  static Result<std::vector<std::size_t>> order_of(const Table& table, const ScanSpec& spec) {
    std::vector<std::size_t> order;
    if (spec.index.empty()) {
      const std::size_t fixed = spec.partition.empty() ? 0 : table.partition_size;
      order.assign(table.key.begin() + static_cast<std::ptrdiff_t>(fixed), table.key.end());
      return order;
    }
    for (const Index& index : table.schema->indexes) {
      if (index.name != spec.index) continue;
      for (const ColumnId id : index.columns) order.push_back(table.schema->position(id));
      for (const std::size_t position : table.key) {
        if (std::find(order.begin(), order.end(), position) == order.end()) {
          order.push_back(position);
        }
      }
      return order;
    }
    return invalid("table '{}' has no index '{}'", spec.table, spec.index);
  }

  //! Those of the columns that were dropped.
  static std::vector<std::string> dropped_of(const Table& table,
                                             const std::vector<std::string>& columns) {
    std::vector<std::string> dropped;
    for (const std::string& column : columns) {
      if (table.schema->find(column) == nullptr) dropped.push_back(column);
    }
    return dropped;
  }

  //! A row of the draft with its cells in these dropped columns, which no draft changes: they are
  //! as the store has them, of a new row as a new row has them.
  Result<Row> with_dropped(const Table& table, const Key& key, const Changed& changed,
                           const std::vector<std::string>& dropped) const {
    Row row = *changed.row;
    if (dropped.empty()) return row;
    const TableSchema& schema = *table.schema;
    for (std::size_t i = row.size(); i < schema.stored_count(); ++i) {
      row.push_back(schema.stored(i).initial_default);
    }
    if (changed.is_new) return row;
    REEL_ASSIGN(const auto stored, base_.get(schema.name, key, dropped));
    if (!stored) return row;
    for (std::size_t i = schema.columns.size(); i < stored->size(); ++i) row[i] = (*stored)[i];
    return row;
  }

  //! The draft's rows that the scan finds, in its order.
  using Sorted = std::vector<std::pair<Key, const std::pair<const Key, Changed>*>>;
  static Result<Sorted> select(const Table& table, const ScanSpec& spec,
                               const std::vector<std::size_t>& order);

  const Draft& draft_;
  Snapshot& base_;
};

Result<Draft::View::Sorted> Draft::View::select(const Table& table, const ScanSpec& spec,
                                                const std::vector<std::size_t>& order) {
  std::vector<std::pair<std::size_t, const Predicate*>> where;
  for (const Predicate& predicate : spec.where) {
    REEL_ASSIGN(const std::size_t position, position_of(*table.schema, predicate.column));
    where.emplace_back(position, &predicate);
  }
  Sorted found;
  auto next = spec.partition.empty() ? table.rows.begin() : table.rows.lower_bound(spec.partition);
  for (; next != table.rows.end(); ++next) {
    if (compare_leading(next->first, spec.partition) != 0) break;
    if (!next->second.row) continue;
    const Row& row = *next->second.row;
    Key sorted = cells_at(order, row);
    const bool wanted =
        is_within(spec, sorted) && std::all_of(where.begin(), where.end(), [&](const auto& one) {
          return holds(*one.second, row[one.first]);
        });
    if (wanted) found.emplace_back(std::move(sorted), &*next);
  }
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    return spec.reverse ? KeyLess()(b.first, a.first) : KeyLess()(a.first, b.first);
  });
  return found;
}

Status Draft::View::scan(const ScanSpec& spec, const RowVisitor& visit) {
  const Table* changes = draft_.find(spec.table);
  if (changes == nullptr) return base_.scan(spec, visit);
  REEL_ASSIGN(const auto order, order_of(*changes, spec));
  REEL_ASSIGN(const Sorted drafted, select(*changes, spec, order));
  ScanSpec stored = spec;
  stored.limit = SIZE_MAX;
  if (!spec.columns.empty()) {
    add_columns(*changes, changes->key, stored.columns);
    add_columns(*changes, order, stored.columns);
  }
  const std::vector<std::string> dropped = dropped_of(*changes, spec.columns);
  std::size_t left = spec.limit;
  auto next = drafted.begin();
  Status failed;
  const auto give = [&](const RowView& row) {
    if (left == 0) return false;
    --left;
    if (!visit(row)) left = 0;
    return left > 0;
  };
  const auto give_drafted = [&](const std::pair<const Key, Changed>& drafted_row) {
    const auto& [key, changed] = drafted_row;
    if (dropped.empty()) return give({*changes->schema, *changed.row});
    auto row = with_dropped(*changes, key, changed, dropped);
    if (row) return give({*changes->schema, *row});
    failed = Failure(std::move(row).error());
    left = 0;
    return false;
  };
  const auto give_before = [&](const Key* place) {
    for (; next != drafted.end() && left > 0; ++next) {
      const bool first = place == nullptr || (spec.reverse ? KeyLess()(*place, next->first)
                                                           : KeyLess()(next->first, *place));
      if (!first) break;
      give_drafted(*next->second);
    }
    return left > 0;
  };
  if (left == 0) return {};
  REEL_TRY(base_.scan(stored, [&](const RowView& row) {
    if (changes->rows.contains(cells_at(changes->key, row.cells))) return true;
    const Key place = cells_at(order, row.cells);
    return give_before(&place) && give(row);
  }));
  give_before(nullptr);
  return failed;
}

Draft::Draft(Snapshot& base) : base_(base) {}
Draft::~Draft() = default;

Result<std::unique_ptr<Snapshot>> Draft::snapshot() { return std::make_unique<View>(*this); }

std::size_t Draft::row_count() const {
  std::size_t count = 0;
  for (const auto& [name, table] : tables_) count += table.rows.size();
  return count;
}

Batch Draft::take() {
  tables_.clear();
  return std::exchange(batch_, {});
}

const Draft::Table* Draft::find(std::string_view name) const {
  const auto found = tables_.find(name);
  return found == tables_.end() || found->second.rows.empty() ? nullptr : &found->second;
}

Result<Draft::Table*> Draft::open(std::string_view name) {
  const auto found = tables_.find(name);
  if (found != tables_.end()) return &found->second;
  Table table;
  REEL_ASSIGN(table.schema, base_.catalog().table(name));
  for (const ColumnId id : table.schema->key()) table.key.push_back(table.schema->position(id));
  table.partition_size = table.schema->partition_key.size();
  return &tables_.emplace(name, std::move(table)).first->second;
}

Result<std::optional<Row>> Draft::current(Table& table, const Key& key) {
  const auto changed = table.rows.find(key);
  if (changed != table.rows.end()) return changed->second.row;
  return base_.get(table.schema->name, key);
}

Status Draft::commit(Batch batch) {
  std::vector<Precondition> left;
  for (const Precondition& precondition : batch.preconditions) {
    REEL_TRY(check(precondition, left));
  }
  std::vector<Undo> undo;
  for (const Mutation& mutation : batch.mutations) {
    Status applied = apply(mutation, undo);
    if (applied) continue;
    for (auto step = undo.rbegin(); step != undo.rend(); ++step) {
      if (step->before) {
        step->table->rows.insert_or_assign(std::move(step->key), *std::move(step->before));
      } else {
        step->table->rows.erase(step->key);
      }
    }
    return applied;
  }
  const auto append = [](auto& all, auto& more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  };
  append(batch_.preconditions, left);
  append(batch_.mutations, batch.mutations);
  for (auto& version : batch.schema_versions) {
    auto& all = batch_.schema_versions;
    if (std::find(all.begin(), all.end(), version) == all.end()) all.push_back(std::move(version));
  }
  return {};
}

Status Draft::check(const Precondition& precondition, std::vector<Precondition>& left) {
  REEL_ASSIGN(Table* const table, open(precondition.table));
  switch (precondition.kind) {
    case Precondition::Kind::no_overlap: return check_no_overlap(*table, precondition, left);
    case Precondition::Kind::empty: return check_empty(*table, precondition, left);
    default: return check_row(*table, precondition, left);
  }
}

Status Draft::check_row(Table& table, const Precondition& precondition,
                        std::vector<Precondition>& left) {
  using Kind = Precondition::Kind;
  const TableSchema& schema = *table.schema;
  const auto words = [&](std::string_view ours) {
    return precondition.message.empty() ? fmt::format("table '{}': row {} {}", schema.name,
                                                      key_text(schema, precondition.key), ours)
                                        : precondition.message;
  };
  REEL_ASSIGN(const auto row, current(table, precondition.key));
  if (precondition.kind == Kind::absent && row) return conflict("{}", words("exists"));
  if (precondition.kind == Kind::present && !row) return not_found("{}", words("does not exist"));
  if (precondition.kind == Kind::cells_are && !row) return conflict("{}", words("does not exist"));
  const auto changed = table.rows.find(precondition.key);
  Precondition open = precondition;
  open.cells.clear();
  for (const auto& [reference, value] : precondition.cells) {
    REEL_ASSIGN(const std::size_t position, position_of(schema, reference));
    if ((*row)[position] != value) {
      return conflict("{}", words(fmt::format("has changed in column '{}'", reference)));
    }
    if (changed != table.rows.end() && changed->second.determined[position]) continue;
    open.cells.emplace_back(reference, value);
  }
  const bool is_drafted = changed != table.rows.end();
  if (!is_drafted || !open.cells.empty()) left.push_back(std::move(open));
  return {};
}

Status Draft::check_no_overlap(Table& table, const Precondition& precondition,
                               std::vector<Precondition>& left) {
  const TableSchema& schema = *table.schema;
  REEL_ASSIGN(const std::size_t end, position_of(schema, precondition.end_column));
  const std::size_t start = table.key.back();
  ScanSpec before_end{.table = schema.name, .partition = precondition.key, .reverse = true};
  if (!precondition.end.is_null()) {
    before_end.upper = RangeBound{.prefix = {precondition.end}, .inclusive = false};
  }
  const auto reaches_in = [&](const Row& row) {
    return row[end].is_null() || compare(row[end], precondition.start) > 0;
  };
  std::optional<Key> clash;
  REEL_TRY(View(*this).scan(before_end, [&](const RowView& row) {
    if (reaches_in(row.cells)) clash = cells_at(table.key, row.cells);
    return false;
  }));
  if (clash) {
    return conflict("{} {}",
                    precondition.message.empty()
                        ? fmt::format("table '{}': the range overlaps row", schema.name)
                        : precondition.message,
                    key_text(schema, *clash));
  }
  // Rows that the draft took out of the way are there until the commit: what they leave must be
  // free.
  Precondition rest = precondition;
  bool is_left = true;
  REEL_TRY(base_.scan(before_end, [&](const RowView& row) {
    if (!reaches_in(row.cells)) return false;
    if (!row[end].is_null() && (rest.end.is_null() || compare(row[end], rest.end) < 0)) {
      left.push_back(rest);
      left.back().start = row[end];
    }
    rest.end = row[start];
    is_left = compare(row[start], rest.start) > 0;
    return is_left;
  }));
  if (is_left) left.push_back(std::move(rest));
  return {};
}

Status Draft::check_empty(Table& table, const Precondition& precondition,
                          std::vector<Precondition>& left) {
  const TableSchema& schema = *table.schema;
  const ScanSpec first{.table = schema.name, .partition = precondition.key, .limit = 1};
  bool found = false;
  const auto note = [&](const RowView&) {
    found = true;
    return false;
  };
  REEL_TRY(View(*this).scan(first, note));
  if (found) {
    return conflict("{}", precondition.message.empty()
                              ? fmt::format("table '{}': partition {} is not empty", schema.name,
                                            key_text(schema, precondition.key))
                              : precondition.message);
  }
  REEL_TRY(base_.scan(first, note));
  if (found) {
    return unsupported("table '{}': whether partition {} is empty is known after the transaction",
                       schema.name, key_text(schema, precondition.key));
  }
  left.push_back(precondition);
  return {};
}

Status Draft::apply(const Mutation& mutation, std::vector<Undo>& undo) {
  using Kind = Mutation::Kind;
  REEL_ASSIGN(Table* const table, open(mutation.table));
  if (mutation.kind == Kind::append) return {};
  const TableSchema& schema = *table->schema;
  REEL_ASSIGN(std::optional<Row> row, current(*table, mutation.key));
  if (mutation.kind == Kind::insert && row) {
    return conflict("table '{}': row {} exists", schema.name, key_text(schema, mutation.key));
  }
  if (mutation.kind == Kind::update && !row) {
    return not_found("table '{}': row {} does not exist", schema.name,
                     key_text(schema, mutation.key));
  }
  const auto known = table->rows.find(mutation.key);
  Changed changed;
  if (known != table->rows.end()) changed = known->second;
  const bool whole = mutation.kind != Kind::update;
  changed.determined.resize(schema.columns.size());
  if (whole) changed.determined.assign(schema.columns.size(), true);
  if (mutation.kind == Kind::erase) {
    changed.row.reset();
    changed.is_new = true;  // what comes in its place
  } else {
    if (whole) {
      Row fresh;
      for (const Column& column : schema.columns) fresh.push_back(column.default_value);
      for (std::size_t i = 0; i < table->key.size(); ++i) fresh[table->key[i]] = mutation.key[i];
      const std::size_t inserted_at = schema.position(kInsertedAt);
      if (row) fresh[inserted_at] = (*row)[inserted_at];
      row = std::move(fresh);
    }
    for (const auto& [reference, value] : mutation.cells) {
      REEL_ASSIGN(const std::size_t position, position_of(schema, reference));
      (*row)[position] = value;
      changed.determined[position] = true;
    }
    changed.row = std::move(row);
  }
  undo.push_back({table, mutation.key,
                  known == table->rows.end() ? std::nullopt : std::optional(known->second)});
  table->rows.insert_or_assign(mutation.key, std::move(changed));
  return {};
}

}  // namespace reel::store
