#pragma once
//! What is known of a Parquet file without opening it.

#include <cstdint>
#include <map>
#include <string>

#include "base/hash.h"
#include "store/schema.h"

namespace reel::lake {

//! Of one leaf of the file's schema.
struct ColumnStatistics {
  //! Nulls included; below a list or map, an empty one counts as a null.
  std::int64_t values = 0;
  std::int64_t nulls = 0;
  std::int64_t nans = 0;   //!< of columns of floats; those inside nested columns are not counted
  std::int64_t bytes = 0;  //!< compressed
  //! No value is below `lower` or above `upper`; null: not known. Known of columns that are not
  //! nested and have a value that is not NaN. Long text and bytes are cut to kBoundBytesMax, the
  //! upper bound rounded up.
  store::Value lower = {};
  store::Value upper = {};
};

inline constexpr std::size_t kBoundBytesMax = 64;

struct DataFile {
  std::string path;  //!< below the lake's folder
  std::int64_t size_bytes = 0;
  std::int64_t rows = 0;
  Sha256Digest sha256 = {};
  //! By permanent id: of a column that is not nested its own, of others those of their leaves.
  std::map<store::ColumnId, ColumnStatistics> columns = {};
};

//! Takes the cells of one column in, and tells what lies between which bounds.
class BoundsCollector {
 public:
  explicit BoundsCollector(store::TypeKind kind) : kind_(kind) {}
  void add(const store::Value& value);
  //! Fills in bounds and NaNs.
  void write_to(ColumnStatistics& statistics) const;

 private:
  store::TypeKind kind_;
  std::int64_t nans_ = 0;
  store::Value lower_;
  store::Value upper_;
};

}  // namespace reel::lake
