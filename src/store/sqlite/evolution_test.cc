//! Tables that change while rows are written, held against a plain model in memory.

#include <algorithm>
#include <map>
#include <set>

#include "store/document.h"
#include "store/sqlite/fault_disk_test_support.h"
#include "store/sqlite/test_tables.h"
#include "store/test_values.h"

namespace reel::store {
namespace {

using namespace testing;

const Reason kReason{.by = "test", .comment = "a chain"};

//! What a table is, without any cleverness: every cell by the id of its column.
struct Model {
  struct ModelColumn {
    ColumnId id = 0;
    std::string name;
    std::string type;
    bool nullable = true;
    Value default_value;
    Value initial;
    bool purging = false;    //!< dropped, and some cells may be gone
    bool unchecked = false;  //!< not nullable, and some rows may have a null
    friend bool operator==(const ModelColumn&, const ModelColumn&) = default;
  };
  std::uint32_t version = 1;
  std::vector<ModelColumn> columns;  //!< without the key and inserted_at
  std::vector<ModelColumn> dropped;
  std::map<std::int64_t, std::map<ColumnId, Value>> rows;

  std::vector<ModelColumn>::iterator find(const std::string& name) {
    return std::find_if(columns.begin(), columns.end(),
                        [&](const ModelColumn& column) { return column.name == name; });
  }
  bool has(const std::string& name) { return name == "key" || find(name) != columns.end(); }

  //! False when the operation must be refused. `next_id`: what a new column gets.
  bool apply(const Operation& operation, ColumnId next_id) {
    if (const auto* add = std::get_if<AddColumn>(&operation)) {
      const auto& column = add->column;
      if (has(column.name) || (!column.nullable && column.default_value.is_null())) return false;
      columns.push_back({next_id, column.name, column.type.to_string(), column.nullable,
                         column.default_value, column.default_value});
      for (auto& [key, cells] : rows) cells[next_id] = column.default_value;
      return true;
    }
    if (const auto* drop = std::get_if<DropColumn>(&operation)) {
      const auto place = find(drop->column);
      if (place == columns.end()) return false;
      // What became not nullable in the same migration was not looked at.
      if (place->unchecked) place->nullable = true;
      place->unchecked = false;
      dropped.push_back(*place);
      columns.erase(place);
      return true;
    }
    if (const auto* undrop = std::get_if<UndropColumn>(&operation)) {
      const auto place = std::find_if(dropped.begin(), dropped.end(),
                                      [&](const auto& column) { return column.id == undrop->id; });
      if (place == dropped.end() || place->purging) return false;
      const std::string name = undrop->name.empty() ? place->name : undrop->name;
      if (has(name)) return false;
      place->name = name;
      place->unchecked = !place->nullable && place->initial.is_null();
      columns.push_back(*place);
      dropped.erase(place);
      return true;
    }
    if (const auto* set = std::get_if<SetDefault>(&operation)) {
      const auto place = find(set->column);
      if (place == columns.end()) return false;
      if (!check_value(*Type::parse(place->type), set->value)) return false;
      place->default_value = set->value;
      return true;
    }
    if (const auto* set = std::get_if<SetNullable>(&operation)) {
      const auto place = find(set->column);
      if (place == columns.end()) return false;
      place->unchecked = !set->nullable && (place->nullable || place->unchecked);
      place->nullable = set->nullable;
      return true;
    }
    if (const auto* alter = std::get_if<AlterType>(&operation)) {
      const auto place = find(alter->column);
      if (place == columns.end()) return false;
      while (place->type != alter->type.to_string()) {
        const auto wider = kWider.find(place->type);
        if (wider == kWider.end()) return false;
        place->type = wider->second;
      }
      return true;
    }
    if (const auto* convert = std::get_if<ConvertType>(&operation)) {
      const auto place = find(convert->column);
      if (place == columns.end()) return false;
      return convert_column(*place, *convert, next_id);
    }
    if (const auto* reorder = std::get_if<Reorder>(&operation)) {
      std::vector<ModelColumn> first;
      for (const std::string& name : reorder->columns) {
        const auto place = find(name);
        if (name == "key" || name == "inserted_at") continue;
        if (place == columns.end()) return false;
        first.push_back(*place);
        columns.erase(place);
      }
      columns.insert(columns.begin(), first.begin(), first.end());
      return true;
    }
    return false;
  }

