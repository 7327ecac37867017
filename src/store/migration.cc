#include "store/migration.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/nearest_name.h"
#include "store/document.h"
#include "store/schema_internal.h"

namespace reel::store {
namespace {

constexpr std::size_t kOperationsMax = 10'000;

std::string unknown_column(const TableSchema& schema, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  return fmt::format("column '{}' does not exist{}", name.substr(0, kNameShownMax),
                     nearest_hint(name, names));
}

//! The wider type with the permanent ids of the children that it takes over.
Type with_ids_of(Type type, const Type& old) {
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    type.children[i].id = old.children[i].id;
    type.children[i].type = with_ids_of(std::move(type.children[i].type), old.children[i].type);
  }
  return type;
}

//! The same value as the wider type holds it.
Value as_read_back(const Type& type, const Type& wide, const Value& value) {
  std::string bytes;
  encode_value(bytes, type, value);
  std::string_view rest = bytes;
  auto read = decode_value(wide, rest);
  REEL_CHECK(read.has_value());
  return *std::move(read);
}

//! Width of an integer in bits, negative when it is signed; 0: none.
int integer_bits(TypeKind kind) {
  switch (kind) {
    case TypeKind::int8: return -8;
    case TypeKind::int16: return -16;
    case TypeKind::int32: return -32;
    case TypeKind::int64: return -64;
    case TypeKind::uint8: return 8;
    case TypeKind::uint16: return 16;
    case TypeKind::uint32: return 32;
    default: return 0;  // uint64 is stored in another form, so nothing widens to it
  }
}

class Planner {
 public:
  Planner(const TableSchema& current, Instant now) : next_(current), now_(now) { ++next_.version; }

  Result<MigrationPlan> run(const std::vector<Operation>& operations) {
    const std::string table = next_.name;
    if (operations.empty()) reasons_.add("the migration has no operations");
    if (operations.size() > kOperationsMax) {
      reasons_.add(fmt::format("the migration has {} operations, at most {} are allowed",
                               operations.size(), kOperationsMax));
      return Failure(std::move(reasons_.status(table).error()));
    }
    for (std::size_t i = 0; i < operations.size();) {
      if (std::holds_alternative<RenameColumn>(operations[i])) {
        i = rename_run(operations, i);
      } else {
        std::visit([&](const auto& operation) { apply(operation); }, operations[i++]);
      }
    }
    if (next_.columns.size() > kColumnsMax) {
      reasons_.add(fmt::format("it would have {} columns, at most {} are allowed",
                               next_.columns.size(), kColumnsMax));
    }
    REEL_TRY(reasons_.status(table));
    return MigrationPlan{
        std::move(next_), std::move(conversions_), {to_check_.begin(), to_check_.end()}};
  }

 private:
  //! Null, and a reason, when there is none.
  Column* find(std::string_view name) {
    const Column* column = next_.find_named(name);
    if (column != nullptr) return &next_.columns[next_.position(column->id)];
    reasons_.add(unknown_column(next_, name));
    return nullptr;
  }

  //! The column, when it may be changed otherwise than by its name and place.
  Column* find_changeable(std::string_view name, std::string_view what) {
    Column* column = find(name);
    if (column == nullptr) return nullptr;
    std::string owner;
    if (column->id == kInsertedAt) {
      owner = "is the store's own";
    } else if (next_.is_key(column->id)) {
      owner = "belongs to the key";
    } else if (!column->product_name.empty()) {
      owner = "is needed by the product";
    }
    if (owner.empty()) return column;
    reasons_.add(fmt::format("column '{}' {}: {}", column->name, owner, what));
    return nullptr;
  }

