#pragma once
//! The bytes of a schema as engines keep it in their catalog (docs/formats/store.md).

#include <string>
#include <string_view>

#include "store/schema.h"

namespace reel::store {

//! A struct value whose members have permanent ids: a later program may add members, an earlier
//! one skips them.
std::string encode_schema(const TableSchema& schema);
//! Code::corrupt says what is wrong.
Result<TableSchema> decode_schema(std::string_view bytes);

}  // namespace reel::store
