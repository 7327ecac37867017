#pragma once
//! Rows of a table as a Parquet file: the one place where the lake's files are written.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lake/data_file.h"
#include "store/store.h"

namespace reel::lake {

struct ParquetOptions {
  //! Goes into the file's key-value metadata.
  std::vector<std::pair<std::string, std::string>> metadata = {};
  //! A row group ends after so many rows, or earlier with so many bytes of cells.
  std::size_t row_group_rows_max = 122'880;
  std::size_t row_group_bytes_max = std::size_t{32} << 20;
  int zstd_level = 3;
};

//! A new file. Every column, list element, map key and value and struct member has its permanent id
//! as `field_id`; docs/formats/lake.md says how types are written. What is held in memory are the
//! rows of one batch and the compressed pages of one row group. One thread at a time.
class ParquetSink {
 public:
  //! The file is there when finish() has returned ok, and else never. `folder` and `path` below it
  //! make its name; the result has `path`. Errors as of DurableFile::create().
  static Result<std::unique_ptr<ParquetSink>> create(const std::string& folder,
                                                     const std::string& path,
                                                     const store::TableSchema& schema,
                                                     ParquetOptions options);
  virtual ~ParquetSink() = default;

  //! Cells as of the schema's live columns; what stands behind them is ignored. Code::invalid when
  //! the key is not above that of the row before; io when the disk refuses, and nothing more can be
  //! written then.
  virtual Status add(const store::Row& cells) = 0;
  virtual Result<DataFile> finish() = 0;
};

}  // namespace reel::lake
