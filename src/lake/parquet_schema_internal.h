#pragma once
//! A table's columns as Arrow's, with the permanent ids that become `field_id` in Parquet.

#include <memory>

#include <arrow/type.h>

#include "store/schema.h"

namespace reel::lake {

//! The types are those that Iceberg has as well, so that one file serves both
//! (docs/formats/lake.md).
std::shared_ptr<::arrow::Schema> parquet_schema(const store::TableSchema& schema);

//! The same type with fixed-size bytes for uuids, which is how Arrow builds them.
std::shared_ptr<::arrow::DataType> storage_type(const ::arrow::DataType& type);

}  // namespace reel::lake
