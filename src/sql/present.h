#pragma once
//! Cells as text: what answers and terminals show of their JSON (store/document.h).

#include <string>

#include "json/value.h"

namespace reel::sql {

//! Text as it is, anything else as JSON.
std::string cell_text(const json::Value& shown);

//! A line of CSV (RFC 4180) with its end. Null is an empty field, empty text is "".
void append_csv(std::string& out, const json::Array& cells);

}  // namespace reel::sql
