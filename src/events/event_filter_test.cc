#include "events/event_filter.h"

#include <gtest/gtest.h>

namespace reel::events {
namespace {

const FlowId kFlow = FlowId::random();
const FlowId kCollection = FlowId::random();
const SourceId kSource = SourceId::random();
const SourceId kParent = SourceId::random();

EventFilter all_types() {
  EventFilter filter{.types = {}};
  filter.types.assign(kEventTypes.begin(), kEventTypes.end());
  return filter;
}

Change flow_event(std::vector<FlowId> collected_by = {}, std::vector<SourceId> above = {}) {
  return {.at = {},
          .type = "flows/updated",
          .actor = {},
          .flow_id = kFlow,
          .source_id = kSource,
          .flow_collected_by = std::move(collected_by),
          .source_collected_by = std::move(above),
          .payload = {}};
}

Change source_event(std::vector<SourceId> above = {}) {
  Change change = flow_event({}, std::move(above));
  change.type = "sources/updated";
  change.flow_id.reset();
  return change;
}

TEST(EventFilter, Types) {
  EventFilter filter{.types = {"flows/updated"}};
  EXPECT_TRUE(filter.matches(flow_event()));
  EXPECT_FALSE(filter.matches(source_event()));
  EXPECT_FALSE(EventFilter{.types = {}}.matches(flow_event()));
  Change internal = flow_event();
  internal.type = "keys/created";
  EXPECT_FALSE(all_types().matches(internal));
}

TEST(EventFilter, FlowConditionsDoNotConcernSourceEvents) {
  EventFilter filter = all_types();
  filter.flow_ids = {{kCollection}};
  EXPECT_FALSE(filter.matches(flow_event()));
  EXPECT_TRUE(filter.matches(source_event()));
  filter.flow_ids = {{kCollection, kFlow}};
  EXPECT_TRUE(filter.matches(flow_event()));
  filter = all_types();
  filter.flow_collected_by = {{kCollection}};
  EXPECT_FALSE(filter.matches(flow_event()));
  EXPECT_TRUE(filter.matches(flow_event({FlowId::random(), kCollection})));
  EXPECT_TRUE(filter.matches(source_event()));
}

TEST(EventFilter, SourceConditionsConcernEveryEvent) {
  EventFilter filter = all_types();
  filter.source_ids = {{kParent}};
  EXPECT_FALSE(filter.matches(flow_event()));
  EXPECT_FALSE(filter.matches(source_event()));
  filter.source_ids = {{kSource}};
  EXPECT_TRUE(filter.matches(flow_event()));
  EXPECT_TRUE(filter.matches(source_event()));
  filter.source_collected_by = {{kParent}};
  EXPECT_FALSE(filter.matches(source_event()));
  EXPECT_TRUE(filter.matches(source_event({kParent})));
  EXPECT_TRUE(filter.matches(flow_event({}, {kParent})));
}

TEST(EventFilter, NoCollectionsMeansUncollected) {
  EventFilter filter = all_types();
  filter.flow_collected_by.emplace();
  EXPECT_TRUE(filter.matches(flow_event()));
  EXPECT_FALSE(filter.matches(flow_event({kCollection})));
  filter = all_types();
  filter.source_collected_by.emplace();
  EXPECT_TRUE(filter.matches(source_event()));
  EXPECT_FALSE(filter.matches(source_event({kParent})));
}

TEST(EventFilter, AnEmptyListOfIdsMatchesNothing) {
  EventFilter filter = all_types();
  filter.flow_ids.emplace();
  EXPECT_FALSE(filter.matches(flow_event()));
}

}  // namespace
}  // namespace reel::events
