#include "store/sqlite/snapshot_internal.h"

#include <algorithm>
#include <map>

#include "store/row_hash.h"
#include "store/sqlite/applier_internal.h"
#include "store/sqlite/catalog_internal.h"

namespace reel::store::sqlite {
namespace {

//! Shapes are sequences of two-byte numbers with counts in front, so that no two read alike.
void append_number(std::string& shape, std::size_t number) {
  shape.push_back(static_cast<char>(number));
  shape.push_back(static_cast<char>(number >> 8));
}

void append_columns(std::string& shape, const std::vector<std::size_t>& positions) {
  append_number(shape, positions.size());
  for (const std::size_t position : positions) append_number(shape, position);
}

void append_terms(std::string& shape, const std::vector<Term>& terms) {
  append_number(shape, terms.size());
  for (const Term& term : terms) {
    shape.push_back(static_cast<char>(term.op));
    append_number(shape, term.column);
  }
}

std::string_view operator_text(Term::Op op) {
  switch (op) {
    case Term::Op::equal: return " = ?";
    case Term::Op::less: return " < ?";
    case Term::Op::less_equal: return " <= ?";
    case Term::Op::greater: return " > ?";
    case Term::Op::greater_equal: return " >= ?";
    case Term::Op::is_null: return " IS NULL";
    case Term::Op::not_null: return " IS NOT NULL";
  }
  return "";
}

bool is_equality(Term::Op op) { return op == Term::Op::equal || op == Term::Op::is_null; }

bool takes_value(Term::Op op) { return op != Term::Op::is_null && op != Term::Op::not_null; }

//! Null is never less or greater than anything, as in SQL; `equal` to null means is_null.
Term term_of(const Predicate& predicate, std::size_t position) {
  using Op = Term::Op;
  Op op = Op::equal;
  switch (predicate.op) {
    case Predicate::Op::equal: op = predicate.value.is_null() ? Op::is_null : Op::equal; break;
    case Predicate::Op::less: op = Op::less; break;
    case Predicate::Op::less_equal: op = Op::less_equal; break;
    case Predicate::Op::greater: op = Op::greater; break;
    case Predicate::Op::greater_equal: op = Op::greater_equal; break;
    case Predicate::Op::is_null: op = Op::is_null; break;
    case Predicate::Op::not_null: op = Op::not_null; break;
  }
  return {position, op, &predicate.value};
}

//! The index in which SQLite keeps a WITHOUT ROWID table has this name.
std::string in_key_order(const Layout& layout) {
  return fmt::format("{0} INDEXED BY sqlite_autoindex_{0}_1", layout.table);
}

Hash128 hash_of_leading(const Key& key, const Layout& layout) {
  std::string bytes;
  for (std::size_t i = 0; i < key.size(); ++i) {
    encode_value(bytes, layout.type(layout.key[i]), key[i]);
  }
  return hash128(bytes);
}

//! An FTS5 query for any of the pieces; each is quoted, so nothing in it is an operator.
Result<std::string> any_of(const std::vector<std::string>& pieces) {
  constexpr std::ptrdiff_t kCharactersMin = 3;  // of FTS5's trigram tokenizer
  std::string query;
  for (const std::string& piece : pieces) {
    const auto characters = std::count_if(piece.begin(), piece.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not inside a UTF-8 sequence
    });
    if (characters < kCharactersMin || piece.find('\0') != std::string::npos) {
      return invalid("'{}' is not a piece of text to search", piece);
    }
    query += query.empty() ? "\"" : " OR \"";
    for (const char c : piece) query.append(c == '"' ? 2 : 1, c);
    query += '"';
  }
  return query;
}

//! With room for these cells; those of dropped columns stand behind the live ones.
Row row_for(const Layout& layout, const std::vector<std::size_t>& positions) {
  std::size_t size = layout.all.size();
  for (const std::size_t position : positions) size = std::max(size, position + 1);
  return Row(size);
}

}  // namespace

