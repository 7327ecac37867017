#include "tams/playback.h"

#include <algorithm>

#include "base/percent.h"
#include "tams/access.h"
#include "tams/flows.h"
#include "tams/hls.h"
#include "tams/instances.h"
#include "tams/segments.h"
#include "tams/shapes.h"
#include "tams/sources.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

using time::TimeRange;

constexpr std::size_t kPlaylistSegmentsMax = 100'000;

bool is_growing(const Record& flow) {
  return flow.text("status") == "ingesting" || flow.text("status") == "replication_in_progress";
}

bool has_own_segments(const Record& flow) { return !flow["container"].is_null(); }

//! A number inside one of the flow's JSON members, 0 when absent.
std::int64_t number_at(const json::Value& value, std::initializer_list<std::string_view> path) {
  const json::Value* at = &value;
  for (const std::string_view name : path) {
    at = at->find(name);
    if (at == nullptr) return 0;
  }
  std::int64_t number = 0;
  at->get_int64(number);
  return number;
}

json::Value json_member(const Record& flow, std::string_view column) {
  auto parsed = json::parse(flow.text(column));
  return parsed ? std::move(*parsed) : json::Value();
}

//! An expiry that all playlists of a long while share: a player that reloads a growing playlist
//! must find the same URLs again.
Instant common_expiry(const Context& context) {
  const std::int64_t step_us = context.limits.playback_url_timeout_s * 1'000'000;
  return {(context.clock.now().micros / step_us + 2) * step_us};
}

//! Addresses of objects for a player, which may come back to them hours later.
class ObjectUrls {
 public:
  ObjectUrls(const Context& context, const Caller& caller, store::Snapshot& snapshot,
             std::string_view container)
      : context_(context),
        caller_(caller),
        instances_(snapshot),
        container_(container),
        expiry_(common_expiry(context)) {}

  Status load(const std::vector<std::string>& object_ids) { return instances_.load(object_ids); }

  //! Code::not_found when nothing tells where the bytes are.
  Result<std::string> find(const std::string& object_id) {
    REEL_ASSIGN(const auto* const instances, instances_.find(object_id));
    const Instance* const chosen = instances == nullptr ? nullptr : preferred(*instances);
    if (chosen != nullptr && !chosen->storage_id) return chosen->url;
    if (chosen != nullptr) {
      std::string url = caller_.base_url;
      context_.storage.signer->append_path(url,
                                           {.use = media::UrlUse::get,
                                            .storage = *chosen->storage_id,
                                            .object_id = object_id,
                                            .content_type = {}},
                                           expiry_);
      append_extension(url, container_);
      return url;
    }
    return not_found("object '{}' has no address", object_id);
  }

 private:
  //! The first that we serve ourselves, else the first; nullptr when there is none.
  const Instance* preferred(const std::vector<Instance>& instances) const {
    const Instance* chosen = nullptr;
    for (const Instance& instance : instances) {
      if (!is_advertised(context_, instance)) continue;
      if (instance.storage_id) return &instance;
      if (chosen == nullptr) chosen = &instance;
    }
    return chosen;
  }

  const Context& context_;
  const Caller& caller_;
  InstanceCache instances_;
  const std::string container_;
  const Instant expiry_;
};

Result<std::string> media_playlist(const Context& context, const Caller& caller,
                                   store::Snapshot& snapshot, const Record& flow,
                                   const TimeRange& range) {
  std::vector<Segment> found;
  REEL_TRY(
      scan_segments(snapshot, timeline_of(flow), {.range = range}, [&](const store::RowView& row) {
        found.push_back(segment_of(row));
        return found.size() <= kPlaylistSegmentsMax;
      }));
  if (found.size() > kPlaylistSegmentsMax) {
    return at("?timerange",
              invalid("more than {} segments; ask for a shorter range", kPlaylistSegmentsMax));
  }
  HlsPlaylist playlist;
  const bool open_end = !range.is_never() && !range.end();
  playlist.kind = is_growing(flow) && open_end ? HlsKind::event : HlsKind::vod;
  playlist.asked = range;
  const json::Value duration = json_member(flow, "segment_duration");
  if (const std::int64_t numerator = number_at(duration, {"numerator"}); numerator > 0) {
    const std::int64_t denominator =
        std::max<std::int64_t>(1, number_at(duration, {"denominator"}));
    playlist.nominal_duration_ns = static_cast<std::int64_t>(
        static_cast<long double>(numerator) * 1e9L / static_cast<long double>(denominator));
  }
  ObjectUrls urls(context, caller, snapshot, flow.text("container"));
  std::vector<std::string> object_ids;
  for (const Segment& segment : found) object_ids.push_back(segment.object_id);
  REEL_TRY(urls.load(object_ids));
  for (const Segment& segment : found) {
    HlsSegment entry;
    REEL_ASSIGN(entry.url, urls.find(segment.object_id));
    if (!segment.init_object_id.empty()) {
      REEL_ASSIGN(entry.init_url, urls.find(segment.init_object_id));
    }
    entry.start = segment.start;
    entry.duration_ns =
        static_cast<std::int64_t>(segment.end_nanoseconds - segment.start.nanoseconds());
    entry.ts_offset = segment.ts_offset;
    playlist.segments.push_back(std::move(entry));
  }
  return hls_media_playlist(playlist);
}

