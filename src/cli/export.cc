#include "cli/export.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "base/percent.h"
#include "cli/json_fields.h"
#include "cli/process.h"
#include "cli/segmenter.h"

namespace reel::cli {
namespace {

std::string muxer_for(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".mp4" || extension == ".m4a" || extension == ".m4v") return "mp4";
  if (extension == ".mkv" || extension == ".mka") return "matroska";
  if (extension == ".ts") return "mpegts";
  return {};
}

time::Timestamp stamp(time::Int128 nanoseconds) {
  return time::Timestamp::from_nanoseconds(nanoseconds);
}

bool is_format(const json::Value& flow, std::string_view name) {
  return string_field(flow, "format").ends_with(fmt::format(":{}", name));
}

//! Adds samples of a stretch with their times in the clip.
void append(std::vector<SampleSource>& samples, const Stretch& stretch, const Selection& selection,
            std::int64_t shift) {
  for (std::size_t i = selection.first; i < selection.last; ++i) {
    Sample sample = stretch.samples[i].sample;
    sample.pts += shift;
    sample.dts += shift;
    samples.push_back({sample, stretch.samples[i].object});
  }
}

//! Decode times must rise, and a frame lasts until the next is decoded.
void settle(std::vector<SampleSource>& samples) {
  for (std::size_t i = 1; i < samples.size(); ++i) {
    Sample& previous = samples[i - 1].sample;
    samples[i].sample.dts = std::max(samples[i].sample.dts, previous.dts + 1);
    previous.duration = samples[i].sample.dts - previous.dts;
  }
}

//! What is added to object ticks to get ticks of the clip.
std::int64_t clip_shift(const Stretch& stretch, time::Int128 clip_start) {
  return clip_ticks(stretch.ts_offset, clip_start, stretch.info().timescale);
}

bool copies_exactly(const std::vector<Stretch>& stretches) {
  return joinable(stretches) &&
         std::all_of(stretches.begin(), stretches.end(),
                     [](const Stretch& stretch) { return exact_copy(stretch).has_value(); });
}

}  // namespace

Status Export::prepare() {
  muxer_ = muxer_for(options_.output);
  if (muxer_.empty()) {
    return invalid("the output's name must end in .mp4, .m4a, .mkv or .ts: {}", options_.output);
  }
  if (std::filesystem::exists(options_.output) && !options_.overwrite) {
    return conflict("{} exists; --force replaces it", options_.output);
  }
  REEL_TRY(require_ffmpeg());
  REEL_ASSIGN(TempDirectory temp, TempDirectory::make());
  temp_.emplace(std::move(temp));
  REEL_ASSIGN(client_, TamsClient::connect({.url = options_.server, .stop = interrupt_.stop()}));
  return find_tracks();
}

Status Export::find_tracks() {
  REEL_ASSIGN(const auto flow, client_->find_flow(options_.flow));
  if (!flow) return not_found("there is no flow {}", options_.flow);
  if (is_format(*flow, "video") || is_format(*flow, "audio")) {
    tracks_.emplace_back(options_.flow, is_format(*flow, "video"));
    return {};
  }
  for (const json::Value& item : array_field(*flow, "flow_collection")) {
    REEL_ASSIGN(const auto member, client_->find_flow(string_field(item, "id")));
    if (!member) continue;
    const bool is_video = is_format(*member, "video");
    if (!is_video && !is_format(*member, "audio")) continue;
    tracks_.emplace_back(string_field(item, "id"), is_video);
  }
  if (tracks_.empty()) return invalid("flow {} collects neither video nor audio", options_.flow);
  return {};
}

Status Export::run() {
  Progress::Options progress{.verb = "export", .quiet = options_.quiet};
  progress_ = std::make_unique<Progress>(progress);
  for (Track& track : tracks_) {
    REEL_ASSIGN(track.segments, client_->list_segments(track.flow_id, options_.range, true));
    if (track.segments.empty() && tracks_.size() > 1) {
      // The collecting flow may hold the media of all of them, multiplexed.
      REEL_ASSIGN(track.segments, client_->list_segments(options_.flow, options_.range, true));
    }
  }
  REEL_TRY(download_all());
  for (Track& track : tracks_) {
    REEL_TRY(load_pieces(track));
    REEL_TRY(plan_stretches(track));
  }
  std::erase_if(tracks_, [](const Track& track) { return track.stretches.empty(); });
  if (tracks_.empty()) {
    return not_found("there is no media within {}", options_.range.to_string());
  }
  const time::Int128 start = clip_start();
  std::vector<std::string> files;
  for (Track& track : tracks_) {
    REEL_ASSIGN(ClipTrack clip, make_clip_track(track, start));
    settle(clip.samples);
    files.push_back(temp_->file(fmt::format("track-{}.mp4", files.size())));
    REEL_TRY(write_track(files.back(), clip.init, clip.info.track_id, clip.samples));
    if (interrupt_.stop().stop_requested()) return cancelled("interrupted");
  }
  REEL_TRY(multiplex(files));
  report_gaps();
  return {};
}

