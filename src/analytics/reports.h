#pragma once
//! The figures as documents: exact as of the snapshot that is read, whatever is still to be taken
//! in by refresh(). Every report reads as much for few segments as for many.

#include <optional>
#include <string>

#include "json/shape.h"
#include "tams/context.h"
#include "time/time_range.h"

namespace reel::analytics {

//! What to look at; all conditions hold. Code::not_found when the flow or source does not exist.
struct Filter {
  std::optional<FlowId> flow = std::nullopt;
  std::optional<SourceId> source = std::nullopt;
  //! Unset: any time. For time_ranges(): the segments that overlap it. For the others: the flows
  //! that have such a segment; never() = flows without segments.
  std::optional<time::TimeRange> timerange = std::nullopt;
};

//! JSON objects; the shapes of the same names describe them. Code::overloaded while too many
//! changes wait to be taken in.
Result<std::string> flow_usage(const tams::Context& context, const Filter& filter);
Result<std::string> storage_usage(const tams::Context& context, const Filter& filter);
Result<std::string> time_ranges(const tams::Context& context, const Filter& filter);
//! Of all tables, from their ledgers.
Result<std::string> catalog(const tams::Context& context);

//! Bytes of all objects that segments use, be it those of deleted flows, as of the last refresh().
Result<std::int64_t> stored_bytes(store::RowStore& store);

namespace shape {
json::Shape flow_usage();
json::Shape storage_usage();
json::Shape time_ranges();
json::Shape catalog();
}  // namespace shape

}  // namespace reel::analytics