  //! False when a value has no counterpart.
  bool convert_column(ModelColumn& column, const ConvertType& convert, ColumnId next_id) {
    const Type from = *Type::parse(column.type);
    ModelColumn made = column;
    made.id = next_id;
    made.type = convert.type.to_string();
    made.initial = {};
    made.unchecked = !made.nullable;
    const auto default_value = convert_value(from, convert.type, column.default_value);
    if (!default_value) return false;
    made.default_value = *default_value;
    for (auto& [key, cells] : rows) {
      const auto value = convert_value(from, convert.type, cells.at(column.id));
      if (!value && !convert.or_null) return false;
      cells[made.id] = value ? *value : Value();
    }
    if (column.unchecked) column.nullable = true;
    column.unchecked = false;
    dropped.push_back(column);
    column = made;
    return true;
  }

  //! All at once.
  bool rename(const std::map<std::string, std::string>& names) {
    std::set<std::string> taken = {"key"};
    for (ModelColumn& column : columns) {
      const auto renamed = names.find(column.name);
      if (renamed != names.end()) column.name = renamed->second;
      if (!taken.insert(column.name).second) return false;
    }
    return true;
  }

  //! A run of renames counts as one. A migration leaves one new version, or nothing.
  bool apply_all(const std::vector<Operation>& operations, ColumnId next_id) {
    Model next = *this;
    ++next.version;
    for (std::size_t i = 0; i < operations.size();) {
      std::map<std::string, std::string> names;
      for (; i < operations.size(); ++i) {
        const auto* rename = std::get_if<RenameColumn>(&operations[i]);
        if (rename == nullptr) break;
        if (next.find(rename->column) == next.columns.end()) return false;
        if (!names.emplace(rename->column, rename->name).second) return false;
      }
      if (!next.rename(names)) return false;
      if (i == operations.size()) break;
      const auto* add = std::get_if<AddColumn>(&operations[i]);
      if (!next.apply(operations[i], next_id)) return false;
      if (add != nullptr || std::holds_alternative<ConvertType>(operations[i])) next_id += 1;
      ++i;
    }
    for (ModelColumn& column : next.columns) {
      column.unchecked = false;
      for (const auto& [key, cells] : next.rows) {
        if (!column.nullable && cells.at(column.id).is_null()) return false;
      }
    }
    *this = std::move(next);
    return true;
  }

  //! By one step.
  inline static const std::map<std::string, std::string> kWider = {
      {"int8", "int16"},    {"int16", "int32"},  {"int32", "int64"},    {"uint8", "uint16"},
      {"uint16", "uint32"}, {"uint32", "int64"}, {"float32", "float64"}};
};

class Chain {
 public:
  Chain(std::uint64_t seed, SqliteOptions options, FaultDisk* disk)
      : random_(seed), options_(std::move(options)), disk_(disk) {}

  void run(int steps) {
    open();
    value_of(store_->create_table(
        {.name = "t",
         .columns = {{.name = "key", .type = Type::of(TypeKind::int64), .nullable = false},
                     {.name = "a", .type = Type::of(TypeKind::string)}},
         .partition_key = {"key"}},
        kReason));
    model_.columns = {{3, "a", "string", true, {}, {}}};
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      SCOPED_TRACE(fmt::format("step {}", i));
      step();
      if (below(4) == 0 || i + 1 == steps) verify();
    }
  }

  Store& store() { return *store_; }
  void verify() { verify(*store_, model_); }

  static void verify(Store& store, const Model& model) {
    const std::string difference = compare(store, model);
    ASSERT_EQ(difference, "");
    ASSERT_EQ(value_of(value_of(store.snapshot())->ledger("t")), value_of(store.recount("t")));
  }

  const Model& model() const { return model_; }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_.below(limit); }
  std::string name() { return std::string(1, static_cast<char>('a' + below(10))); }

  void open() { store_ = open_store(options_); }

  //! What differs between table and model; empty: nothing.
  static std::string compare(Store& store, const Model& model) {
    const auto snapshot = value_of(store.snapshot());
    const TableSchema& schema = *value_of(snapshot->catalog().table("t"));
    if (schema.version != model.version) {
      return fmt::format("version {}, not {}", schema.version, model.version);
    }
    std::vector<Model::ModelColumn> columns;
    std::vector<ColumnId> ids;
    for (const Column& column : schema.columns) {
      if (column.id == kInsertedAt || schema.is_key(column.id)) continue;
      columns.push_back({column.id, column.name, column.type.to_string(), column.nullable,
                         column.default_value, column.initial_default});
    }
    if (columns != model.columns) return "other columns";
    if (schema.tombstones.size() != model.dropped.size()) return "other dropped columns";
    std::map<std::int64_t, std::map<ColumnId, Value>> rows;
    const Status read = snapshot->scan_all("t", 0, 1, [&](const RowView& row) {
      auto& cells = rows[row[schema.position("key")].get<std::int64_t>()];
      for (const auto& column : columns) {
        cells[column.id] = row[schema.position(fmt::format("#{}", column.id))];
      }
      return true;
    });
    if (!read) return read.error().message();
    if (rows.size() != model.rows.size()) return "other rows";
    for (const auto& [key, cells] : rows) {
      const auto expected = model.rows.find(key);
      if (expected == model.rows.end()) return fmt::format("row {} should not be there", key);
      for (const auto& [id, value] : cells) {
        const auto cell = expected->second.find(id);
        if (cell == expected->second.end() || cell->second != value) {
          return fmt::format("row {} column {}", key, id);
        }
      }
    }
    return {};
  }