  void apply(const AddColumn& add) {
    const auto& column = add.column;
    const std::size_t reasons_before = reasons_.size();
    check_column(column, reasons_);
    if (next_.find_named(column.name) != nullptr) {
      reasons_.add(fmt::format("column '{}' exists already", column.name));
    }
    if (!column.nullable && column.default_value.is_null()) {
      reasons_.add(
          fmt::format("new column '{}' is neither nullable nor has a default, and the "
                      "rows that are there need a value",
                      column.name));
    }
    if (reasons_.size() == reasons_before) next_.columns.push_back(new_column(column, next_));
  }

  void apply(const RenameColumn&) { REEL_CHECK(false); }  // see rename_run()

  //! Does all renames from `first` on; returns the operation behind them.
  std::size_t rename_run(const std::vector<Operation>& operations, std::size_t first) {
    std::map<ColumnId, std::string> names;
    std::size_t i = first;
    for (; i < operations.size(); ++i) {
      const auto* rename = std::get_if<RenameColumn>(&operations[i]);
      if (rename == nullptr) break;
      const Column* column = find(rename->column);
      if (column == nullptr) continue;
      if (column->id == kInsertedAt) {
        reasons_.add("column 'inserted_at' is the store's own: it cannot be renamed");
        continue;
      }
      reasons_.add(fmt::format("column '{}'", column->name), check_column_name(rename->name));
      if (!names.emplace(column->id, rename->name).second) {
        reasons_.add(fmt::format("column '{}' is renamed twice", column->name));
      }
    }
    for (Column& column : next_.columns) {
      const auto renamed = names.find(column.id);
      if (renamed != names.end()) column.name = renamed->second;
    }
    for (const auto& [id, name] : names) {
      const auto same = [&](const Column& column) { return same_name(column.name, name); };
      if (std::count_if(next_.columns.begin(), next_.columns.end(), same) > 1) {
        reasons_.add(fmt::format("column '{}' exists already", name));
      }
    }
    return i;
  }

  void apply(const DropColumn& drop) {
    const Column* column = find_changeable(drop.column, "it cannot be dropped");
    if (column == nullptr || is_indexed(*column)) return;
    const auto place =
        next_.columns.begin() + static_cast<std::ptrdiff_t>(next_.position(column->id));
    bury(std::move(*place));
    next_.columns.erase(place);
  }

  //! A reason against dropping it.
  bool is_indexed(const Column& column) {
    for (const Index& index : next_.indexes) {
      if (std::find(index.columns.begin(), index.columns.end(), column.id) == index.columns.end()) {
        continue;
      }
      reasons_.add(fmt::format("column '{}' is used by the index '{}'", column.name, index.name));
      return true;
    }
    return false;
  }

  void bury(Column column) {
    column.dropped_at = now_;
    if (to_check_.erase(column.id) > 0) column.nullable = true;  // nobody looked at its rows
    next_.tombstones.push_back(std::move(column));
  }

  void apply(const ConvertType& convert) {
    Column* column = find_changeable(convert.column, "its type cannot be changed");
    if (column == nullptr || is_indexed(*column)) return;
    if (const Status type = check_type(convert.type); !type) {
      return reasons_.add(fmt::format("column '{}'", column->name), type);
    }
    auto value = convert_value(column->type, convert.type, column->default_value);
    if (!value) {
      return reasons_.add(fmt::format("column '{}' default", column->name),
                          Failure(std::move(value).error()));
    }
    Column made = new_column({.name = column->name,
                              .type = convert.type,
                              .nullable = column->nullable,
                              .default_value = *std::move(value),
                              .doc = column->doc},
                             next_);
    made.initial_default = {};  // every row gets a value of its own
    if (!made.nullable) to_check_.insert(made.id);
    conversions_.push_back({column->id, made.id, convert.or_null});
    std::swap(*column, made);
    bury(std::move(made));
  }

