#include "store/sqlite/row_rewrite_internal.h"

#include "store/row_hash.h"
#include "store/sqlite/applier_internal.h"

namespace reel::store::sqlite {
namespace {

std::string marks(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += text.empty() ? "?" : ", ?";
  return text;
}

void bind_key(const Statement& statement, int first, const Layout& layout, const Key& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    bind_value(statement.get(), first + static_cast<int>(i), layout.type(layout.key[i]), key[i]);
  }
}

}  // namespace

Result<std::vector<Row>> rows_behind(Connection& writer, const Layout& layout, const Key& key,
                                     std::size_t rows_max) {
  const std::string keys = layout.list(layout.key);
  const std::string behind =
      key.empty() ? "" : fmt::format(" WHERE ({}) > ({})", keys, marks(key.size()));
  REEL_ASSIGN(const Statement select,
              writer.prepare_once(fmt::format("SELECT {} FROM {}{} ORDER BY {} LIMIT {}",
                                              layout.list(layout.stored), layout.table, behind,
                                              keys, rows_max)));
  bind_key(select, 1, layout, key);
  std::vector<Row> rows;
  while (true) {
    REEL_ASSIGN(const bool more, writer.step(select));
    if (!more) return rows;
    Row& row = rows.emplace_back(layout.stored.size());
    for (const std::size_t position : layout.stored) {
      REEL_TRY(read_value(sqlite3_column_value(select.get(), static_cast<int>(position)),
                          layout.type(position), row[position]));
    }
  }
}

Key layout_key(const Layout& layout, const Row& row) {
  Key key;
  for (const std::size_t position : layout.key) key.push_back(row[position]);
  return key;
}

RowRewrite::RowRewrite(Connection& writer, const Layout& layout, std::size_t position)
    : writer_(writer),
      layout_(layout),
      position_(position),
      sql_(fmt::format("UPDATE {} SET {} = ? WHERE {}", layout.table, layout.physical(position),
                       layout.list(layout.key, " = ?", " AND "))) {}

Status RowRewrite::set(Row& row, const Value& value) {
  if (row[position_] == value) return {};
  const TableSchema& schema = *layout_.schema;
  Hash128& difference = differences_[hour_of(row[layout_.inserted_at].get<Instant>())];
  difference -= row_hash(schema, layout_.by_id, row, scratch_);
  row[position_] = value;
  difference += row_hash(schema, layout_.by_id, row, scratch_);
  const Key key = layout_key(layout_, row);
  REEL_ASSIGN(const Statement update, writer_.prepare(sql_));
  bind_value(update.get(), 1, layout_.type(position_), value);
  bind_key(update, 2, layout_, key);
  return writer_.finish(update);
}

Status RowRewrite::finish() {
  for (const auto& [hour, difference] : differences_) {
    const TableId table = layout_.schema->id;
    const std::string where = fmt::format("table_id = {} AND hour = {}", table, hour);
    Hash128 fingerprint;
    {
      REEL_ASSIGN(const Statement select,
                  writer_.prepare_once("SELECT fingerprint FROM _ledger WHERE " + where));
      REEL_ASSIGN(const bool found, writer_.step(select));
      if (!found) return corrupt("the ledger has no entry for hour {} of table {}", hour, table);
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(select.get(), 0));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(select.get(), 0));
      REEL_ASSIGN(fingerprint, decode_fingerprint(std::string_view(bytes, size)));
    }
    fingerprint += difference;
    const std::string bytes = encode_fingerprint(fingerprint);
    REEL_ASSIGN(const Statement update,
                writer_.prepare_once("UPDATE _ledger SET fingerprint = ? WHERE " + where));
    sqlite3_bind_blob(update.get(), 1, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    REEL_TRY(writer_.finish(update));
  }
  return {};
}

}  // namespace reel::store::sqlite