Status Export::download_one(const std::string& url, const std::string& path) {
  REEL_TRY(client_->download(url, path));
  std::error_code ignored;
  progress_->add(0, std::filesystem::file_size(path, ignored));
  return {};
}

Status Export::download_all() {
  std::vector<std::pair<std::string, std::string>> wanted;  // URL and path
  const auto want = [&](const std::string& id, const std::string& url) {
    if (id.empty() || files_.contains(id)) return;
    const std::string path = temp_->file(fmt::format("object-{}", files_.size()));
    files_.emplace(id, path);
    wanted.emplace_back(url, path);
  };
  for (const Track& track : tracks_) {
    for (const Segment& segment : track.segments) {
      if (segment.url.empty()) {
        return not_found("object {} has no URL to get it from", segment.object_id);
      }
      want(segment.object_id, segment.url);
      want(segment.init_id, segment.init_url);
    }
  }
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Status result;
  const auto work = [&] {
    for (std::size_t i = next++; i < wanted.size(); i = next++) {
      Status done = download_one(wanted[i].first, wanted[i].second);
      if (done) continue;
      const std::lock_guard lock(mutex);
      if (result) result = std::move(done);
      next = wanted.size();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < options_.parallel; ++i) threads.emplace_back(work);
  }
  return result;
}

Result<const MediaObject*> Export::load(const Track& track, const Segment& segment) {
  auto& slot = loaded_[{segment.object_id, track.is_video}];
  if (!slot) {
    std::string init;
    if (!segment.init_id.empty()) {
      REEL_ASSIGN(init, read_file(files_.at(segment.init_id)));
    }
    auto object = load_object(files_.at(segment.object_id), init, track.is_video, *temp_);
    if (!object) {
      return Failure(std::move(object).error().while_doing("reading object " + segment.object_id));
    }
    slot = std::make_unique<MediaObject>(*std::move(object));
  }
  return slot.get();
}

Status Export::load_pieces(Track& track) {
  for (const Segment& segment : track.segments) {
    const time::TimeRange part = segment.timerange.intersect(options_.range);
    if (part.is_never() || !part.is_bounded()) continue;
    REEL_ASSIGN(const MediaObject* object, load(track, segment));
    track.pieces.push_back({object, segment.ts_offset.nanoseconds(), part.first()->nanoseconds(),
                            *part.past_last_nanoseconds()});
  }
  return {};
}

Status Export::plan_stretches(Track& track) {
  track.stretches = make_stretches(track.pieces);
  if (!track.is_video || track.stretches.empty() || decodable(track.stretches.front())) return {};
  // Open group of pictures: the first frames refer to the segment before.
  const Segment& first = track.segments.front();
  const time::TimeRange before =
      time::TimeRange::make(std::nullopt, time::TimeRange::Bound{*first.timerange.first(), false});
  const std::string path = fmt::format("/flows/{}/segments?reverse_order=true&limit=1&timerange={}",
                                       track.flow_id, percent_encode(before.to_string()));
  std::optional<Segment> previous;
  REEL_TRY(client_->get_pages(path, [&](json::Array& page) {
    auto parsed = page.empty() ? Result<Segment>(not_found("none")) : parse_segment(page[0]);
    if (parsed) previous = *std::move(parsed);
    return false;
  }));
  if (!previous) return {};
  track.segments.insert(track.segments.begin(), *previous);
  REEL_TRY(download_all());
  REEL_ASSIGN(const MediaObject* object, load(track, *previous));
  const auto end = *previous->timerange.past_last_nanoseconds();
  std::vector<Piece> pieces = track.pieces;
  pieces.insert(pieces.begin(), {object, previous->ts_offset.nanoseconds(), end, end});
  track.stretches = make_stretches(pieces);
  return {};
}

