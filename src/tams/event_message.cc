#include "tams/event_message.h"

#include "tams/instances.h"

namespace reel::tams {
namespace {

//! Writes segments as the log has them, which is with their object's time range and without URLs.
class SegmentShaper {
 public:
  SegmentShaper(const Context& context, const Caller& caller, store::Snapshot& snapshot,
                const EventShaping& shaping)
      : urls_(context, caller, shaping.urls), instances_(snapshot), shaping_(shaping) {}

  Status write(json::Writer& out, const json::Array& segments) {
    if (!shaping_.urls.selects_nothing()) {
      std::vector<std::string> ids;
      for (const json::Value& segment : segments) collect_ids(segment, ids);
      REEL_TRY(instances_.load(ids));
    }
    out.begin_array();
    for (const json::Value& segment : segments) REEL_TRY(write_object(out, segment));
    out.end_array();
    return {};
  }

 private:
  static void collect_ids(const json::Value& segment, std::vector<std::string>& ids) {
    if (const json::Value* id = segment.find("object_id")) ids.push_back(*id->as_string());
    if (const json::Value* init = segment.find("init_object")) collect_ids(*init, ids);
  }

  //! A segment, or the init object in one.
  Status write_object(json::Writer& out, const json::Value& object) {
    out.begin_object();
    for (const json::Member& member : *object.as_object()) {
      if (member.name == "object_timerange" && !shaping_.include_object_timerange) continue;
      out.key(member.name);
      if (member.name == "init_object") {
        REEL_TRY(write_object(out, member.value));
        continue;
      }
      out.value(member.value);
      if (member.name == "object_id") REEL_TRY(write_urls(out, *member.value.as_string()));
    }
    out.end_object();
    return {};
  }

  Status write_urls(json::Writer& out, const std::string& object_id) {
    if (shaping_.urls.selects_nothing()) return {};
    REEL_ASSIGN(const auto* instances, instances_.find(object_id));
    if (instances != nullptr) urls_.write(out, object_id, *instances);
    return {};
  }

  const UrlWriter urls_;
  InstanceCache instances_;
  const EventShaping& shaping_;
};

}  // namespace

Result<std::string> event_message(const Context& context, const Caller& caller,
                                  store::Snapshot& snapshot, const EventShaping& shaping,
                                  const events::Change& change) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("event_timestamp", std::string_view(change.at.to_string()));
  out.field("event_type", std::string_view(change.type));
  if (change.type != "flows/segments_added") {
    out.raw_field("event", change.payload);
    out.end_object();
    return text;
  }
  REEL_ASSIGN(const json::Value payload, json::parse(change.payload));
  out.key("event");
  out.begin_object();
  out.field("flow_id", std::string_view(change.flow_id->to_string()));
  out.key("segments");
  SegmentShaper shaper(context, caller, snapshot, shaping);
  REEL_TRY(shaper.write(out, *payload.find("segments")->as_array()));
  out.end_object();
  out.end_object();
  return text;
}

}  // namespace reel::tams