std::string codec_of(const Record& flow, const json::Value& essence) {
  if (flow.text("codec") == "video/h264" && essence.find("avc_parameters") != nullptr) {
    return avc_codec(number_at(essence, {"avc_parameters", "profile"}),
                     number_at(essence, {"avc_parameters", "flags"}),
                     number_at(essence, {"avc_parameters", "level"}));
  }
  if (flow.text("codec") == "audio/aac") {
    return aac_codec(number_at(essence, {"codec_parameters", "mp4_oti"}));
  }
  return {};
}

HlsStream stream_of(const Caller& caller, const Record& flow, const TimeRange& range) {
  const json::Value essence = json_member(flow, "essence_parameters");
  const auto small = [&](std::initializer_list<std::string_view> path) {
    const std::int64_t number = number_at(essence, path);
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(number, 0, UINT32_MAX));
  };
  const auto bits = [&](std::string_view column) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, flow.integer(column))) * 1000;
  };
  HlsStream stream;
  stream.url = caller.base_url + "/playback/flows/" + flow.uuid("id").to_string() + ".m3u8";
  if (!range.is_eternity()) stream.url += "?timerange=" + percent_encode(range.to_string());
  if (!caller.playlist_query.empty()) {
    stream.url += (range.is_eternity() ? "?" : "&") + caller.playlist_query;
  }
  stream.name = flow.text("label");
  stream.codecs = codec_of(flow, essence);
  stream.average_bits_per_second = bits("avg_bit_rate");
  stream.peak_bits_per_second = std::max(bits("max_bit_rate"), stream.average_bits_per_second);
  stream.width = small({"frame_width"});
  stream.height = small({"frame_height"});
  stream.frame_rate_numerator = small({"frame_rate", "numerator"});
  stream.frame_rate_denominator = std::max(1U, small({"frame_rate", "denominator"}));
  stream.channels = small({"channels"});
  return stream;
}

//! Flows with segments of their own among `flows` and what those collect, one level deep.
Result<std::vector<Record>> playable(const Caller& caller, store::Snapshot& snapshot,
                                     std::vector<Record> flows) {
  std::vector<Record> found;
  const auto take = [&](Record flow) {
    if (access_to(caller, flow.text("tags")) == Access::none) return;
    const bool known = std::any_of(found.begin(), found.end(), [&](const Record& other) {
      return other.uuid("id") == flow.uuid("id");
    });
    if (!known && has_own_segments(flow)) found.push_back(std::move(flow));
  };
  for (Record& flow : flows) {
    REEL_ASSIGN(const auto members, collection_members(flow));
    if (has_own_segments(flow)) take(std::move(flow));
    for (const FlowId member : members) {
      REEL_ASSIGN(auto record, load(snapshot, table::kFlows, {member}));
      if (record) take(std::move(*record));
    }
  }
  return found;
}

Result<std::string> master_playlist(const Caller& caller, store::Snapshot& snapshot,
                                    std::vector<Record> flows, const TimeRange& range) {
  REEL_ASSIGN(const auto streams, playable(caller, snapshot, std::move(flows)));
  std::vector<HlsStream> videos;
  std::vector<HlsStream> audios;
  for (const Record& flow : streams) {
    const std::string_view format = flow.text("format");
    if (format == shape::kVideo || format == shape::kMulti) {
      videos.push_back(stream_of(caller, flow, range));
    } else if (format == shape::kAudio) {
      audios.push_back(stream_of(caller, flow, range));
    }
  }
  if (videos.empty() && audios.empty()) {
    return unsupported("there is no video or audio with segments to play");
  }
  std::sort(videos.begin(), videos.end(), [](const HlsStream& a, const HlsStream& b) {
    return std::tie(b.peak_bits_per_second, a.url) < std::tie(a.peak_bits_per_second, b.url);
  });
  return hls_master_playlist(videos, audios);
}

}  // namespace

Result<std::string> flow_playlist(const Context& context, const Caller& caller, FlowId id,
                                  const TimeRange& range) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_ASSIGN(Record flow, find_flow(*snapshot, id));
  if (has_own_segments(flow)) return media_playlist(context, caller, *snapshot, flow, range);
  std::vector<Record> flows;
  flows.push_back(std::move(flow));
  return master_playlist(caller, *snapshot, std::move(flows), range);
}

Result<std::string> source_playlist(const Context& context, const Caller& caller, SourceId id,
                                    const TimeRange& range) {
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  REEL_TRY(find_source(*snapshot, id));
  REEL_ASSIGN(auto flows, flows_of_source(*snapshot, id));
  return master_playlist(caller, *snapshot, std::move(flows), range);
}

}  // namespace reel::tams