time::Int128 Export::clip_start() const {
  const bool has_video = std::any_of(tracks_.begin(), tracks_.end(),
                                     [](const Track& track) { return track.is_video; });
  std::optional<time::Int128> earliest;
  for (const Track& track : tracks_) {
    if (track.is_video != has_video) continue;
    const Stretch& stretch = track.stretches.front();
    time::Int128 start = stretch.start;
    if (has_video) {
      start = stretch.end;
      for (const StretchSample& sample : stretch.samples) {
        if (sample.wanted) start = std::min(start, sample.time);
      }
      const auto from = decodable(stretch);
      if (options_.copy && from) start = stretch.samples[from->first].time;
    }
    earliest = std::min(earliest.value_or(start), start);
  }
  return *earliest;
}

Result<ClipTrack> Export::make_clip_track(Track& track, time::Int128 start) {
  if (!track.is_video) {
    track.copied = joinable(track.stretches);
    if (track.copied) return copy_audio(track, start);
    progress_->note("audio is encoded anew: its parts have different parameters");
    return encode_audio(track.stretches, start, *temp_, encoded_);
  }
  track.copied = options_.copy || copies_exactly(track.stretches);
  if (track.copied) return copy_video(track, start);
  progress_->note(joinable(track.stretches)
                      ? "video is encoded anew: the range begins or ends within a group of pictures"
                      : "video is encoded anew: its parts have different parameters");
  return encode_video(track.stretches, start, *temp_, encoded_);
}

Result<ClipTrack> Export::copy_video(Track& track, time::Int128 start) {
  if (!joinable(track.stretches)) {
    return unsupported("--copy cannot join parts with different parameters");
  }
  const MediaObject& first = *track.stretches.front().samples.front().object;
  ClipTrack clip{first.init, first.info, {}};
  for (const Stretch& stretch : track.stretches) {
    std::optional<Selection> selection = exact_copy(stretch);
    if (!selection && &stretch == &track.stretches.front()) selection = decodable(stretch);
    if (!selection) {
      return unsupported("--copy cannot cut at {}, which is no key frame",
                         stamp(stretch.start).to_string());
    }
    append(clip.samples, stretch, *selection, clip_shift(stretch, start));
  }
  // Frames shown before the first key frame lack what they refer to.
  const std::int64_t first_pts = clip.samples.front().sample.pts;
  std::erase_if(clip.samples, [&](const SampleSource& s) { return s.sample.pts < first_pts; });
  return clip;
}

ClipTrack Export::copy_audio(const Track& track, time::Int128 start) const {
  const MediaObject& first = *track.stretches.front().samples.front().object;
  ClipTrack clip{first.init, first.info, {}};
  for (const Stretch& stretch : track.stretches) {
    const bool lead_in = &stretch == &track.stretches.front();
    append(clip.samples, stretch, audio_copy(stretch, lead_in), clip_shift(stretch, start));
  }
  return clip;
}

Status Export::multiplex(const std::vector<std::string>& files) {
  const std::string part = options_.output + ".part";
  std::vector<std::string> words = {"ffmpeg", "-nostdin", "-v", "error", "-y", "-copyts"};
  for (const std::string& file : files) words.insert(words.end(), {"-i", file});
  for (std::size_t i = 0; i < files.size(); ++i) {
    words.insert(words.end(), {"-map", std::to_string(i)});
  }
  words.insert(words.end(),
               {"-c", "copy", "-output_ts_offset", std::to_string(-kObjectTimelineShiftSeconds)});
  if (muxer_ == "mp4") words.insert(words.end(), {"-movflags", "+faststart"});
  words.insert(words.end(), {"-f", muxer_, "file:" + part});
  const auto done = run_and_capture(words);
  if (!done) {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    return Failure(done.error().clone());
  }
  std::error_code error;
  std::filesystem::rename(part, options_.output, error);
  if (error) return io("cannot write {}: {}", options_.output, error.message());
  return {};
}

void Export::report_gaps() const {
  for (const Track& track : tracks_) {
    const std::string kind = track.is_video ? "video" : "audio";
    std::size_t frames = 0;
    for (const Stretch& stretch : track.stretches) {
      frames += static_cast<std::size_t>(
          std::count_if(stretch.samples.begin(), stretch.samples.end(),
                        [](const StretchSample& sample) { return sample.wanted; }));
    }
    progress_->note(
        fmt::format("{}: {} frames {}", kind, frames, track.copied ? "copied" : "encoded anew"));
    for (const time::TimeRange& gap : find_gaps(track.pieces, options_.range)) {
      progress_->note(fmt::format("{}: no media in {}", kind, gap.to_string()));
    }
  }
}

}  // namespace reel::cli
