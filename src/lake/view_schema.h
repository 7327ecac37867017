#pragma once
//! What the rows of a view set look like and mean, and whether old files still answer for it.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "store/store.h"

namespace reel::lake {

//! SHA-256 over the ids, types, nullability and initial defaults of the live columns. Names and
//! order are display only and not in it (docs/formats/lake.md).
Sha256Digest schema_hash(const store::TableSchema& schema);

//! One schema of a view set: the structure and the meaning.
struct ViewSchema {
  store::TableSchema table;
  //! Raised whenever the same columns come to mean something else, which no hash can see.
  std::uint32_t semantics_version = 1;
};

//! How files of an old schema stand to the current one. In the order of what it takes.
enum class Compatibility : std::uint8_t {
  identical,               //!< the same structure and meaning
  readable,                //!< columns by id, some dropped or of a wider type
  readable_with_defaults,  //!< and some that read their initial default
  convertible,             //!< a registered function makes new rows of old ones
  recompute,               //!< to be made anew from the source
  incompatible,            //!< and there is no source
};
//! "readable_with_defaults"
std::string_view compatibility_name(Compatibility compatibility);
//! Whether a scan may use files of this class as they are.
bool is_readable(Compatibility compatibility);

//! A pure function from the old value of one column to the new one.
struct Converter {
  store::ColumnId column = 0;
  store::Type from;  //!< as users write it, without ids
  store::Type to;
  std::function<Result<store::Value>(const store::Value&)> convert;
};

struct Verdict {
  Compatibility compatibility = Compatibility::identical;
  std::string reason = {};  //!< in words; empty when identical
};

//! `source_exists`: whether what the rows were computed from is still there.
Verdict classify(const ViewSchema& old, const ViewSchema& current, bool source_exists,
                 const std::vector<Converter>& converters = {});

//! A row of the old schema as one of the current. REQUIRES: classify() finds it convertible or
//! readable. Code::invalid: what a converter refused.
Result<store::Row> convert_row(const ViewSchema& old, const ViewSchema& current,
                               const std::vector<Converter>& converters, const store::Row& row);

}  // namespace reel::lake