  void step() {
    const Model before = model_;
    const bool cut = disk_ != nullptr && below(10) == 0;
    if (cut) disk_->cut_power_after(below(25));
    const Status done = change();
    if (!cut) {
      if (done && below(30) == 0) reopen();
      return;
    }
    const Model after = model_;
    store_.reset();
    disk_->restart();
    open();
    if (done) return verify();
    for (const Model& state : {before, after}) {
      model_ = state;
      if (purging_) forget_purged();
      if (compare(*store_, model_).empty()) break;
    }
    verify();
  }

  void reopen() {
    store_.reset();
    open();
  }

  //! Does something to the table and the model. The model is changed unless the store refuses for a
  //! reason that is not the disk.
  Status change() {
    const std::uint64_t kind = below(12);
    purging_ = kind == 0;
    switch (kind) {
      case 0: return purge();
      case 1: return roll_back();
      case 2:
      case 3:
      case 4:
      case 5: return migrate(some_operations());
      default: return write_rows();
    }
  }

  Type some_type() {
    while (true) {
      Type type = random_.type(2);
      if (check_type(type)) return type;
    }
  }

  Value some_value(const std::string& type_text) {
    const Type type = value_of(Type::parse(type_text));
    while (true) {
      Value value = random_.value(type);
      const auto* text = value.get_if<std::string>();
      // SQLite cannot write a NUL in a default.
      if (text == nullptr || text->find('\0') == std::string::npos) return value;
    }
  }

  std::optional<Operation> some_operation(Model& model) {
    const auto any_column = [&]() -> std::string {
      return model.columns.empty() ? "nothing" : model.columns[below(model.columns.size())].name;
    };
    const auto any = model.find(any_column());
    switch (below(10)) {
      case 9: {
        static const std::vector<Type> kTypes = {
            Type::of(TypeKind::string), Type::of(TypeKind::int64), Type::of(TypeKind::float64),
            Type::of(TypeKind::boolean), Type::decimal(28, 9)};
        return ConvertType{any_column(), kTypes[below(kTypes.size())], below(2) == 0};
      }
      case 0: return DropColumn{below(10) == 0 ? name() : any_column()};
      case 1: {
        if (model.dropped.empty()) return UndropColumn{static_cast<ColumnId>(below(50))};
        return UndropColumn{model.dropped[below(model.dropped.size())].id,
                            below(3) == 0 ? name() : ""};
      }
      case 2: {
        if (any == model.columns.end()) return std::nullopt;
        return SetDefault{any->name, some_value(any->type)};
      }
      case 3: return SetNullable{any_column(), below(2) == 0};
      case 4: {
        if (any == model.columns.end()) return std::nullopt;
        const auto wide = Model::kWider.find(any->type);
        if (wide == Model::kWider.end()) return std::nullopt;
        return AlterType{any->name, value_of(Type::parse(wide->second))};
      }
      case 5: {
        Reorder reorder;
        for (const auto& column : model.columns) {
          if (below(2) == 0) reorder.columns.insert(reorder.columns.begin(), column.name);
        }
        return reorder;
      }
      case 6: return RenameColumn{any_column(), name()};
      default: {
        const Type type = some_type();
        AddColumn add{{.name = name(), .type = type, .nullable = below(2) == 0}};
        Value value = some_value(type.to_string());
        add.column.default_value = std::move(value);
        return add;
      }
    }
  }

  std::vector<Operation> some_operations() {
    std::vector<Operation> operations;
    if (below(5) == 0 && model_.columns.size() > 1) {
      // A ring of names.
      for (std::size_t i = 0; i < model_.columns.size(); ++i) {
        operations.emplace_back(RenameColumn{model_.columns[i].name,
                                             model_.columns[(i + 1) % model_.columns.size()].name});
      }
      return operations;
    }
    for (std::uint64_t i = 1 + below(3); i > 0; --i) {
      if (auto operation = some_operation(model_)) operations.push_back(*std::move(operation));
    }
    return operations;
  }