//! A ScanSpec with its names resolved.
struct SqliteSnapshot::Scan {
  const Layout* layout = nullptr;
  std::vector<std::size_t> columns;  //!< what to read
  std::string_view index;            //!< physical; empty: the key
  std::string shape;                 //!< of everything but the piece
  std::vector<std::size_t> sort;     //!< sort columns that bounds name, Term::column counts these
  std::vector<std::size_t> order;    //!< ORDER BY
  std::vector<Term> fixed;           //!< partition and predicates; Term::column is a position
  bool reverse = false;
};

Result<std::unique_ptr<SqliteSnapshot>> SqliteSnapshot::reserve(std::shared_ptr<ReaderPool> pool) {
  REEL_ASSIGN(auto connection, pool->take());
  return std::unique_ptr<SqliteSnapshot>(
      new SqliteSnapshot(std::move(pool), std::move(connection)));
}

SqliteSnapshot::~SqliteSnapshot() {
  bool reusable = connection_->last_failure() == SQLITE_OK;
  if (auto end = connection_->prepare("COMMIT"); !end || !connection_->finish(*end)) {
    reusable = false;
  }
  pool_->give_back(std::move(connection_), reusable);
}

Status SqliteSnapshot::begin(std::shared_ptr<const Layouts> newest) {
  {
    REEL_ASSIGN(const Statement begin, connection_->prepare("BEGIN"));
    REEL_TRY(connection_->finish(begin));
  }
  // The transaction really starts with its first read.
  REEL_ASSIGN(const std::int64_t version, read_catalog_version(*connection_));
  if (newest->catalog->version == static_cast<std::uint64_t>(version)) {
    layouts_ = std::move(newest);
    return {};
  }
  REEL_ASSIGN(layouts_, load_layouts(*connection_));
  return {};
}

Result<std::vector<std::size_t>> SqliteSnapshot::projection(
    const Layout& layout, const std::vector<std::string>& columns) const {
  if (columns.empty()) return layout.all;
  std::vector<std::size_t> positions;
  positions.reserve(columns.size());
  for (const std::string& name : columns) {
    REEL_ASSIGN(const std::size_t position, layout.readable(name));
    positions.push_back(position);
  }
  return positions;
}

Status SqliteSnapshot::read_cells(const Layout& layout, const Statement& statement,
                                  const std::vector<std::size_t>& positions, Row& row) const {
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const std::size_t position = positions[i];
    // Many cells of a wide table are null: they are not worth a call each.
    sqlite3_value* const cell = sqlite3_column_value(statement.get(), static_cast<int>(i));
    if (sqlite3_value_type(cell) != SQLITE_NULL) {
      REEL_TRY(read_value(cell, layout.type(position), row[position]));
    } else if (!row[position].is_null()) {
      row[position] = Value();
    }
  }
  return {};
}

Result<SqliteSnapshot::Lookup> SqliteSnapshot::prepare_lookup(
    std::string_view table, const std::vector<std::string>& columns) {
  REEL_ASSIGN(auto layout, layouts_->table(table));
  REEL_ASSIGN(auto positions, projection(*layout, columns));
  std::string shape = layout->prefix + 'G';
  append_columns(shape, positions);
  REEL_ASSIGN(Statement select, connection_->prepare(shape, [&] {
    return fmt::format("SELECT {} FROM {} WHERE {}", layout->list(positions), layout->table,
                       layout->list(layout->key, " = ?", " AND "));
  }));
  return Lookup{std::move(layout), std::move(positions), std::move(select)};
}

Result<bool> SqliteSnapshot::look_up(const Lookup& lookup, const Key& key, Row& row) const {
  const Layout& layout = *lookup.layout;
  REEL_TRY(check_key(layout, key, layout.key.size()));
  sqlite3_stmt* const statement = lookup.statement.get();
  sqlite3_reset(statement);
  for (std::size_t i = 0; i < key.size(); ++i) {
    bind_value(statement, static_cast<int>(i) + 1, layout.type(layout.key[i]), key[i]);
  }
  REEL_ASSIGN(const bool found, connection_->step(lookup.statement));
  if (found) REEL_TRY(read_cells(layout, lookup.statement, lookup.columns, row));
  return found;
}

