#pragma once
//! SQLite's own tables and indexes below ours. Columns carry no constraints: the store checks
//! values, so that dropping a constraint or a column stays a change of the catalog only.

#include "store/sqlite/connection_internal.h"
#include "store/sqlite/layout_internal.h"

namespace reel::store::sqlite {

//! `large_rows`: they stand apart from their keys.
Status create_physical(Connection& writer, const Layout& layout, bool large_rows);
//! Adds the columns that the old schema does not store. Code::too_large when a table has had more
//! than SQLite can keep.
Status add_physical(Connection& writer, const TableSchema& old, const Layout& layout);
//! Creates the indexes from this one on.
Status create_indexes(Connection& writer, const Layout& layout, IndexId first);
//! Code::invalid when a row has no value in the column. Looks at all rows.
Status check_no_null(Connection& writer, const Layout& layout, ColumnId column);
//! The table with its indexes. REQUIRES: it has few rows, others wait meanwhile.
Status drop_physical(Connection& writer, const Layout& layout);
//! The literal that SQLite reads as exactly this value. Code::unsupported when there is none.
Result<std::string> exact_literal(Connection& writer, const Type& type, const Value& value);

}  // namespace reel::store::sqlite
