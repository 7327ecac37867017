#pragma once
//! Flows as TAMS 8.2 describes them (schemas/flow-put.json).

#include <cstdint>
#include <string>
#include <vector>

#include "cli/mp4.h"
#include "cli/track_plan.h"
#include "json/value.h"

namespace reel::cli {

//! Bit rates of a flow by TAMS AppNote 0013, from its segments.
class BitRates {
 public:
  void add(std::int64_t duration_nanoseconds, std::uint64_t bytes);

  //! In 1000 bit/s; 0 while there is no segment.
  std::int64_t average() const;
  //! The highest rate of consecutive segments that last 0.5 to 1.5 times the target together, or
  //! of one that lasts longer.
  std::int64_t maximum(const Ratio& target) const;

 private:
  struct Part {
    std::int64_t nanoseconds;
    std::uint64_t bytes;
  };
  std::vector<Part> parts_;
};

//! Are all frames the same time apart, or whole multiples of it where frames are missing?
class FrameIntervals {
 public:
  void add(std::int64_t ticks);
  bool empty() const { return count_ == 0; }
  //! Frames per second; 0 when the distance varies.
  Ratio rate(std::int64_t timescale) const;

 private:
  std::int64_t shortest_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t at_shortest_ = 0;
  bool uneven_ = false;
};

struct FlowIdentity {
  std::string id;
  std::string source_id;
  std::string label;
};

//! Where a flow stands.
struct FlowState {
  Ratio frame_rate;  //!< of video; 0: variable
  std::int64_t average_bit_rate = 0;
  std::int64_t maximum_bit_rate = 0;
  bool complete = false;
};

//! One track's flow.
json::Value essence_flow(const FlowIdentity& identity, const TrackPlan& plan, const TrackInfo& info,
                         const PlanOptions& options);

//! The flow that collects the others, in their order.
json::Value multi_flow(const FlowIdentity& identity, const std::vector<std::string>& flow_ids,
                       const std::vector<std::string>& roles);

//! Writes the state into a flow, as it was made or as the server returned it; what others changed
//! meanwhile stays.
void set_state(json::Value& flow, const FlowState& state);

//! MIME type of media segments, "video/iso.segment".
std::string container_mime_type(Container container, bool is_video);

//! MIME type of initialisation segments; empty when it is the media segments' own, or when there
//! are none.
std::string init_mime_type(Container container, bool is_video);

}  // namespace reel::cli