Result<std::optional<Row>> SqliteSnapshot::get(std::string_view table, const Key& key,
                                               const std::vector<std::string>& columns) {
  REEL_ASSIGN(const Lookup lookup, prepare_lookup(table, columns));
  Row row = row_for(*lookup.layout, lookup.columns);
  REEL_ASSIGN(const bool found, look_up(lookup, key, row));
  if (!found) return std::nullopt;
  return row;
}

Status SqliteSnapshot::get_each(std::string_view table, const std::vector<Key>& keys,
                                const std::vector<std::string>& columns, const KeyVisitor& visit) {
  REEL_ASSIGN(const Lookup lookup, prepare_lookup(table, columns));
  Row row = row_for(*lookup.layout, lookup.columns);
  const RowView view{*lookup.layout->schema, row};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    REEL_ASSIGN(const bool found, look_up(lookup, keys[i], row));
    if (found) visit(i, view);
  }
  return {};
}

Status SqliteSnapshot::plan(const ScanSpec& spec, Scan& scan) const {
  const auto found = layouts_->tables.find(spec.table);
  if (found == layouts_->tables.end()) return not_found("there is no table '{}'", spec.table);
  const Layout& layout = *found->second;
  scan.layout = &layout;
  REEL_ASSIGN(scan.columns, projection(layout, spec.columns));
  scan.shape = layout.prefix + (spec.reverse ? 'r' : 's');
  scan.reverse = spec.reverse;
  const bool whole_table = spec.partition.empty() && spec.index.empty();
  if (!spec.partition.empty()) {
    REEL_TRY(check_key(layout, spec.partition, layout.partition_size));
    for (std::size_t i = 0; i < layout.partition_size; ++i) {
      scan.fixed.push_back({layout.key[i], Term::Op::equal, &spec.partition[i]});
    }
  }
  if (spec.index.empty()) {
    append_number(scan.shape, 0);
    const std::size_t fixed = whole_table ? 0 : layout.partition_size;
    scan.sort.assign(layout.key.begin() + static_cast<std::ptrdiff_t>(fixed), layout.key.end());
    scan.order = scan.sort;
  } else {
    const auto index = layout.indexes.find(spec.index);
    if (index == layout.indexes.end()) {
      return invalid("table '{}' has no index '{}'", spec.table, spec.index);
    }
    append_number(scan.shape,
                  static_cast<std::size_t>(std::distance(layout.indexes.begin(), index) + 1));
    scan.index = index->second.physical;
    scan.sort = index->second.bounds;
    scan.order = index->second.order;
  }
  for (const auto* bound : {&spec.lower, &spec.upper}) {
    if (!*bound) continue;
    const Key& prefix = (*bound)->prefix;
    if (prefix.size() > scan.sort.size()) {
      return invalid("a bound has {} values, the order has {} columns", prefix.size(),
                     scan.sort.size());
    }
    for (std::size_t i = 0; i < prefix.size(); ++i) {
      REEL_TRY(check_value(layout.type(scan.sort[i]), prefix[i]));
    }
  }
  for (const Predicate& predicate : spec.where) {
    REEL_ASSIGN(const std::size_t position, layout.position(predicate.column));
    REEL_TRY(check_value(layout.type(position), predicate.value));
    scan.fixed.push_back(term_of(predicate, position));
  }
  append_columns(scan.shape, scan.columns);
  append_terms(scan.shape, scan.fixed);
  return {};
}

