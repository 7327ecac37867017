#pragma once
//! Sources: they appear with their first flow and go with their last one, unless a client has
//! created them; then they stay until they are deleted.

#include <optional>
#include <string>

#include "json/value.h"
#include "tams/context.h"
#include "tams/edit.h"
#include "tams/listing.h"
#include "tams/record.h"

namespace reel::tams {

//! Code::not_found when there is no such source.
Result<Record> find_source(store::Snapshot& snapshot, SourceId id);

//! The flows of a source, by id. `columns` as in load().
Result<std::vector<Record>> flows_of_source(store::Snapshot& snapshot, SourceId id,
                                            const std::vector<std::string>& columns = {});

//! The source as JSON, with its derived source_collection and collected_by.
Result<std::string> get_source(const Context& context, SourceId id);
Result<std::string> get_source(store::Snapshot& snapshot, SourceId id);

//! label, description or tags. Code::not_found when the source or the member is absent.
Result<json::Value> get_source_member(const Context& context, SourceId id, std::string_view member);
//! Sets a member, or removes it with nullopt.
Status set_source_member(const Context& context, const Caller& caller, SourceId id,
                         std::string_view member, std::optional<json::Value> value);
Status set_source_tag(const Context& context, const Caller& caller, SourceId id,
                      std::string_view name, std::optional<json::Value> value);

//! Creates a source without flows from a body that passed shape::source_post(); without an id it
//! gets one. Code::conflict when it exists. The id of the new source.
Result<SourceId> create_source(const Context& context, const Caller& caller,
                               const json::Value& body);
//! Replaces label, description and tags; what the body lacks is removed. Errors: not_found (no such
//! source, or the body has another id), invalid (another format).
Status replace_source(const Context& context, const Caller& caller, SourceId id,
                      const json::Value& body);
//! Code::conflict while the source has flows: a source cannot go before them.
Status delete_source(const Context& context, const Caller& caller, SourceId id);

//! Runs `remove` on the source if it has no flows; Code::conflict when it has some.
Status change_flowless_source(const Context& context, const Caller& caller, SourceId id,
                              const std::function<Status(Write&, const Record&)>& remove);
//! Adds to the batch what makes a source without flows go, and returns it as it was kept.
json::Value remove_source(Write& write, const Record& source);
//! Adds to the batch what brings it back. REQUIRES: there is none of that id.
void restore_source(Write& write, SourceId id, const json::Value& document);

struct SourceFilter {
  std::optional<std::string> label;
  std::optional<std::string> format;
  TagFilter tags;
  //! Set: sources collected by any of these; set and empty: sources that nothing collects.
  std::optional<std::vector<SourceId>> collected_by;
};

enum class SourceOrder : std::uint8_t { created, updated, label };

//! A page of sources as a JSON array.
Result<Page> list_sources(const Context& context, const SourceFilter& filter, SourceOrder order,
                          const PageRequest& page);

//! The sources that collect this one, through any of its flows.
Result<std::vector<SourceId>> source_collectors(store::Snapshot& snapshot, SourceId id);

//! Adds to the batch what makes the source of a new flow exist and count it: when it is new,
//! created with the format, label, description and tags of `like`. Code::invalid when it exists
//! with another format.
Status join_source(Write& write, const json::Value& flow, const json::Value& like);
//! Adds to the batch what lets go of a flow's source; it is erased with its last flow, unless a
//! client created it.
Status leave_source(Write& write, SourceId id);

}  // namespace reel::tams
