#pragma once
//! What the documents of tables.h look like; store/document.h has the shapes of operations and
//! definitions.

#include "json/shape.h"

namespace reel::tables::shape {

//! An entry of the list of tables.
json::Shape table_summary();
json::Shape schema_summary();
json::Shape dropped_table();
json::Shape schema();
json::Shape column();
json::Shape column_info();
json::Shape stats();
//! One version in the history of a table.
json::Shape version();
//! What a migration or a rollback did.
json::Shape outcome();

// Bodies of requests.
json::Shape table_post();
json::Shape migration_post();
json::Shape rollback_post();
json::Shape schema_post();
json::Shape restore_post();

}  // namespace reel::tables::shape
