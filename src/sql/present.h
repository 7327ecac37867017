#pragma once
//! Cells as JSON and as text: what answers and terminals show.

#include <string>

#include "json/value.h"
#include "store/value.h"

namespace reel::sql {

//! Integers and floats as numbers; what JSON has no exact number for (decimals, nan, inf) as text;
//! timestamps as RFC 3339, binary in hexadecimal, lists as arrays, maps and structs as objects.
json::Value to_json(const store::Type& type, const store::Value& cell);

//! Text as it is, anything else as JSON.
std::string cell_text(const json::Value& shown);

//! A line of CSV (RFC 4180) with its end. Null is an empty field, empty text is "".
void append_csv(std::string& out, const json::Array& cells);

}  // namespace reel::sql