std::string SqliteSnapshot::sql_of(const Scan& scan, const Piece& piece) {
  const Layout& layout = *scan.layout;
  std::vector<Term> terms = scan.fixed;
  for (Term term : piece) {
    term.column = scan.sort[term.column];
    terms.push_back(term);
  }
  std::string sql =
      fmt::format("SELECT {} FROM {}", layout.list(scan.columns),
                  scan.index.empty() ? in_key_order(layout)
                                     : fmt::format("{} INDEXED BY {}", layout.table, scan.index));
  const char* word = " WHERE ";
  for (std::size_t i = 0; i < terms.size(); ++i) {
    // A column that has its value by another equality is only checked ("+" keeps SQLite from using
    // the term for the index): SQLite might prefer the weaker term, and then has to sort.
    bool only_checked = false;
    for (std::size_t other = 0; other < terms.size(); ++other) {
      only_checked = only_checked ||
                     (other != i && terms[other].column == terms[i].column &&
                      is_equality(terms[other].op) && (!is_equality(terms[i].op) || other < i));
    }
    sql += fmt::format("{}{}{}{}", std::exchange(word, " AND "), only_checked ? "+" : "",
                       layout.physical(terms[i].column), operator_text(terms[i].op));
  }
  if (scan.order.empty()) return sql;
  return sql + " ORDER BY " + layout.list(scan.order, scan.reverse ? " DESC" : "");
}

Status SqliteSnapshot::run_piece(const Scan& scan, const Piece& piece, Row& row, std::size_t& left,
                                 const RowVisitor& visit) {
  const Layout& layout = *scan.layout;
  std::string shape = scan.shape;
  append_terms(shape, piece);
  REEL_ASSIGN(const Statement statement,
              connection_->prepare(shape, [&] { return sql_of(scan, piece); }));
  int parameter = 0;
  for (const Term& term : scan.fixed) {
    if (!takes_value(term.op)) continue;
    bind_value(statement.get(), ++parameter, layout.type(term.column), *term.value);
  }
  for (const Term& term : piece) {
    if (!takes_value(term.op)) continue;
    bind_value(statement.get(), ++parameter, layout.type(scan.sort[term.column]), *term.value);
  }
  const RowView view{*layout.schema, row};
  while (left > 0) {
    REEL_ASSIGN(const bool more, connection_->step(statement));
    if (!more) return {};
    REEL_TRY(read_cells(layout, statement, scan.columns, row));
    --left;
    if (!visit(view)) left = 0;
  }
  return {};
}

Status SqliteSnapshot::scan(const ScanSpec& spec, const RowVisitor& visit) {
  Scan scan;
  REEL_TRY(plan(spec, scan));
  std::vector<bool> nullable;
  for (const std::size_t position : scan.sort) {
    nullable.push_back(scan.layout->schema->columns[position].nullable);
  }
  std::vector<Piece> pieces = cut_range(spec.lower, spec.upper, nullable);
  if (spec.reverse) std::reverse(pieces.begin(), pieces.end());
  Row row = row_for(*scan.layout, scan.columns);
  std::size_t left = spec.limit;
  for (const Piece& piece : pieces) {
    if (left == 0) break;
    REEL_TRY(run_piece(scan, piece, row, left, visit));
  }
  return {};
}

Status SqliteSnapshot::scan_all(std::string_view table, std::size_t part, std::size_t parts,
                                const RowVisitor& visit) {
  REEL_ASSIGN(const auto layout, layouts_->table(table));
  if (part >= parts) return invalid("share {} of {} does not exist", part, parts);
  return read_all(layout, layout->all, {part, parts}, visit);
}

Status SqliteSnapshot::read_all(const std::shared_ptr<const Layout>& layout,
                                const std::vector<std::size_t>& columns, Share share,
                                const RowVisitor& visit) {
  const std::vector<std::size_t> partition(
      layout->key.begin(),
      layout->key.begin() + static_cast<std::ptrdiff_t>(layout->partition_size));
  std::string shape = layout->prefix + 'a';
  append_columns(shape, columns);
  REEL_ASSIGN(Statement rows, connection_->prepare(shape, [&] {
    return fmt::format("SELECT {} FROM {} ORDER BY {}", layout->list(columns),
                       in_key_order(*layout), layout->list(layout->key));
  }));
  Row row(columns.size());
  const RowView view{*layout->schema, row};
  Key last;
  bool ours = share.parts == 1;
  while (true) {
    REEL_ASSIGN(const bool more, connection_->step(rows));
    if (!more) return {};
    if (share.parts > 1) {
      Key key(partition.size());
      for (std::size_t i = 0; i < key.size(); ++i) {
        REEL_TRY(read_value(sqlite3_column_value(rows.get(), static_cast<int>(partition[i])),
                            layout->type(partition[i]), key[i]));
      }
      if (key != last) {
        ours = hash_of_leading(key, *layout).low % share.parts == share.part;
        last = std::move(key);
      }
      if (!ours) continue;
    }
    REEL_TRY(read_cells(*layout, rows, columns, row));
    if (!visit(view)) return {};
  }
}

