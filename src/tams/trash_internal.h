#pragma once
//! Segments on their way into the trash, which is another timeline, and back.

#include <cstddef>
#include <optional>

#include "tams/edit.h"
#include "tams/record.h"
#include "tams/segments_internal.h"

namespace reel::tams {

struct SegmentsAside {
  std::size_t count = 0;
  time::TimeRange extent = time::TimeRange::never();
};

//! Adds what moves segments of a flow to the timeline `aside`, which is new. Code::forbidden when
//! the flow is read-only, invalid when they are more than fit into one commit.
Result<SegmentsAside> put_aside(Write& write, const Record& flow, const CoveredScan& scan,
                                TimelineId aside);

//! Adds what moves them back; or the range that others have taken meanwhile. Code::forbidden as
//! above.
Result<std::optional<time::TimeRange>> return_segments(Write& write, const Record& flow,
                                                       TimelineId aside);

}  // namespace reel::tams
