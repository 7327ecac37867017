#pragma once
//! Columns that users added to a table of the product: members of its documents, wherever the
//! specification lets a document have members that it does not name.

#include <string_view>

#include "json/value.h"
#include "json/writer.h"
#include "tams/record.h"

namespace reel::tams {

//! Whether the specification names the member. A user's column of such a name is seen in SQL only.
using IsNamed = bool (*)(std::string_view member);

//! Whether a column of the table has this member's value.
bool is_user_column(const store::TableSchema& schema, std::string_view member, IsNamed is_named);

//! Whether such a column is there and set. A row written before the column may have the member
//! elsewhere.
bool has_user_cell(const Record& record, std::string_view member, IsNamed is_named);

//! Adds the members whose cells are set.
void write_user_columns(json::Writer& out, const Record& record, IsNamed is_named);
void set_user_columns(json::Value& document, const Record& record, IsNamed is_named);

//! The cells of a row that becomes `document`. An absent member is null in a row that was there, or
//! where that may not be, and in a new row, the column's default. Code::invalid with the pointer of
//! a member that its column cannot hold.
Result<store::Cells> user_cells(const store::TableSchema& schema, const json::Value& document,
                                IsNamed is_named, bool is_new);

}  // namespace reel::tams
