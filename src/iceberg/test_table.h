#pragma once
//! For tests only: a folder with a catalog, and data files that are only listed.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "iceberg/table.h"

namespace reel::iceberg {

class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::temp_directory_path() / "reel_iceberg_XXXXXX") {
    REEL_CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Field test_field(FieldId id, TypeKind kind, bool required = false) {
  return {.id = id, .name = fmt::format("c{}", id), .required = required, .type = Type::of(kind)};
}

//! c1 int (required), c2 string.
inline Schema test_schema() {
  return {.id = 0,
          .fields = {test_field(1, TypeKind::int32, true), test_field(2, TypeKind::string)},
          .identifiers = {1}};
}

inline DataFile test_file(std::string_view name, std::int64_t records = 10) {
  return {.location = fmt::format("file:///data/{}.parquet", name),
          .record_count = records,
          .size_bytes = records * 100};
}

}  // namespace reel::iceberg
