#pragma once
//! Which changes a follower is told: the filters of TAMS 8.2, webhooks.

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "events/change_log.h"

namespace reel::events {

//! The types of change that are told to followers; the log may hold others.
inline constexpr std::array<std::string_view, 8> kEventTypes = {
    "flows/created",          "flows/updated",   "flows/deleted",   "flows/segments_added",
    "flows/segments_deleted", "sources/created", "sources/updated", "sources/deleted"};

//! All conditions that are set must hold.
struct EventFilter {
  std::vector<std::string> types;                              //!< of kEventTypes
  std::optional<std::vector<FlowId>> flow_ids = std::nullopt;  //!< of flow and segment events
  std::optional<std::vector<SourceId>> source_ids = std::nullopt;
  //! Of flow and segment events: collected by one of these at the time; none given: by nothing.
  std::optional<std::vector<FlowId>> flow_collected_by = std::nullopt;
  //! The same for the source of any event.
  std::optional<std::vector<SourceId>> source_collected_by = std::nullopt;

  bool matches(const Change& change) const;
};

}  // namespace reel::events
