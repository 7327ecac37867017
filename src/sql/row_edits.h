#pragma once
//! What the statements of a transaction do to rows: their checks and conditions.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/draft.h"

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

//! The edits of one statement: all rows are given up first, then the new ones put in, if every row
//! is still as it was read. `view`: the rows as the transaction sees them. Code::conflict for a key
//! that is there already, Code::invalid for a value that its column cannot have.
Result<store::Batch> to_batch(store::Snapshot& view, const store::TableSchema& schema,
                              const std::vector<store::RowEdit>& edits);

}  // namespace reel::sql