  void apply(const UndropColumn& undrop) {
    const auto place = std::find_if(next_.tombstones.begin(), next_.tombstones.end(),
                                    [&](const Column& one) { return one.id == undrop.id; });
    if (place == next_.tombstones.end() || place->purging) {
      reasons_.add(fmt::format("no dropped column has the id {}, or it is purged", undrop.id));
      return;
    }
    const std::string name = undrop.name.empty() ? place->name : undrop.name;
    reasons_.add(fmt::format("column {}", undrop.id), check_column_name(name));
    if (next_.find_named(name) != nullptr) {
      reasons_.add(fmt::format("column '{}' exists already", name));
      return;
    }
    place->name = name;
    place->dropped_at = {};
    // Rows that were written meanwhile have its initial default.
    if (!place->nullable && place->initial_default.is_null()) to_check_.insert(place->id);
    next_.columns.push_back(std::move(*place));
    next_.tombstones.erase(place);
  }

  void apply(const AlterType& alter) {
    Column* column = find_changeable(alter.column, "its type cannot be changed");
    if (column == nullptr) return;
    if (const Status type = check_type(alter.type); !type) {
      return reasons_.add(fmt::format("column '{}'", column->name), type);
    }
    if (!is_widening(column->type, alter.type)) {
      return reasons_.add(
          fmt::format("column '{}': {} does not hold every {} as it is stored; "
                      "convert_type rewrites the rows",
                      column->name, alter.type.to_string(), without_ids(column->type).to_string()));
    }
    const Type wide = with_ids_of(alter.type, column->type);
    for (Value* value : {&column->default_value, &column->initial_default}) {
      *value = as_read_back(column->type, wide, *value);
    }
    column->type = wide;
  }

  void apply(const SetDefault& set) {
    Column* column = find_changeable(set.column, "it has no default of yours");
    if (column == nullptr) return;
    const Status fits = check_value(column->type, set.value);
    reasons_.add(fmt::format("column '{}' default", column->name), fits);
    if (fits) column->default_value = set.value;
  }

  void apply(const SetNullable& set) {
    Column* column = find_changeable(set.column, "its nullability cannot be changed");
    if (column == nullptr || column->nullable == set.nullable) return;
    column->nullable = set.nullable;
    if (set.nullable) {
      to_check_.erase(column->id);
    } else {
      to_check_.insert(column->id);
    }
  }

  void apply(const SetDoc& set) {
    Column* column = find(set.column);
    if (column != nullptr) column->doc = set.doc;
  }

  void apply(const Reorder& reorder) {
    std::vector<ColumnId> order;
    for (const std::string& name : reorder.columns) {
      const Column* column = find(name);
      if (column == nullptr) continue;
      if (std::find(order.begin(), order.end(), column->id) != order.end()) {
        reasons_.add(fmt::format("column '{}' is there twice in the order", name));
      }
      order.push_back(column->id);
    }
    auto behind = next_.columns.begin();
    for (const ColumnId id : order) {
      const auto place = next_.columns.begin() + static_cast<std::ptrdiff_t>(next_.position(id));
      if (place < behind) continue;  // named twice
      std::rotate(behind, place, place + 1);
      ++behind;
    }
  }

  void apply(const RenameTable& rename) {
    if (next_.product) return reasons_.add("it belongs to the product: it cannot be renamed");
    reasons_.add("its new name", check_table_name(rename.name));
    next_.name = rename.name;
  }

  TableSchema next_;
  const Instant now_;
  Reasons reasons_;
  std::vector<Conversion> conversions_;
  std::set<ColumnId> to_check_;
};

const Column* find_dropped(const TableSchema& schema, ColumnId id) {
  for (const Column& column : schema.tombstones) {
    if (column.id == id && !column.purging) return &column;
  }
  return nullptr;
}

//! Adds the operations that give a live column, called `name`, what the target's has.
void restore_column(const Column& now, const Column& target, const std::string& name,
                    Rollback& rollback) {
  if (without_ids(now.type) != without_ids(target.type)) {
    if (is_widening(now.type, without_ids(target.type))) {
      rollback.operations.emplace_back(AlterType{name, without_ids(target.type)});
    } else {
      rollback.impossible.push_back(
          fmt::format("column '{}' stays {}: rows may have values that {} cannot hold", name,
                      without_ids(now.type).to_string(), without_ids(target.type).to_string()));
    }
  }
  if (now.default_value != target.default_value) {
    rollback.operations.emplace_back(SetDefault{name, target.default_value});
  }
  if (now.nullable != target.nullable) {
    rollback.operations.emplace_back(SetNullable{name, target.nullable});
  }
  if (now.doc != target.doc) rollback.operations.emplace_back(SetDoc{name, target.doc});
}

}  // namespace

