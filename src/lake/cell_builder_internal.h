#pragma once
//! Cells of rows, column by column, as Arrow's arrays.

#include <cstddef>

#include <arrow/array/builder_base.h>

#include "store/value.h"

namespace reel::lake {

//! Appends one cell to the builder of storage_type(parquet_schema()), and returns about how many
//! bytes it takes in memory. REQUIRES: check_value(type, value).
::arrow::Result<std::size_t> append_cell(::arrow::ArrayBuilder& builder, const store::Type& type,
                                         const store::Value& value);

//! The array with these types, which say what its bytes mean, in place of its own.
std::shared_ptr<::arrow::ArrayData> with_type(const ::arrow::ArrayData& data,
                                              const std::shared_ptr<::arrow::DataType>& type);

}  // namespace reel::lake
