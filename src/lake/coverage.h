#pragma once
//! Who answers for which creation hour of a table: a partition, or the store.

#include <map>
#include <string_view>
#include <vector>

#include "lake/records.h"

namespace reel::lake {

//! A partition whose file is still true for some of its hours.
struct Served {
  Partition partition;
  Compatibility compatibility = Compatibility::identical;
  std::vector<std::int64_t> hours = {};  //!< with rows, ascending
  //! The file has no rows but those of `hours`: nothing needs to be filtered out.
  bool whole = false;
};

//! A partition that does not answer for any or all of its hours any more.
struct Outdated {
  Partition partition;
  Verdict verdict = {};
  bool changed = false;  //!< hours of its source are not as they were
};

//! INVARIANT: every hour of the ledger that has rows is either in the hours of one `served` or in
//! `live`.
struct Coverage {
  std::vector<Served> served;
  std::vector<store::LedgerEntry> live;
  std::vector<Outdated> outdated;
  std::vector<Partition> active;  //!< all, by their begin

  //! The active partition that has this hour; null: none.
  const Partition* at(std::int64_t hour) const;
};

//! `semantics_version`: what the program takes the values of the table to mean. All from the one
//! snapshot, whose rows are the truth; a table that is no view set yet is live as a whole.
Result<Coverage> settled(store::Snapshot& snapshot, std::string_view table,
                         std::uint32_t semantics_version);

}  // namespace reel::lake
