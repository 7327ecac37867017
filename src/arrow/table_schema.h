#pragma once
//! The schema of a table, for readers of Arrow.

#include <string>

#include "base/result.h"
#include "store/schema.h"

namespace reel::arrow {

//! An Arrow IPC stream with the schema and no rows. Its metadata are `reelhouse.table`,
//! `reelhouse.version` and `reelhouse.primary_key` (names, comma-separated); those of a field, also
//! a nested one, `PARQUET:field_id` and `reelhouse.id`, which both are the permanent id, and
//! `reelhouse.doc`.
Result<std::string> schema_stream(const store::TableSchema& table);

}  // namespace reel::arrow
