#include <gtest/gtest.h>

#include "events/change_signal.h"
#include "media/test_folder.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/deletions.h"
#include "tams/flows.h"
#include "tams/segments.h"
#include "tams/sources.h"
#include "tams/tables.h"
#include "tams/trash.h"

namespace reel::server {
namespace {

constexpr std::string_view kFlow = "10000000-0000-4000-8000-000000000001";

json::Value parsed(const std::string& text) { return *json::parse(text); }

//! A flow, and a writer whose condition somebody else breaks between its check and its commit.
class ConditionsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(tams::ensure_tables(*store_));
    ASSERT_TRUE(tams::put_flow(context_, other_, flow_, document_));
  }

  //! A caller that goes on only while GET shows what it shows now, and during whose first attempt,
  //! after the check, `meanwhile` happens.
  tams::Caller interrupted(const std::function<Status()>& meanwhile) {
    tams::Caller caller = other_;
    caller.condition = [this, seen = std::optional<std::string>(),
                        meanwhile](const std::optional<std::string>& shown) mutable -> Status {
      ++checks_;
      if (checks_ > 1) return shown == seen ? Status() : Status(precondition_failed("changed"));
      seen = shown;
      return meanwhile();
    };
    return caller;
  }
  //! That the write was checked again and then refused.
  template <class Outcome>
  void expect_refused(const Outcome& outcome) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), Code::precondition_failed);
    EXPECT_EQ(checks_, 2);
  }
  std::string label() {
    const auto value = tams::get_flow_member(context_, flow_, "label");
    return value ? *value->as_string() : "";
  }
  Status relabel(const char* text) {
    return tams::set_flow_member(context_, other_, flow_, "label", json::Value(text));
  }
  Status add_segment() {
    const auto body = parsed(R"-({"object_id":"x","timerange":"[0:0_1:0)",)-"
                             R"-("get_urls":[{"url":"https://x","label":"x"}]})-");
    REEL_TRY(tams::register_segments(context_, other_, flow_, body));
    return {};
  }

  const media::TestFolder folder_;
  const std::unique_ptr<store::Store> store_ =
      *store::open_sqlite_store({.path = folder_ / "store.db"});
  const tams::Storage storage_;
  const FlowId flow_ = *FlowId::parse(kFlow);
  const SourceId source_ = *SourceId::parse(kFlow);
  const json::Value document_ = parsed(fmt::format(
      R"({{"id":"{0}","source_id":"{0}","format":"urn:x-nmos:format:data","codec":"a/b",)"
      R"("container":"a/b","essence_parameters":{{}},"label":"first"}})",
      kFlow));
  const tams::Caller other_{.principal = "test", .base_url = "http://x"};
  events::ChangeSignal changes_;
  const tams::Context context_{.store = *store_,
                               .storage = storage_,
                               .clock = system_clock(),
                               .random = system_random(),
                               .changes = changes_};
  int checks_ = 0;
};

TEST_F(ConditionsTest, APartIsNotOverwritten) {
  const auto caller = interrupted([&] { return relabel("other"); });
  expect_refused(tams::set_flow_member(context_, caller, flow_, "label", json::Value("mine")));
  EXPECT_EQ(label(), "other");
}

TEST_F(ConditionsTest, ChangesOfOtherPartsDoNotMatter) {
  const auto caller = interrupted([&] { return relabel("other"); });
  EXPECT_TRUE(tams::set_flow_tag(context_, caller, flow_, "a", json::Value("b")));
  EXPECT_EQ(checks_, 2) << "the commit met the other write and was tried again";
  EXPECT_EQ(label(), "other");
}

TEST_F(ConditionsTest, AFlowIsNotReplaced) {
  const auto caller = interrupted([&] { return relabel("other"); });
  expect_refused(tams::put_flow(context_, caller, flow_, document_));
  EXPECT_EQ(label(), "other");
}

TEST_F(ConditionsTest, AFlowThatGainsASegmentIsNotReplaced) {
  const auto caller = interrupted([&] { return add_segment(); });
  expect_refused(tams::put_flow(context_, caller, flow_, document_));
}

TEST_F(ConditionsTest, AFlowThatGainsASegmentIsNotDeleted) {
  expect_refused(tams::delete_flow(context_, interrupted([&] { return add_segment(); }), flow_));
  EXPECT_EQ(label(), "first");
}

TEST_F(ConditionsTest, AFlowThatGainsASegmentDoesNotGoIntoTheTrash) {
  expect_refused(tams::trash_flow(context_, interrupted([&] { return add_segment(); }), flow_));
  EXPECT_EQ(label(), "first");
}

TEST_F(ConditionsTest, WhatAppearsMeanwhileIsNotReplaced) {
  ASSERT_TRUE(tams::delete_flow(context_, other_, flow_));
  const auto caller = interrupted([&]() -> Status {
    REEL_TRY(tams::put_flow(context_, other_, flow_, document_));
    return {};
  });
  expect_refused(tams::put_flow(context_, caller, flow_, document_));
}

TEST_F(ConditionsTest, ASourceIsNotOverwritten) {
  const auto caller = interrupted(
      [&] { return tams::set_source_tag(context_, other_, source_, "a", json::Value("other")); });
  expect_refused(tams::replace_source(context_, caller, source_, parsed(R"({"label":"mine"})")));
  checks_ = 0;
  const auto again = interrupted(
      [&] { return tams::set_source_tag(context_, other_, source_, "a", json::Value("again")); });
  expect_refused(tams::set_source_tag(context_, again, source_, "a", json::Value("mine")));
}

TEST_F(ConditionsTest, TagsOfASegmentAreNotOverwritten) {
  ASSERT_TRUE(add_segment());
  const tams::SegmentName segment{.flow = flow_, .start = {}};
  const auto caller = interrupted(
      [&] { return tams::set_segment_tag(context_, other_, segment, "a", json::Value("other")); });
  expect_refused(tams::set_segment_tags(context_, caller, segment, std::nullopt));
  EXPECT_EQ(json::to_text(*tams::get_segment_tags(context_, segment)), R"({"a":"other"})");
}

}  // namespace
}  // namespace reel::server