Status SqliteSnapshot::search(const SearchSpec& spec, const RowVisitor& visit) {
  REEL_ASSIGN(const auto layout, layouts_->table(spec.table));
  const auto found = layout->searches.find(spec.index);
  if (found == layout->searches.end()) {
    return invalid("table '{}' has no search index '{}'", spec.table, spec.index);
  }
  REEL_ASSIGN(const std::string query, any_of(spec.pieces));
  if (query.empty()) return {};
  REEL_ASSIGN(const auto positions, projection(*layout, spec.columns));
  const Layout::SearchLayout& search = found->second;
  REEL_ASSIGN(const Statement rows,
              connection_->prepare_once(
                  fmt::format("SELECT t.{} FROM (SELECT rowid, rank FROM {} WHERE text MATCH ? "
                              "ORDER BY rank LIMIT ?) f CROSS JOIN {} n ON n.id = f.rowid "
                              "CROSS JOIN {} t USING ({}) ORDER BY f.rank, n.id",
                              layout->list(positions, "", ", t."), search.texts, search.numbers,
                              layout->table, layout->list(layout->key))));
  sqlite3_bind_text64(rows.get(), 1, query.data(), query.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_int64(rows.get(), 2, static_cast<sqlite3_int64>(spec.limit));
  Row row = row_for(*layout, positions);
  const RowView view{*layout->schema, row};
  while (true) {
    REEL_ASSIGN(const bool more, connection_->step(rows));
    if (!more) return {};
    REEL_TRY(read_cells(*layout, rows, positions, row));
    if (!visit(view)) return {};
  }
}

Result<std::vector<LedgerEntry>> SqliteSnapshot::ledger(std::string_view table) {
  REEL_ASSIGN(const auto layout, layouts_->table(table));
  REEL_ASSIGN(const Statement rows,
              connection_->prepare("SELECT hour, rows, fingerprint FROM _ledger "
                                   "WHERE table_id = ? ORDER BY hour"));
  sqlite3_bind_int64(rows.get(), 1, layout->schema->id);
  std::vector<LedgerEntry> entries;
  while (true) {
    REEL_ASSIGN(const bool more, connection_->step(rows));
    if (!more) return entries;
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(rows.get(), 2));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(rows.get(), 2));
    REEL_ASSIGN(const Hash128 fingerprint, decode_fingerprint(std::string_view(bytes, size)));
    entries.push_back({.hour = sqlite3_column_int64(rows.get(), 0),
                       .rows = sqlite3_column_int64(rows.get(), 1),
                       .fingerprint = fingerprint});
  }
}

Result<std::vector<LedgerEntry>> SqliteSnapshot::recount(std::string_view table) {
  REEL_ASSIGN(const auto layout, layouts_->table(table));
  std::map<std::int64_t, LedgerEntry> hours;
  std::string scratch;
  Status sound;
  REEL_TRY(read_all(layout, layout->stored, {0, 1}, [&](const RowView& row) {
    const auto* at = row[layout->inserted_at].get_if<Instant>();
    if (at == nullptr) {
      sound = corrupt("a row of table '{}' has no inserted_at", table);
      return false;
    }
    LedgerEntry& entry = hours[hour_of(*at)];
    entry.hour = hour_of(*at);
    ++entry.rows;
    entry.fingerprint += row_hash(*layout->schema, layout->by_id, row.cells, scratch);
    return true;
  }));
  REEL_TRY(std::move(sound));
  std::vector<LedgerEntry> entries;
  for (const auto& [hour, entry] : hours) entries.push_back(entry);
  return entries;
}

}  // namespace reel::store::sqlite