Result<MigrationPlan> plan_migration(const TableSchema& current,
                                     const std::vector<Operation>& operations, Instant now) {
  return Planner(current, now).run(operations);
}

Status check_conversions(const MigrationPlan& plan, std::int64_t rows, std::int64_t rows_max) {
  if (plan.conversions.empty() || rows <= rows_max) return {};
  return invalid(
      "table '{}': converting a column rewrites all of its {} rows, and writers wait meanwhile; of "
      "more than {} rows this is done only for those who say \"wait\": true (--wait)",
      plan.schema.name, rows, rows_max);
}

bool is_widening(const Type& from, const Type& to) {
  const bool same_shape = from.kind == to.kind && from.children.size() == to.children.size() &&
                          from.size == to.size && from.scale == to.scale;
  if (from.kind == TypeKind::fixed_list || to.kind == TypeKind::fixed_list) {
    return without_ids(from) == without_ids(to);  // its elements are stored in their width
  }
  if (from.is_nested() || to.is_nested()) {
    if (!same_shape) return false;
    for (std::size_t i = 0; i < from.children.size(); ++i) {
      if (from.children[i].name != to.children[i].name) return false;
      if (!is_widening(from.children[i].type, to.children[i].type)) return false;
    }
    return true;
  }
  if (from.kind == TypeKind::decimal) return same_shape && from.precision <= to.precision;
  if (from.kind == TypeKind::float32 && to.kind == TypeKind::float64) return true;
  const int narrow = integer_bits(from.kind);
  const int wide = integer_bits(to.kind);
  if (narrow == 0 || wide == 0) return from == to;
  return narrow < 0 ? wide <= narrow : (wide >= narrow || wide < -narrow);
}

Rollback plan_rollback(const TableSchema& current, const TableSchema& target) {
  Rollback rollback;
  auto& operations = rollback.operations;
  std::vector<ColumnId> order_then;  // without a change of the order
  for (const Column& column : current.columns) {
    if (target.find(column.id) != nullptr) {
      order_then.push_back(column.id);
    } else if (column.product_name.empty()) {
      operations.emplace_back(DropColumn{column.name});
    } else {
      rollback.impossible.push_back(
          fmt::format("column '{}' stays: it is needed by the product", column.name));
    }
  }
  for (const Column& column : target.columns) {
    const Column* now = current.find(column.id);
    if (now != nullptr && now->name != column.name) {
      operations.emplace_back(RenameColumn{now->name, column.name});
    }
  }
  std::vector<std::pair<const Column*, const Column*>> pairs;
  std::vector<ColumnId> order;
  std::vector<std::string> names;
  for (const Column& column : target.columns) {
    const Column* now = current.find(column.id);
    if (now == nullptr) {
      now = find_dropped(current, column.id);
      if (now == nullptr) {
        rollback.impossible.push_back(
            fmt::format("column '{}' (id {}) is purged", column.name, column.id));
        continue;
      }
      operations.emplace_back(UndropColumn{column.id, column.name});
      order_then.push_back(column.id);
    }
    order.push_back(column.id);
    names.push_back(column.name);
    pairs.emplace_back(now, &column);
  }
  for (const auto& [now, column] : pairs) restore_column(*now, *column, column->name, rollback);
  if (order != order_then) operations.emplace_back(Reorder{std::move(names)});
  if (current.name != target.name) operations.emplace_back(RenameTable{target.name});
  return rollback;
}

}  // namespace reel::store
