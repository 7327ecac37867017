#pragma once
//! The tables that say what is in OpenEXR files; docs/formats/exr-tables.md describes them.

#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace reel::exr {

inline constexpr std::string_view kRecordsSchema = "exr_metadata";

//! Names of the tables, with their schema.
struct RecordTables {
  explicit RecordTables(std::string_view schema = kRecordsSchema);

  std::string files;
  std::string paths;  //!< which file a path is at present
  std::string parts;
  std::string channels;
  std::string attributes;
  std::string blobs;  //!< values of attributes that are too large for a row, each once
  std::string findings;
  std::string sequences;

  std::vector<store::TableDefinition> definitions() const;
};

//! Creates what is missing.
Status ensure_record_tables(store::Store& store, const RecordTables& tables);

//! Whether it is one of these tables, whatever their schema is called.
bool is_record_table(const store::TableSchema& schema);

}  // namespace reel::exr
