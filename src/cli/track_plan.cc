#include "cli/track_plan.h"

#include <algorithm>
#include <array>

#include "cli/segmenter.h"

namespace reel::cli {
namespace {

struct CodecRow {
  std::string_view name;
  std::string_view mime_type;
  bool fits_fmp4;
  bool fits_mpegts;
};

//! Codecs that are stored as they come. IANA's names.
constexpr std::array kCodecs = {
    CodecRow{"h264", "video/h264", true, true},  CodecRow{"hevc", "video/h265", true, true},
    CodecRow{"av1", "video/AV1", true, false},   CodecRow{"vp9", "video/VP9", true, false},
    CodecRow{"aac", "audio/aac", true, true},    CodecRow{"opus", "audio/opus", true, false},
    CodecRow{"flac", "audio/flac", true, false}, CodecRow{"ac3", "audio/ac3", true, true},
    CodecRow{"eac3", "audio/eac3", true, true},  CodecRow{"mp3", "audio/mpeg", true, true},
};

const CodecRow* find_codec(std::string_view name) {
  const auto row = std::find_if(kCodecs.begin(), kCodecs.end(),
                                [name](const CodecRow& one) { return one.name == name; });
  return row == kCodecs.end() ? nullptr : &*row;
}

//! A frame does not last a whole number of the input's ticks.
bool is_rounded(const StreamInfo& stream) {
  if (!stream.is_video || stream.frame_rate.is_zero()) return false;
  const auto ticks = time::Int128{stream.frame_rate.denominator} * stream.time_base.denominator;
  const auto unit = time::Int128{stream.frame_rate.numerator} * stream.time_base.numerator;
  return ticks % unit != 0;
}

//! Ticks per second in which a frame lasts a whole number; fine enough for composition offsets.
std::int64_t grid_timescale(const Ratio& rate) {
  constexpr std::int64_t kTimescaleMin = 10'000;
  std::int64_t timescale = rate.numerator;
  while (timescale < kTimescaleMin) timescale *= 2;
  return timescale;
}

void append(std::vector<std::string>& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

void append_video_codec(std::vector<std::string>& words, const TrackPlan& track,
                        const PlanOptions& options) {
  if (track.copy) {
    append(words, {"-c:v", "copy"});
    // Players on Apple systems take HEVC only with its parameter sets out of band.
    if (track.codec == "hevc") append(words, {"-tag:v", "hvc1"});
  } else {
    append(words, {"-c:v", "libx264", "-preset", options.live ? "veryfast" : "medium", "-crf", "18",
                   "-pix_fmt", "yuv420p", "-fps_mode", "passthrough", "-enc_time_base", "-1",
                   "-force_key_frames",
                   fmt::format("expr:gte(t,n_forced*{}/{})", options.segment.numerator,
                               options.segment.denominator)});
    const std::string& order = track.stream.field_order;
    if (order == "tt" || order == "bb" || order == "tb" || order == "bt") {
      append(words, {"-flags", "+ilme+ildct"});
    }
  }
  if (track.video_timescale > 0) {
    append(words, {"-video_track_timescale", std::to_string(track.video_timescale)});
  }
}

void append_audio_codec(std::vector<std::string>& words, const TrackPlan& track) {
  if (track.copy) {
    append(words, {"-c:a", "copy"});
    // From ADTS frames, as in MPEG-TS, to raw ones; others pass through.
    if (track.codec == "aac") append(words, {"-bsf:a", "aac_adtstoasc"});
    return;
  }
  const int kilobits = std::clamp(96 * track.stream.channels, 96, 512);
  append(words, {"-c:a", "aac", "-b:a", fmt::format("{}k", kilobits)});
}

}  // namespace

std::vector<TrackPlan> plan_tracks(const InputInfo& info, const PlanOptions& options) {
  std::vector<TrackPlan> tracks;
  int audio_count = 0;
  bool has_video = false;
  for (const StreamInfo& stream : info.streams) {
    if (stream.is_video ? has_video : audio_count > 0 && !options.all_audio) continue;
    TrackPlan track;
    track.stream = stream;
    if (stream.is_video) {
      has_video = true;
      track.role = "video";
    } else {
      track.role = ++audio_count == 1 ? "audio" : fmt::format("audio-{}", audio_count);
    }
    const CodecRow* row = find_codec(stream.codec);
    track.copy = row != nullptr &&
                 (options.container == Container::fmp4 ? row->fits_fmp4 : row->fits_mpegts);
    track.codec = track.copy ? stream.codec : stream.is_video ? "h264" : "aac";
    track.snap = is_rounded(stream);
    if (track.snap) track.video_timescale = grid_timescale(stream.frame_rate);
    tracks.push_back(std::move(track));
  }
  const auto video = std::find_if(tracks.begin(), tracks.end(),
                                  [](const TrackPlan& track) { return track.stream.is_video; });
  if (video != tracks.end()) std::rotate(tracks.begin(), video, video + 1);
  return tracks;
}

std::vector<std::string> ffmpeg_command(const InputLocation& input,
                                        const std::vector<TrackPlan>& tracks,
                                        const PlanOptions& options, int first_descriptor) {
  std::vector<std::string> words = {"ffmpeg", "-nostdin", "-hide_banner", "-v",
                                    "error",  "-fflags",  "+genpts"};
  const bool is_url = input.location.find("://") != std::string::npos;
  const bool is_stdin = input.location == "pipe:0";
  // What is not live by itself is played at its own speed.
  if (options.live && !is_url && !is_stdin) append(words, {"-re"});
  if (!input.format.empty()) append(words, {"-f", input.format});
  append(words, {"-i", input.location});
  int descriptor = first_descriptor;
  for (const TrackPlan& track : tracks) {
    append(words, {"-map", fmt::format("0:{}", track.stream.index), "-map_metadata", "-1",
                   "-map_chapters", "-1"});
    std::string flags = "delay_moov+default_base_moof+frag_discont";
    if (track.stream.is_video) {
      append_video_codec(words, track, options);
      flags += "+frag_keyframe";
    } else {
      append_audio_codec(words, track);
      append(words, {"-frag_duration", "500000"});
    }
    append(words, {"-fflags", "+bitexact", "-output_ts_offset",
                   std::to_string(kObjectTimelineShiftSeconds), "-movflags", flags,
                   "-flush_packets", "1", "-f", "mp4", fmt::format("pipe:{}", descriptor++)});
  }
  return words;
}

std::string codec_mime_type(const std::string& codec, bool is_video) {
  const CodecRow* row = find_codec(codec);
  if (row != nullptr) return std::string(row->mime_type);
  return (is_video ? "video/" : "audio/") + codec;
}

std::int64_t presentation_origin(const std::vector<TrackPlan>& tracks) {
  constexpr std::int64_t kPrimingNanosecondsMax = 100'000'000;
  if (tracks.empty()) return 0;
  std::int64_t earliest = tracks[0].stream.start_nanoseconds;
  for (const TrackPlan& track : tracks) {
    earliest = std::min(earliest, track.stream.start_nanoseconds);
  }
  const StreamInfo& first = tracks[0].stream;
  const bool only_priming = first.start_nanoseconds - earliest <= kPrimingNanosecondsMax;
  return first.is_video && only_priming ? first.start_nanoseconds : earliest;
}

}  // namespace reel::cli
