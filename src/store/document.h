#pragma once
//! JSON forms of values, schemas and operations: what the HTTP API, the command line and files of
//! migrations read and write, and what the history of a table keeps.

#include <vector>

#include "json/shape.h"
#include "json/value.h"
#include "store/migration.h"

namespace reel::store {

//! Numbers, booleans, lists, maps and structs as such; decimals, uuids, timestamps (RFC 3339) and
//! dates as text; binary as hex digits; floats that JSON lacks as "NaN", "Infinity", "-Infinity".
json::Value value_to_json(const Type& type, const Value& value);
//! The inverse. Code::invalid says what does not fit, with the pointer to it.
Result<Value> value_from_json(const Type& type, const json::Value& value);

//! The value of another type that means the same: numbers exactly (floats to the nearest), booleans
//! as 0 and 1, everything from and to its text. Code::invalid when there is none.
Result<Value> convert_value(const Type& from, const Type& to, const Value& value);

//! The values of a key's first columns, as messages show them: "(2f…, 12.500000000)".
std::string key_text(const TableSchema& schema, const std::vector<Value>& key);

//! {"id", "name", "type", "nullable", "default"?, "doc", "since_version", "key", "product"}
json::Value column_to_json(const TableSchema& schema, const Column& column);
//! {"id", "name", "version", "product", "primary_key", "columns", "dropped_columns", "indexes"}
json::Value schema_to_json(const TableSchema& schema);

//! Arrays of {"op": "add_column", …}.
json::Value operations_to_json(const TableSchema& current,
                               const std::vector<Operation>& operations);
//! REQUIRES: the array passed operations_shape(). Code::invalid with the pointer to what is wrong.
Result<std::vector<Operation>> operations_from_json(const TableSchema& current,
                                                    const json::Array& operations);
json::Shape operations_shape();

//! {"name", "columns": [{"name", "type", "nullable"?, "default"?, "doc"?}], "primary_key": [...]}:
//! the first column of the key is the partition key, the others order the rows within it.
//! REQUIRES: the document passed definition_shape().
Result<TableDefinition> definition_from_json(const json::Value& document);
//! `beside`: what else may stand in the document.
json::Shape definition_shape(std::vector<json::Shape::MemberShape> beside = {});

}  // namespace reel::store
