#pragma once
//! Rows of files into the tables, and out of them.

#include <vector>

#include "exr/tables/rows.h"
#include "store/draft.h"

namespace reel::exr {

//! Writes the rows of many files in one commit; says of each whether its header is new at this
//! path. A path has the rows of its present file only: those of another header at the same path are
//! replaced, and where header and file are as they were, only when and how often it was inspected
//! changes. A file's place in a sequence stays where `rows` has none.
//! REQUIRES: the paths differ from each other, and the tables are there.
Result<std::vector<bool>> record_files(store::RowStore& store, const RecordTables& tables,
                                       const std::vector<FileRows>& files, Instant now);

//! What statements of SQL do to rows of a table for which is_record_table() holds: a file is
//! deleted with everything that is known of it, a sequence by itself, and columns of users change.
//! Code::forbidden for everything else, because rows come from inspections.
Status apply_record_edits(store::RowStore& store, const store::TableSchema& table,
                          const std::vector<store::RowEdit>& edits);

}  // namespace reel::exr
