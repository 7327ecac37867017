#include "store/sqlite/applier_internal.h"

#include "store/document.h"
#include "store/row_hash.h"

namespace reel::store::sqlite {
namespace {

constexpr std::int64_t kMicrosPerHour = std::int64_t{3'600} * 1'000'000;

//! Binds the values of leading key columns.
void bind_key(sqlite3_stmt* statement, int first, const Layout& layout, const Key& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    bind_value(statement, first + static_cast<int>(i), layout.type(layout.key[i]), key[i]);
  }
}

std::string with_positions(std::string shape, const std::vector<std::size_t>& positions) {
  for (const std::size_t position : positions) {
    shape.push_back(static_cast<char>(position));
    shape.push_back(static_cast<char>(position >> 8));
  }
  return shape;
}

//! Reads some cells of one row by full key into `row` (one value per stored column). False: none
//! there.
Result<bool> read_cells_of(Connection& connection, const Layout& layout, const Key& key,
                           const std::vector<std::size_t>& positions, Row& row) {
  const std::string shape = with_positions(layout.prefix + 'g', positions);
  REEL_ASSIGN(const Statement select, connection.prepare(shape, [&] {
    return fmt::format("SELECT {} FROM {} WHERE {}",
                       positions.empty() ? "1" : layout.list(positions), layout.table,
                       layout.list(layout.key, " = ?", " AND "));
  }));
  bind_key(select.get(), 1, layout, key);
  REEL_ASSIGN(const bool found, connection.step(select));
  if (!found) return false;
  row.resize(layout.stored.size());
  for (std::size_t i = 0; i < positions.size(); ++i) {
    REEL_TRY(read_value(sqlite3_column_value(select.get(), static_cast<int>(i)),
                        layout.type(positions[i]), row[positions[i]]));
  }
  return true;
}

//! Reads all of them.
Result<bool> read_row(Connection& connection, const Layout& layout, const Key& key, Row& row) {
  REEL_ASSIGN(const bool found, read_cells_of(connection, layout, key, layout.stored, row));
  if (found && row[layout.inserted_at].is_null()) return corrupt("a row has no inserted_at");
  return found;
}

CellRefs refer_to(const Row& row) {
  CellRefs refs(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) refs[i] = &row[i];
  return refs;
}

}  // namespace

std::int64_t hour_of(Instant instant) {
  const std::int64_t hours = instant.micros / kMicrosPerHour;
  return instant.micros % kMicrosPerHour < 0 ? hours - 1 : hours;
}

std::string encode_fingerprint(const Hash128& hash) {
  std::string bytes;
  for (const std::uint64_t half : {hash.high, hash.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(half >> shift));
  }
  return bytes;
}

Result<Hash128> decode_fingerprint(std::string_view bytes) {
  if (bytes.size() != 16) return corrupt("a fingerprint has {} bytes", bytes.size());
  Hash128 hash;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::uint64_t& half = i < 8 ? hash.high : hash.low;
    half = (half << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return hash;
}

Status Applier::apply(const Batch& batch, const BatchPlan& plan) {
  changes_.clear();
  for (std::size_t i = 0; i < batch.preconditions.size(); ++i) {
    REEL_TRY(check(batch.preconditions[i], plan.preconditions[i]));
  }
  const bool savepoint = plan.needs_savepoint && undo_ == Undo::by_savepoint;
  if (savepoint) REEL_TRY(writer_.run("SAVEPOINT batch"));
  Status done = mutate(batch, plan);
  if (!done && done.error().code() == Code::corrupt) writer_.note_corrupt();
  if (writer_.last_failure() != SQLITE_OK) return done;
  if (savepoint) {
    REEL_TRY(writer_.run(done ? "RELEASE batch" : "ROLLBACK TO batch; RELEASE batch"));
  } else {
    torn_ = !done && !changes_.empty();
  }
  if (done) fold_changes();
  return done;
}

Status Applier::check(const Precondition& precondition, const PlannedPrecondition& planned) {
  using Kind = Precondition::Kind;
  if (precondition.kind == Kind::no_overlap) return check_no_overlap(precondition, planned);
  if (precondition.kind == Kind::empty) return check_empty(precondition, planned);
  const Layout& layout = *planned.layout;
  REEL_ASSIGN(const bool found,
              read_cells_of(writer_, layout, precondition.key, planned.cells, old_));
  const auto words = [&](std::string_view ours) {
    return precondition.message.empty()
               ? fmt::format("table '{}': row {} {}", precondition.table,
                             key_text(*layout.schema, precondition.key), ours)
               : precondition.message;
  };
  if (precondition.kind == Kind::absent) {
    if (found) return conflict("{}", words("exists"));
    return {};
  }
  if (!found) {
    return fail(precondition.kind == Kind::present ? Code::not_found : Code::conflict, "{}",
                words("does not exist"));
  }
  for (std::size_t i = 0; i < planned.cells.size(); ++i) {
    if (old_[planned.cells[i]] != precondition.cells[i].second) {
      return conflict(
          "{}", words(fmt::format("has changed in column '{}'", precondition.cells[i].first)));
    }
  }
  return {};
}

Status Applier::check_empty(const Precondition& precondition, const PlannedPrecondition& planned) {
  const Layout& layout = *planned.layout;
  REEL_ASSIGN(const Statement probe, writer_.prepare(layout.prefix + 'e', [&] {
    const std::vector<std::size_t> partition(
        layout.key.begin(),
        layout.key.begin() + static_cast<std::ptrdiff_t>(layout.partition_size));
    return fmt::format("SELECT 1 FROM {} WHERE {} LIMIT 1", layout.table,
                       layout.list(partition, " = ?", " AND "));
  }));
  bind_key(probe.get(), 1, layout, precondition.key);
  REEL_ASSIGN(const bool found, writer_.step(probe));
  if (!found) return {};
  return conflict("{}",
                  precondition.message.empty()
                      ? fmt::format("table '{}': partition {} is not empty", precondition.table,
                                    key_text(*layout.schema, precondition.key))
                      : precondition.message);
}

Status Applier::check_no_overlap(const Precondition& precondition,
                                 const PlannedPrecondition& planned) {
  const Layout& layout = *planned.layout;
  const std::size_t start = layout.key.back();
  const bool bounded = !precondition.end.is_null();
  const std::string shape =
      with_positions(layout.prefix + (bounded ? 'o' : 'O'), {planned.end_column});
  // The nearest row that starts before the new end; rows before it end before it starts.
  REEL_ASSIGN(const Statement probe, writer_.prepare(shape, [&] {
    const std::vector<std::size_t> partition(layout.key.begin(), layout.key.end() - 1);
    const std::string column = layout.physical(start);
    return fmt::format(
        "SELECT {0}, coalesce({1} > ?, 1) FROM {2} WHERE {3}{4} "
        "ORDER BY {0} DESC LIMIT 1",
        column, layout.physical(planned.end_column), layout.table,
        layout.list(partition, " = ?", " AND "), bounded ? fmt::format(" AND {} < ?", column) : "");
  }));
  const Type& type = layout.type(start);
  bind_value(probe.get(), 1, type, precondition.start);
  bind_key(probe.get(), 2, layout, precondition.key);
  if (bounded) {
    bind_value(probe.get(), static_cast<int>(layout.key.size()) + 1, type, precondition.end);
  }
  REEL_ASSIGN(const bool found, writer_.step(probe));
  if (!found || sqlite3_column_int(probe.get(), 1) == 0) return {};
  Key clash = precondition.key;
  REEL_TRY(read_value(sqlite3_column_value(probe.get(), 0), type, clash.emplace_back()));
  return conflict("{} {}",
                  precondition.message.empty()
                      ? fmt::format("table '{}': the range overlaps row", precondition.table)
                      : precondition.message,
                  key_text(*layout.schema, clash));
}

Status Applier::mutate(const Batch& batch, const BatchPlan& plan) {
  for (std::size_t i = 0; i < batch.mutations.size(); ++i) {
    REEL_TRY(mutate(batch.mutations[i], plan.mutations[i]));
  }
  return {};
}

Status Applier::mutate(const Mutation& mutation, const PlannedMutation& planned) {
  const Layout& layout = *planned.layout;
  if (mutation.kind == Mutation::Kind::append) REEL_TRY(assign_number(mutation, layout));
  if (mutation.kind == Mutation::Kind::insert || mutation.kind == Mutation::Kind::append) {
    build_row(mutation, planned);
    REEL_TRY(insert(mutation, layout));
    note(layout, new_, true);
    return index(layout, nullptr, &new_);
  }
  REEL_ASSIGN(const bool found, read_row(writer_, layout, mutation.key, old_));
  switch (mutation.kind) {
    case Mutation::Kind::erase:
      if (!found) return {};
      {
        REEL_TRY(erase(layout, mutation.key));
        const CellRefs old = refer_to(old_);
        note(layout, old, false);
        return index(layout, &old, nullptr);
      }
    case Mutation::Kind::update:
      if (!found) {
        return not_found("table '{}': row {} does not exist", mutation.table,
                         key_text(*layout.schema, mutation.key));
      }
      new_ = refer_to(old_);
      for (std::size_t i = 0; i < planned.cells.size(); ++i) {
        new_[planned.cells[i]] = &mutation.cells[i].second;
      }
      if (!planned.cells.empty()) REEL_TRY(replace(layout, mutation.key, planned.cells));
      break;
    default:
      build_row(mutation, planned);
      if (!found) {
        REEL_TRY(insert(mutation, layout));
        note(layout, new_, true);
        return index(layout, nullptr, &new_);
      }
      new_[layout.inserted_at] = &old_[layout.inserted_at];
      for (std::size_t i = layout.all.size(); i < new_.size(); ++i) new_[i] = &old_[i];
      REEL_TRY(replace(layout, mutation.key, layout.not_key));
      break;
  }
  const CellRefs old = refer_to(old_);
  note(layout, old, false);
  note(layout, new_, true);
  return index(layout, &old, &new_);
}

Status Applier::index(const Layout& layout, const CellRefs* before, const CellRefs* after) {
  for (const auto& [name, search] : layout.searches) {
    REEL_TRY(index(layout, search, before, after));
  }
  return {};
}

Status Applier::index(const Layout& layout, const Layout::SearchLayout& search,
                      const CellRefs* before, const CellRefs* after) {
  static const Value kNoText{std::string()};
  const auto text_of = [&](const CellRefs& row) -> const Value& {
    const Value& cell = *row[search.column];
    return cell.is_null() ? kNoText : cell;
  };
  const Type& text_type = layout.type(search.column);
  const CellRefs& row = after != nullptr ? *after : *before;
  const auto run = [&](const std::string& sql, const Value* text, bool with_key) -> Status {
    REEL_ASSIGN(const Statement statement, writer_.prepare(sql));
    int parameter = 0;
    if (text != nullptr) bind_value(statement.get(), ++parameter, text_type, *text);
    if (with_key) {
      for (const std::size_t position : layout.key) {
        bind_value(statement.get(), ++parameter, layout.type(position), *row[position]);
      }
    }
    return writer_.finish(statement);
  };
  const std::string this_key = layout.list(layout.key, " = ?", " AND ");
  const std::string number = fmt::format("(SELECT id FROM {} WHERE {})", search.numbers, this_key);
  if (before != nullptr && after != nullptr) {
    if (text_of(*before) == text_of(*after)) return {};
    return run(fmt::format("UPDATE {} SET text = ? WHERE rowid = {}", search.texts, number),
               &text_of(*after), true);
  }
  if (after == nullptr) {
    REEL_TRY(
        run(fmt::format("DELETE FROM {} WHERE rowid = {}", search.texts, number), nullptr, true));
    return run(fmt::format("DELETE FROM {} WHERE {}", search.numbers, this_key), nullptr, true);
  }
  std::string marks(layout.key.size() * 2 - 1, ',');
  for (std::size_t i = 0; i < marks.size(); i += 2) marks[i] = '?';
  REEL_TRY(run(fmt::format("INSERT INTO {} ({}) VALUES ({})", search.numbers,
                           layout.list(layout.key), marks),
               nullptr, true));
  return run(
      fmt::format("INSERT INTO {} (rowid, text) VALUES (last_insert_rowid(), ?)", search.texts),
      &text_of(*after), false);
}

Status Applier::assign_number(const Mutation& mutation, const Layout& layout) {
  REEL_ASSIGN(const Statement newest, writer_.prepare(layout.prefix + 'n', [&] {
    const std::vector<std::size_t> partition(layout.key.begin(), layout.key.end() - 1);
    return fmt::format("SELECT max({}) FROM {} WHERE {}", layout.physical(layout.key.back()),
                       layout.table, layout.list(partition, " = ?", " AND "));
  }));
  bind_key(newest.get(), 1, layout, mutation.key);
  REEL_ASSIGN(const bool found, writer_.step(newest));
  // The maximum of nothing is one row with null, which reads as 0.
  const std::int64_t last = found ? sqlite3_column_int64(newest.get(), 0) : 0;
  number_ = last + 1;
  return {};
}

void Applier::build_row(const Mutation& mutation, const PlannedMutation& planned) {
  const Layout& layout = *planned.layout;
  new_.resize(layout.stored.size());
  for (const std::size_t position : layout.not_key) {
    new_[position] = &layout.schema->columns[position].default_value;
  }
  for (std::size_t i = layout.all.size(); i < new_.size(); ++i) {
    new_[i] = &layout.schema->stored(i).initial_default;
  }
  now_ = clock_.now();
  new_[layout.inserted_at] = &now_;
  for (std::size_t i = 0; i < layout.key.size(); ++i) {
    new_[layout.key[i]] = i < mutation.key.size() ? &mutation.key[i] : &number_;
  }
  for (std::size_t i = 0; i < planned.cells.size(); ++i) {
    new_[planned.cells[i]] = &mutation.cells[i].second;
  }
}

Status Applier::insert(const Mutation& mutation, const Layout& layout) {
  // A dropped column has its initial default in a new row. SQLite knows that default of columns
  // that were added to the table, not of those that it was created with.
  std::string shape = layout.prefix + 'i';
  std::vector<std::size_t> positions = layout.all;
  for (std::size_t i = layout.all.size(); i < layout.stored.size(); ++i) {
    if (layout.schema->stored(i).initial_default.is_null()) continue;
    positions.push_back(i);
    shape += layout.physical(i);  // purging takes a column out of the same version
  }
  REEL_ASSIGN(const Statement statement, writer_.prepare(shape, [&] {
    std::string parameters(positions.size() * 2 - 1, ',');
    for (std::size_t i = 0; i < parameters.size(); i += 2) parameters[i] = '?';
    return fmt::format("INSERT INTO {} ({}) VALUES ({})", layout.table, layout.list(positions),
                       parameters);
  }));
  sqlite3_clear_bindings(statement.get());  // to null, which many cells are
  int parameter = 0;
  for (const std::size_t i : positions) {
    ++parameter;
    if (!new_[i]->is_null()) {
      bind_value(statement.get(), parameter, layout.type(i), *new_[i]);
    }
  }
  const int rc = sqlite3_step(statement.get());
  if (rc == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return conflict("table '{}': row {} exists", mutation.table,
                    key_text(*layout.schema, mutation.key));
  }
  if (rc != SQLITE_DONE) return writer_.failure(rc, "inserting into");
  return {};
}

Status Applier::replace(const Layout& layout, const Key& key,
                        const std::vector<std::size_t>& positions) {
  const std::string shape = with_positions(layout.prefix + 'u', positions);
  REEL_ASSIGN(const Statement statement, writer_.prepare(shape, [&] {
    return fmt::format("UPDATE {} SET {} WHERE {}", layout.table, layout.list(positions, " = ?"),
                       layout.list(layout.key, " = ?", " AND "));
  }));
  int parameter = 0;
  for (const std::size_t position : positions) {
    bind_value(statement.get(), ++parameter, layout.type(position), *new_[position]);
  }
  bind_key(statement.get(), parameter + 1, layout, key);
  return writer_.finish(statement);
}

Status Applier::erase(const Layout& layout, const Key& key) {
  REEL_ASSIGN(const Statement statement, writer_.prepare(layout.prefix + 'd', [&] {
    return fmt::format("DELETE FROM {} WHERE {}", layout.table,
                       layout.list(layout.key, " = ?", " AND "));
  }));
  bind_key(statement.get(), 1, layout, key);
  return writer_.finish(statement);
}

void Applier::note(const Layout& layout, const CellRefs& row, bool added) {
  changes_.push_back({.table = layout.schema->id,
                      .hour = hour_of(row[layout.inserted_at]->get<Instant>()),
                      .added = added,
                      .hash = row_hash(*layout.schema, layout.by_id, row, scratch_)});
}

void Applier::fold_changes() {
  for (const Change& change : changes_) {
    Delta& delta = ledger_[{change.table, change.hour}];
    delta.rows += change.added ? 1 : -1;
    if (change.added) {
      delta.fingerprint += change.hash;
    } else {
      delta.fingerprint -= change.hash;
    }
  }
}

Status Applier::write_ledger() {
  for (auto& [where, delta] : ledger_) {
    {
      REEL_ASSIGN(const Statement select, writer_.prepare("SELECT rows, fingerprint FROM _ledger "
                                                          "WHERE table_id = ? AND hour = ?"));
      sqlite3_bind_int64(select.get(), 1, where.first);
      sqlite3_bind_int64(select.get(), 2, where.second);
      REEL_ASSIGN(const bool found, writer_.step(select));
      if (found) {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(select.get(), 1));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(select.get(), 1));
        REEL_ASSIGN(const Hash128 before, decode_fingerprint(std::string_view(bytes, size)));
        delta.rows += sqlite3_column_int64(select.get(), 0);
        delta.fingerprint += before;
      }
    }
    // An hour without rows has no entry, just as a recount would find none.
    const bool empty = delta.rows == 0;
    REEL_ASSIGN(const Statement write,
                writer_.prepare(empty ? "DELETE FROM _ledger WHERE table_id = ? AND hour = ?"
                                      : "INSERT OR REPLACE INTO _ledger VALUES (?, ?, ?, ?)"));
    const std::string fingerprint = encode_fingerprint(delta.fingerprint);
    sqlite3_bind_int64(write.get(), 1, where.first);
    sqlite3_bind_int64(write.get(), 2, where.second);
    if (!empty) {
      sqlite3_bind_int64(write.get(), 3, delta.rows);
      sqlite3_bind_blob(write.get(), 4, fingerprint.data(), 16, SQLITE_STATIC);
    }
    REEL_TRY(writer_.finish(write));
  }
  return {};
}

}  // namespace reel::store::sqlite
