#include "tams/access.h"

#include <algorithm>
#include <set>

#include "tams/flows.h"
#include "tams/objects.h"
#include "tams/sources.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

constexpr const char* kTag = "auth_classes";
constexpr std::string_view kReadOnly = "_ro";

//! The values of the tag with which a caller may write, or at least read.
std::vector<std::string> values_for(const Caller& caller, Access wanted) {
  std::vector<std::string> values = *caller.classes;
  if (wanted == Access::write) return values;
  for (const std::string& name : *caller.classes) values.push_back(name + std::string(kReadOnly));
  return values;
}

TagFilter filter_for(const Caller& caller, Access wanted) {
  TagFilter filter;
  filter.any_of.push_back({kTag, values_for(caller, wanted)});
  return filter;
}

//! The classes in a document's tags.
std::set<std::string> classes_in(const json::Value* document) {
  std::set<std::string> names;
  const json::Value* tags = document == nullptr ? nullptr : document->find("tags");
  const json::Value* tag = tags == nullptr ? nullptr : tags->find(kTag);
  if (tag == nullptr) return names;
  if (const std::string* text = tag->as_string()) names.insert(*text);
  if (const json::Array* list = tag->as_array()) {
    for (const json::Value& item : *list) {
      if (const std::string* text = item.as_string()) names.insert(*text);
    }
  }
  return names;
}

}  // namespace

Access access_to(const Caller& caller, std::string_view tags) {
  if (!caller.classes) return Access::write;
  for (const Access wanted : {Access::write, Access::read}) {
    if (filter_for(caller, wanted).matches(tags)) return wanted;
  }
  return Access::none;
}

Result<Access> flow_access(const Context& context, const Caller& caller, FlowId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record flow, find_flow(*snapshot, id, {"tags"}));
  return access_to(caller, flow.text("tags"));
}

Result<Access> source_access(const Context& context, const Caller& caller, SourceId id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const Record source, find_source(*snapshot, id));
  return access_to(caller, source.text("tags"));
}

Result<Access> object_access(const Context& context, const Caller& caller, const std::string& id) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(const auto object, load(*snapshot, table::kObjects, {id}, {"registered", "flow_id"}));
  if (!object) return not_found("object '{}' does not exist", id);
  if (!caller.classes) return Access::write;
  if (!object->flag("registered")) {
    if ((*object)["flow_id"].is_null()) return Access::none;
    REEL_ASSIGN(const auto flow, load(*snapshot, table::kFlows, {(*object)["flow_id"]}, {"tags"}));
    return flow ? access_to(caller, flow->text("tags")) : Access::none;
  }
  for (const Access wanted : {Access::write, Access::read}) {
    REEL_ASSIGN(const auto flows,
                flows_using(*snapshot, id, filter_for(caller, wanted), std::nullopt, 1));
    if (!flows.empty()) return wanted;
  }
  return Access::none;
}

TagFilter visible_to(const Caller& caller, TagFilter filter) {
  if (caller.classes) filter.any_of.push_back({kTag, values_for(caller, Access::read)});
  return filter;
}

Status check_objects(const Context& context, const Caller& caller, const json::Value& segments) {
  if (!caller.classes) return {};
  const json::Array one = {segments};
  const json::Array* many = segments.as_array();
  for (const json::Value& segment : many != nullptr ? *many : one) {
    for (const char* member : {"object_id", "init_object_id"}) {
      const json::Value* id = segment.find(member);
      const std::string* text = id == nullptr ? nullptr : id->as_string();
      if (text == nullptr) continue;
      const auto access = object_access(context, caller, *text);
      if (!access && access.error().code() == Code::not_found) continue;
      if (!access) return Failure(access.error().clone());
      if (*access == Access::none) return not_found("object '{}' does not exist", *text);
    }
  }
  return {};
}

Status settle_classes(const Caller& caller, const json::Value* before, json::Value& after) {
  if (!caller.classes) return {};
  if (before == nullptr && classes_in(&after).empty()) {
    json::Value* tags = after.find("tags");
    if (tags == nullptr) tags = &after.set("tags", json::Object{});
    tags->set(kTag, json::Array(caller.classes->begin(), caller.classes->end()));
    return {};
  }
  const std::set<std::string> old = classes_in(before);
  const std::set<std::string> now = classes_in(&after);
  std::vector<std::string> changed;
  std::set_symmetric_difference(old.begin(), old.end(), now.begin(), now.end(),
                                std::back_inserter(changed));
  const std::vector<std::string> own = values_for(caller, Access::read);
  for (const std::string& name : changed) {
    if (std::find(own.begin(), own.end(), name) == own.end()) {
      return at("/tags/auth_classes", forbidden("the class '{}' is not yours", name));
    }
  }
  return {};
}

}  // namespace reel::tams
