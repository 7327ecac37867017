#pragma once
//! HLS playlists of what the store holds.

#include <string>

#include "tams/context.h"
#include "time/time_range.h"

namespace reel::tams {

//! The media playlist of a flow's segments in a time range; of a flow that only collects others,
//! the master playlist of those. Code::not_found when the flow does not exist, unsupported when it
//! holds nothing that HLS can play.
Result<std::string> flow_playlist(const Context& context, const Caller& caller, FlowId flow,
                                  const time::TimeRange& range);

//! The master playlist over the flows of a source, or over those that its flows collect.
Result<std::string> source_playlist(const Context& context, const Caller& caller, SourceId source,
                                    const time::TimeRange& range);

}  // namespace reel::tams
