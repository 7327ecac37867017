#pragma once
//! What writes of this domain tell the change log: the events of TAMS 8.2, webhooks.

#include <string>
#include <string_view>
#include <vector>

#include "events/change_log.h"
#include "json/value.h"
#include "tams/context.h"
#include "tams/edit.h"
#include "tams/record.h"
#include "time/time_range.h"

namespace reel::tams {

//! Changes that nobody is told of; those who keep figures read them.
inline constexpr std::string_view kObjectStored = "objects/stored";
inline constexpr std::string_view kObjectsSettled = "objects/settled";

//! Where a flow stands at the moment of a change; followers of changes filter by it.
struct FlowPlace {
  FlowId flow;
  SourceId source;
  std::vector<FlowId> collected_by;
  std::vector<SourceId> source_collected_by;
};

//! As the snapshot has it.
Result<FlowPlace> place_of(store::Snapshot& snapshot, FlowId flow, SourceId source);

//! How a row keeps a place for later: all but the flow's id, whose column has many names.
store::Cells cells_of(const FlowPlace& place);
//! The place that a row keeps; REQUIRES: the columns of cells_of().
FlowPlace place_in(FlowId flow, const Record& row);

//! Adds changes to the batches that make them.
class ChangeNotes {
 public:
  ChangeNotes(const Context& context, std::string_view actor, store::Batch& batch)
      : now_(context.clock.now()), actor_(actor), batch_(batch) {}
  explicit ChangeNotes(Write& write)
      : ChangeNotes(write.context, write.caller.principal, write.batch) {}

  void flow_created(const FlowPlace& place, const json::Value& flow);
  //! `before`: the flow as it was.
  void flow_updated(const FlowPlace& place, const json::Value& flow, const json::Value& before);
  void flow_deleted(const FlowPlace& place, const json::Value& before);
  //! `segments`: a JSON array of segments without get_urls.
  void segments_added(const FlowPlace& place, std::string_view segments);
  //! REQUIRES: the range starts and ends inside of deleted segments.
  void segments_deleted(const FlowPlace& place, const time::TimeRange& timerange);

  //! {"timerange", "tags"?} of the segment, and what it was. Not among the events of TAMS 8.2.
  void segment_tags_changed(const FlowPlace& place, const json::Value& segment,
                            const json::Value& before);

  //! Sources as GET shows them.
  void source_created(SourceId id, std::string_view source);
  void source_updated(SourceId id, const std::vector<SourceId>& collected_by,
                      std::string_view source, const json::Value& before);
  void source_deleted(SourceId id, const std::vector<SourceId>& collected_by,
                      const json::Value& before);

  //! The bytes of an object that segments use already have arrived.
  void object_stored(const std::string& id);
  //! Objects lost a use, and those without any are gone.
  void objects_settled(const std::vector<std::string>& ids);

 private:
  void add(std::string_view type, std::string payload);
  void add(std::string_view type, const FlowPlace& place, std::string payload,
           std::string before = {});
  void add(std::string_view type, SourceId id, const std::vector<SourceId>& collected_by,
           std::string payload, std::string before = {});

  Instant now_;
  std::string_view actor_;
  store::Batch& batch_;
};

}  // namespace reel::tams
