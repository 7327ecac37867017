#pragma once
//! Who did what: the change log for those who watch over it.

#include <optional>
#include <string>

#include "tams/context.h"
#include "tams/listing.h"

namespace reel::tams {

struct AuditFilter {
  std::optional<std::string> type;
  std::optional<std::string> actor;
  std::optional<FlowId> flow_id;
  std::optional<SourceId> source_id;
};

//! A page of changes as a JSON array, newest first unless reversed. A page ends early when few of
//! many changes match the filter; what comes next is on the next page.
Result<Page> list_changes(const Context& context, const AuditFilter& filter,
                          const PageRequest& page);

}  // namespace reel::tams
