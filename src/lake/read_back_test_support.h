#pragma once
//! For tests: the rows of a Parquet file as the store's, read by Arrow's reader.

#include <map>
#include <string>
#include <vector>

#include "store/store.h"

namespace reel::lake::testing {

struct ReadBack {
  std::vector<store::Row> rows = {};  //!< cells of the schema's columns, found by field_id
  std::map<std::string, std::string> metadata = {};
  std::vector<int> leaf_ids = {};
  int row_groups = 0;
  bool zstd = true;              //!< every column
  std::vector<int> sorted = {};  //!< field ids of the sorting columns
};

//! A column that the file lacks reads its initial default.
ReadBack read_back(const std::string& path, const store::TableSchema& schema);

}  // namespace reel::lake::testing
