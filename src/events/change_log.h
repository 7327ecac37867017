#pragma once
//! The change log: what happened, written in the commit that made it happen, in an order that every
//! reader agrees on. Webhooks, event streams and the audit trail read it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/store.h"

namespace reel::events {

//! One thing that happened.
struct Change {
  std::int64_t sequence = 0;  //!< given by the store: grows from change to change, may skip numbers
  Instant at;
  std::string type;   //!< "flows/created"; public events have the names of TAMS 8.2, webhooks
  std::string actor;  //!< who did it
  std::optional<FlowId> flow_id = std::nullopt;
  std::optional<SourceId> source_id = std::nullopt;
  //! Flows that collected the flow at that time, and sources that collected the source.
  std::vector<FlowId> flow_collected_by = {};
  std::vector<SourceId> source_collected_by = {};
  std::string payload;      //!< JSON object: what an event of this type tells ("event" in TAMS 8.2)
  std::string before = {};  //!< JSON object: what it was before, for those who audit; may be empty
};

//! The log's table, for those who create tables.
store::TableDefinition change_log_table();

//! Adds the change to a batch. Its sequence is ignored.
void append_change(store::Batch& batch, Change change);

//! Return false to stop.
using ChangeVisitor = std::function<bool(const Change&)>;

//! Visits the changes behind `after`, oldest first. Whoever has seen a change has seen every change
//! before it: nothing appears later in between.
Status read_changes(store::Snapshot& snapshot, std::int64_t after, const ChangeVisitor& visit);
//! The changes before `before` (unset: all), newest first.
Status read_changes_back(store::Snapshot& snapshot, std::optional<std::int64_t> before,
                         const ChangeVisitor& visit);

//! The sequence of the newest change; 0 when there was none yet.
Result<std::int64_t> newest_change(store::Snapshot& snapshot);
//! The sequence of the oldest change that is still kept; 0 when there was none yet.
Result<std::int64_t> oldest_change(store::Snapshot& snapshot);

//! Forgets changes from before `horizon`, but never the newest one, whose number the next one
//! continues. Returns how many are gone; at most `limit`, so that others are not held up long.
Result<std::size_t> trim_changes(store::RowStore& store, Instant horizon, std::size_t limit);

}  // namespace reel::events
