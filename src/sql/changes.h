#pragma once
//! What a transaction has done to rows and not committed yet.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace reel::sql {

//! Rows that a transaction may change: as many as a batch may have. They are kept in memory, which
//! is why their bytes are limited as well, for each statement.
inline constexpr std::size_t kChangedRowsMax = 100'000;
inline constexpr std::size_t kStatementBytesMax = std::size_t{256} << 20;

using SchemaPtr = std::shared_ptr<const store::TableSchema>;

//! The key of a row as bytes: what SQL sees as `rowid`.
std::string encode_key(const store::TableSchema& schema, const store::Row& row);
//! Code::invalid for bytes that are no key of the table.
Result<store::Key> decode_key(const store::TableSchema& schema, std::string_view bytes);

//! Whether the rows may be those of a new table: values, NOT NULL, keys. Code::invalid, conflict.
Status check_new_rows(const store::TableSchema& schema, const std::vector<store::Row>& rows);

//! A row as the transaction's snapshot has it, and as the transaction sees it. Null: no row.
struct RowChange {
  store::Key key;
  std::optional<store::Row> before;
  std::optional<store::Row> after;
};

struct TableChanges {
  SchemaPtr schema;
  std::map<std::string, RowChange, std::less<>> rows;  //!< by encoded key
};

//! One row of a statement: `old_key` (encoded) is given up, `row` is put in. Either may be absent.
struct RowEdit {
  std::optional<std::string> old_key;
  std::optional<store::Row> row;
};

//! Not thread-safe.
class Changes {
 public:
  //! The changed rows of a table, nullptr when there are none.
  const TableChanges* find(store::TableId table) const;
  bool empty() const { return tables_.empty(); }

  //! The row that the transaction sees under this key.
  Result<std::optional<store::Row>> current(store::Snapshot& snapshot,
                                            const store::TableSchema& schema,
                                            const std::string& encoded_key) const;

  //! The edits of one statement: all rows are given up first, then the new ones put in. Nothing
  //! changes when it fails: Code::conflict for a key that is there already, Code::invalid for a
  //! value that its column cannot have, Code::too_large for more rows than kChangedRowsMax in the
  //! transaction. Rows that are given up and not there are ignored.
  Status apply(store::Snapshot& snapshot, const SchemaPtr& schema, std::vector<RowEdit> edits);

  //! All of it, under the conditions that every changed row is still as it was read.
  store::Batch to_batch() const;

 private:
  std::size_t row_count() const;

  std::map<store::TableId, TableChanges> tables_;
};

}  // namespace reel::sql
