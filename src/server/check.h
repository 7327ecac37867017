#pragma once
//! Whether a data directory is what it must be.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/config.h"

namespace reel::server {

struct CheckReport {
  struct Table {
    std::string name;
    std::int64_t rows = 0;
    bool ledger_agrees = true;
  };
  std::vector<Table> tables;
  std::uint64_t objects = 0;  //!< with bytes
  std::uint64_t bytes = 0;
  //! One sentence for everything that is wrong; empty when all is well.
  std::vector<std::string> findings;
};

//! Counts every row of every table again and compares with its ledger, and looks at the bytes of
//! every object: there, and as long as noted; with `read_bytes` their checksums as well.
//! Code::conflict when a server runs on the data directory.
Result<CheckReport> check(const Config& config, bool read_bytes);

}  // namespace reel::server
