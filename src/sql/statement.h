#pragma once
//! What statements do, found out without running them.

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace reel::sql {

//! Ordered: who may do more may do less.
enum class Access : std::uint8_t {
  read,
  change_rows,
  change_schema,
};

//! The most that any of the statements needs. Code::invalid for text that is not SQL, forbidden for
//! statements that nobody may run here, such as ATTACH.
Result<Access> needed_access(std::string_view sql);

//! Whether one of the statements is BEGIN.
bool begins_transaction(std::string_view sql);

}  // namespace reel::sql
