#pragma once
//! The figures of one snapshot, for reports.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analytics/dirt.h"
#include "analytics/object_tally.h"
#include "analytics/reports.h"
#include "analytics/summary_tree.h"

namespace reel::analytics {

//! A flow, as far as reports tell of it.
struct FlowFacts {
  FlowKey key;
  std::string format;
  std::string codec;       //!< empty = none
  std::string resolution;  //!< "1920x1080"; empty = none
};

//! What is kept, together with the changes that it does not contain yet.
class View {
 public:
  //! Code::overloaded when these are too many to look at now, or what is kept is being computed.
  static Result<View> open(const tams::Context& context);

  //! The flows that the filter selects.
  Result<std::vector<FlowFacts>> flows(const Filter& filter);
  //! Of the segments of these flows, or (nullptr) of all flows.
  Result<Summary> summary(const std::vector<FlowFacts>* flows,
                          const std::optional<time::TimeRange>& range);
  //! Of the objects that these flows use. `all`: they are all flows.
  Result<Tally> tally(const std::vector<FlowFacts>& flows, bool all);
  Result<std::vector<ObjectReads>> extreme_reads(bool most, std::size_t count);

 private:
  explicit View(std::unique_ptr<store::Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  Status load(std::int64_t cursor);
  Result<Summary> summary_of_all();
  Result<Summary> summary_of(const FlowKey& flow, const std::optional<time::TimeRange>& range);

  std::unique_ptr<store::Snapshot> snapshot_;
  Dirt dirt_;
  std::vector<ObjectChange> objects_;
};

}  // namespace reel::analytics