  Status migrate(const std::vector<Operation>& operations) {
    if (operations.empty()) return {};
    const auto schema = value_of(store_->catalog()->table("t"));
    Model next = model_;
    // Ids of children of nested types make the ids of later columns hard to tell: ask for them.
    const bool expected = next.apply_all(operations, 1'000'000);
    const auto done = store_->migrate({.table = "t", .operations = operations}, kReason);
    if (!done && is_of_disk(done.error())) {
      if (expected) model_ = with_true_ids(std::move(next), *schema, operations);
      return Failure(done.error().clone());
    }
    // There are floats that SQLite cannot read from text to the last bit.
    if (!done && done.error().code() == Code::unsupported) return {};
    EXPECT_EQ(done.has_value(), expected) << (done ? "" : done.error().message()) << "\n"
                                          << json::to_text(operations_to_json(*schema, operations))
                                          << "\nof " << json::to_text(schema_to_json(*schema));
    if (!done) return {};
    model_ = with_true_ids(std::move(next), *schema, operations);
    return {};
  }

  //! Replaces the ids that the model made up for new columns.
  static Model with_true_ids(Model model, const TableSchema& schema,
                             const std::vector<Operation>& operations) {
    const auto plan = plan_migration(schema, operations, {});
    if (!plan) return model;
    std::map<ColumnId, const Column*> found;
    ColumnId made_up = 1'000'000;
    std::vector<const Column*> added;
    for (std::size_t i = 0; i < plan->schema.stored_count(); ++i) {
      const Column& column = plan->schema.stored(i);
      if (column.id >= schema.next_column_id) added.push_back(&column);
    }
    std::sort(added.begin(), added.end(),
              [](const Column* a, const Column* b) { return a->id < b->id; });
    for (const Column* column : added) found[made_up++] = column;
    for (auto* list : {&model.columns, &model.dropped}) {
      for (auto& column : *list) {
        const auto real = found.find(column.id);
        if (real != found.end()) column.id = real->second->id;
        const Column* stored = nullptr;
        for (std::size_t i = 0; i < plan->schema.stored_count(); ++i) {
          if (plan->schema.stored(i).id == column.id) stored = &plan->schema.stored(i);
        }
        const bool nested = column.type.find('<') != std::string::npos;
        if (nested && stored != nullptr) column.type = stored->type.to_string();  // ids of children
      }
    }
    for (auto& [key, cells] : model.rows) {
      for (const auto& [fake, column] : found) {
        const auto cell = cells.find(fake);
        if (cell == cells.end()) continue;
        cells[column->id] = cell->second;
        cells.erase(fake);
      }
    }
    return model;
  }

  Status roll_back() {
    const auto current = value_of(store_->catalog()->table("t"));
    auto read = store_->history(current->id);
    if (!read) return Failure(std::move(read).error());
    const std::vector<SchemaVersion> versions = *std::move(read);
    EXPECT_EQ(versions.size(), current->version);
    const TableSchema& target = versions[below(versions.size())].schema;
    const Rollback rollback = plan_rollback(*current, target);
    REEL_TRY(migrate(rollback.operations));
    const auto now = value_of(store_->catalog()->table("t"));
    // A null in a row keeps a column from being not nullable again: then nothing was done.
    if (!rollback.impossible.empty() || now->version == current->version) return {};
    std::vector<std::string> names;
    std::vector<std::string> wanted;
    for (const Column& column : now->columns) names.push_back(column.name);
    for (const Column& column : target.columns) wanted.push_back(column.name);
    EXPECT_EQ(names, wanted);
    return {};
  }

  Status purge() {
    const std::size_t rows = 1 + below(20);
    PurgePlace place;
    for (std::uint64_t i = 0; i < 1 + below(5) || below(2) == 0; ++i) {
      const auto step = store_->purge(Instant{INT64_MAX}, rows, place);
      if (!step) return Failure(step.error().clone());
      forget_purged();
      place = step->next;
      if (step->done) break;
    }
    return {};
  }

  //! Purges go unnoticed by everybody but those who want a column back.
  void forget_purged() {
    const auto schema = value_of(store_->catalog()->table("t"));
    std::vector<Model::ModelColumn> left;
    for (const Column& column : schema->tombstones) {
      for (auto dropped : model_.dropped) {
        if (dropped.id != column.id) continue;
        dropped.purging = column.purging;
        left.push_back(std::move(dropped));
      }
    }
    model_.dropped = std::move(left);
  }

