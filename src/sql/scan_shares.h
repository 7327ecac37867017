#pragma once
//! One scan, divided among threads by ranges of the key.

#include <optional>
#include <vector>

#include "base/thread_annotations.h"
#include "sql/access_path.h"

namespace reel::sql {

//! A key above `low` and not above `high`, about half way between them; of the first columns only,
//! as many as it takes. REQUIRES: low < high.
store::Key cut_between(const store::Key& low, const store::Key& high);

//! The first thread takes the whole range, and who has none takes half of what is left of
//! another's. So nothing needs to be known of the rows, and all work until the end. Thread-safe.
class ScanShares {
 public:
  using Share = std::size_t;

  //! Rows are read spec.limit at a time.
  ScanShares(const store::TableSchema& schema, AccessPath path);

  //! A share for a thread without one; nullopt when too little is left to divide.
  Result<std::optional<Share>> take(store::Snapshot& snapshot) EXCLUDES(mutex_);
  //! What to read next.
  store::ScanSpec rest_of(Share share) EXCLUDES(mutex_);
  //! It was read up to this row: its values in AccessPath::order.
  void advance(Share share, store::Key last) EXCLUDES(mutex_);
  //! It was read to its end.
  void finish(Share share) EXCLUDES(mutex_);

 private:
  struct Range {
    std::optional<store::RangeBound> lower;
    std::optional<store::RangeBound> upper;
    std::size_t halvings = 0;
    bool done = false;  //!< or too little is left to divide
  };

  store::ScanSpec spec_of(const Range& range) const;
  store::Key key_of(const store::RowView& row) const;
  //! Where the rest of a range can be divided, behind the rows that are being read.
  Result<std::optional<store::Key>> find_cut(store::Snapshot& snapshot, const Range& range) const;

  const AccessPath path_;
  std::vector<std::string> order_columns_;  //!< by reference
  Mutex mutex_;
  std::vector<Range> ranges_ GUARDED_BY(mutex_);
};

}  // namespace reel::sql