  Status write_rows() {
    const auto schema = value_of(store_->catalog()->table("t"));
    Model next = model_;
    Batch batch;
    std::set<std::int64_t> touched;
    bool expected = true;
    for (std::uint64_t i = 1 + below(6); i > 0; --i) {
      const auto key = static_cast<std::int64_t>(below(30));
      if (!touched.insert(key).second) continue;
      expected = write_row(key, batch, next) && expected;
    }
    const Status done = store_->commit(std::move(batch));
    if (!done && is_of_disk(done.error())) {
      if (expected) model_ = std::move(next);
      return Failure(done.error().clone());
    }
    EXPECT_EQ(done.has_value(), expected) << (done ? "" : done.error().message());
    if (done) model_ = std::move(next);
    return {};
  }

  bool write_row(std::int64_t key, Batch& batch, Model& next) {
    const auto row = next.rows.find(key);
    if (below(5) == 0) {
      batch.erase("t", {key});
      if (row != next.rows.end()) next.rows.erase(row);
      return true;
    }
    Cells cells;
    bool valid = true;
    std::map<ColumnId, Value> values;
    for (const auto& column : next.columns) {
      if (below(2) == 0) continue;
      Value value = some_value(column.type);
      if (value.is_null() && !column.nullable) valid = false;
      cells.emplace_back(below(2) == 0 ? fmt::format("#{}", column.id) : column.name, value);
      values[column.id] = std::move(value);
    }
    const bool exists = row != next.rows.end();
    if (exists && below(2) == 0) {
      for (const auto& [id, value] : values) row->second[id] = value;
      batch.update("t", {key}, std::move(cells));
      return valid;
    }
    std::map<ColumnId, Value> made;
    for (const auto& column : next.columns) {
      const auto given = values.find(column.id);
      made[column.id] = given != values.end() ? given->second : column.default_value;
      if (made[column.id].is_null() && !column.nullable) valid = false;
    }
    for (const auto& column : next.dropped) {
      made[column.id] = exists ? row->second.at(column.id) : column.initial;
    }
    next.rows[key] = std::move(made);
    batch.upsert("t", {key}, std::move(cells));
    return valid;
  }

  static bool is_of_disk(const Error& error) {
    return error.code() == Code::io || error.code() == Code::read_only ||
           error.code() == Code::unknown_outcome;
  }

  RandomValues random_;
  SqliteOptions options_;
  FaultDisk* disk_;
  std::unique_ptr<Store> store_;
  Model model_;
  bool purging_ = false;  //!< what is done just now
};

SqliteOptions options_in(const TemporaryDirectory& directory, const Clock& clock) {
  SqliteOptions options;
  options.path = directory.file("store.db");
  options.clock = &clock;
  options.checkpoint_in_background = false;
  options.retry_ms = 0;
  options.wal_pages_soft = 12;
  options.wal_pages_hard = 24;
  options.health_changed = [](const StoreHealth&) {};
  return options;
}

TEST(EvolutionTest, random_chains_equal_a_plain_model) {
  const std::uint64_t seed = test_seed();
  const bool full = std::getenv("REELHOUSE_FULL") != nullptr;
  const TemporaryDirectory directory;
  const ManualClock clock;
  for (std::uint64_t chain = 0; chain < (full ? 10'000U : 150U); ++chain) {
    SCOPED_TRACE(fmt::format("chain {}, REELHOUSE_SEED={}", chain, seed));
    FaultDisk disk(seed + chain);
    SqliteOptions options = options_in(directory, clock);
    options.vfs = disk.vfs_name();
    Chain(seed * 1'000'003 + chain, options, &disk).run(40);
    if (HasFailure()) return;
  }
}

TEST(EvolutionTest, a_backup_has_the_schemas_with_their_history) {
  const TemporaryDirectory directory;
  const ManualClock clock;
  Chain chain(test_seed(), options_in(directory, clock), nullptr);
  chain.run(60);
  const std::string copy = directory.file("copy");
  ASSERT_OK(chain.store().backup(copy));
  SqliteOptions options = options_in(directory, clock);
  options.path = copy + "/store.db";
  const auto restored = open_store(options);
  Chain::verify(*restored, chain.model());
  const TableId id = value_of(restored->catalog()->table("t"))->id;
  EXPECT_EQ(value_of(restored->history(id)).size(), value_of(chain.store().history(id)).size());
}

}  // namespace
}  // namespace reel::store
