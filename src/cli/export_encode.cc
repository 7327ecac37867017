#include "cli/export_encode.h"

#include <algorithm>

#include "cli/json_fields.h"
#include "cli/probe.h"
#include "cli/process.h"
#include "cli/ratio.h"
#include "cli/segmenter.h"

namespace reel::cli {
namespace {

constexpr time::Int128 kSecond = 1'000'000'000;

std::int64_t shift_ticks(std::int64_t timescale) { return kObjectTimelineShiftSeconds * timescale; }

//! Writes the selected samples of a stretch as a file for a decoder, on the objects' timeline moved
//! up so that nothing is negative.
Status write_stretch(const std::string& path, const Stretch& stretch, const Selection& selection) {
  std::vector<SampleSource> sources;
  const std::int64_t shift = shift_ticks(stretch.info().timescale);
  for (std::size_t i = selection.first; i < selection.last; ++i) {
    Sample sample = stretch.samples[i].sample;
    sample.pts += shift;
    sample.dts += shift;
    sources.push_back({sample, stretch.samples[i].object});
  }
  const MediaObject& object = *stretch.samples[selection.first].object;
  return write_track(path, object.init, object.info.track_id, sources);
}

//! Wanted presentation times of a stretch in its objects' ticks, ascending.
std::vector<std::int64_t> wanted_pts(const Stretch& stretch) {
  std::vector<std::int64_t> times;
  for (const StretchSample& sample : stretch.samples) {
    if (sample.wanted) times.push_back(sample.sample.pts);
  }
  std::sort(times.begin(), times.end());
  return times;
}

//! What all frames are brought to before they are encoded: what the first stretch has.
struct PictureFormat {
  int width = 0;
  int height = 0;
  std::string pixel_format;
  Ratio rate{25, 1};
  std::vector<std::string> encoder_options;
  std::string filter = "null";
};

PictureFormat picture_format(const StreamInfo& stream) {
  PictureFormat format;
  format.width = stream.width;
  format.height = stream.height;
  if (!stream.frame_rate.is_zero()) format.rate = stream.frame_rate;
  constexpr std::string_view kEncodable[] = {"yuv420p",     "yuv422p",     "yuv444p",
                                             "yuv420p10le", "yuv422p10le", "yuv444p10le"};
  const bool keeps = std::find(std::begin(kEncodable), std::end(kEncodable), stream.pixel_format) !=
                     std::end(kEncodable);
  format.pixel_format = keeps ? stream.pixel_format : "yuv420p";
  const auto pass = [&](const char* option, const std::string& value) {
    if (value.empty() || value == "unknown") return;
    format.encoder_options.insert(format.encoder_options.end(), {option, value});
  };
  pass("-colorspace", stream.color_space);
  pass("-color_trc", stream.color_transfer);
  pass("-color_primaries", stream.color_primaries);
  pass("-color_range", stream.color_range);
  if (!stream.pixel_aspect.is_zero()) {
    format.filter = "setsar=" + stream.pixel_aspect.to_string();
  }
  const std::string& order = stream.field_order;
  if (order == "tt" || order == "bb" || order == "tb" || order == "bt") {
    const bool top_first = order == "tt" || order == "bt";
    format.filter += std::string(",setfield=") + (top_first ? "tff" : "bff");
    format.encoder_options.insert(format.encoder_options.end(), {"-flags", "+ilme+ildct"});
  }
  return format;
}

std::vector<std::string> video_encoder(const PictureFormat& format, std::int64_t timescale,
                                       const std::string& output) {
  std::vector<std::string> words = {"ffmpeg",
                                    "-nostdin",
                                    "-v",
                                    "error",
                                    "-y",
                                    "-f",
                                    "rawvideo",
                                    "-pix_fmt",
                                    format.pixel_format,
                                    "-s",
                                    fmt::format("{}x{}", format.width, format.height),
                                    "-framerate",
                                    format.rate.to_string(),
                                    "-i",
                                    "pipe:0",
                                    "-vf",
                                    format.filter,
                                    "-c:v",
                                    "libx264",
                                    "-preset",
                                    "fast",
                                    "-crf",
                                    "16",
                                    "-fps_mode",
                                    "passthrough"};
  words.insert(words.end(), format.encoder_options.begin(), format.encoder_options.end());
  words.insert(
      words.end(),
      {"-fflags", "+bitexact", "-output_ts_offset", std::to_string(kObjectTimelineShiftSeconds),
       "-video_track_timescale", std::to_string(timescale), "-movflags",
       "delay_moov+default_base_moof+frag_discont+frag_keyframe", "-f", "mp4", output});
  return words;
}

std::vector<std::string> video_decoder(const std::string& input, std::int64_t first,
                                       std::int64_t end, const PictureFormat& format) {
  return {"ffmpeg",
          "-nostdin",
          "-v",
          "error",
          "-copyts",
          "-i",
          input,
          "-vf",
          fmt::format("trim=start_pts={}:end_pts={},scale={}:{}", first, end, format.width,
                      format.height),
          "-fps_mode",
          "passthrough",
          "-pix_fmt",
          format.pixel_format,
          "-f",
          "rawvideo",
          "pipe:1"};
}

//! An encoder that waits for raw media on a pipe.
class Encoder {
 public:
  static Result<Encoder> start(const std::vector<std::string>& command) {
    REEL_ASSIGN(Pipe raw, Pipe::make());
    REEL_ASSIGN(Child child, Child::spawn(command, {{raw.read_end.get(), 0}}));
    return Encoder(std::move(child), std::move(raw.write_end));
  }

  //! Runs a program whose output goes to the encoder.
  Status feed(const std::vector<std::string>& command) {
    REEL_ASSIGN(Child child, Child::spawn(command, {{input_.get(), 1}}));
    const int status = child.wait();
    if (status != 0) return io("{} failed ({}) while decoding", command[0], status);
    return {};
  }

  Status finish() {
    input_.close();
    const int status = child_.wait();
    if (status != 0) return io("ffmpeg failed ({}) while encoding", status);
    return {};
  }

 private:
  Encoder(Child child, FileDescriptor input) : child_(std::move(child)), input_(std::move(input)) {}
  Child child_;
  FileDescriptor input_;
};

ClipTrack track_of(const MediaObject& object) {
  ClipTrack track{object.init, object.info, {}};
  for (const Sample& sample : object.samples) track.samples.push_back({sample, &object});
  return track;
}

struct SoundFormat {
  int sample_rate = 48'000;
  int channels = 2;
};

std::vector<std::string> audio_encoder(const SoundFormat& format, const std::string& output) {
  return {"ffmpeg",
          "-nostdin",
          "-v",
          "error",
          "-y",
          "-f",
          "f32le",
          "-ar",
          std::to_string(format.sample_rate),
          "-ac",
          std::to_string(format.channels),
          "-i",
          "pipe:0",
          "-c:a",
          "aac",
          "-b:a",
          fmt::format("{}k", std::clamp(128 * format.channels, 128, 512)),
          "-fflags",
          "+bitexact",
          "-output_ts_offset",
          std::to_string(kObjectTimelineShiftSeconds),
          "-movflags",
          "delay_moov+default_base_moof+frag_discont",
          "-frag_duration",
          "500000",
          "-f",
          "mp4",
          output};
}

//! Exactly `count` samples from `start_nanoseconds` of the input's own timeline on.
std::vector<std::string> audio_decoder(const std::string& input, time::Int128 start_nanoseconds,
                                       std::int64_t count, const SoundFormat& format) {
  const double start = static_cast<double>(start_nanoseconds) / static_cast<double>(kSecond);
  return {"ffmpeg",
          "-nostdin",
          "-v",
          "error",
          "-copyts",
          "-i",
          input,
          "-af",
          fmt::format("atrim=start={:.9f},asetpts=PTS-STARTPTS,aresample={},apad=whole_len={},"
                      "atrim=end_sample={}",
                      start, format.sample_rate, count, count),
          "-ac",
          std::to_string(format.channels),
          "-f",
          "f32le",
          "pipe:1"};
}

std::vector<std::string> silence(std::int64_t count, const SoundFormat& format) {
  return {
      "ffmpeg", "-nostdin",
      "-v",     "error",
      "-f",     "lavfi",
      "-i",     fmt::format("anullsrc=r={}:cl=mono,atrim=end_sample={}", format.sample_rate, count),
      "-ac",    std::to_string(format.channels),
      "-f",     "f32le",
      "pipe:1"};
}

//! Position of a flow time in a clip, in audio samples.
std::int64_t sample_position(time::Int128 flow_time, time::Int128 clip_start, int sample_rate) {
  return static_cast<std::int64_t>(divide_rounded((flow_time - clip_start) * sample_rate, kSecond));
}

}  // namespace

std::int64_t clip_ticks(time::Int128 flow_time, time::Int128 clip_start, std::int64_t timescale) {
  return static_cast<std::int64_t>(divide_rounded((flow_time - clip_start) * timescale, kSecond)) +
         shift_ticks(timescale);
}

Status retime(std::vector<Sample>& encoded, const std::vector<std::int64_t>& times) {
  if (encoded.size() != times.size()) {
    return corrupt("{} frames were wanted, {} could be decoded", times.size(), encoded.size());
  }
  if (encoded.empty()) return {};
  std::vector<std::int64_t> shown;
  for (const Sample& sample : encoded) shown.push_back(sample.pts);
  std::sort(shown.begin(), shown.end());
  const std::int64_t pace = shown.size() > 1 ? shown[1] - shown[0] : 1;
  const std::int64_t lead = times.size() > 1 ? times[1] - times[0] : 1;
  const auto time_at = [&](std::int64_t old) {
    const auto steps = static_cast<std::int64_t>(
        divide_rounded(old - shown.front(), std::max<std::int64_t>(pace, 1)));
    if (steps < 0) return times.front() + steps * lead;
    return times[std::min(static_cast<std::size_t>(steps), times.size() - 1)];
  };
  for (Sample& sample : encoded) {
    sample.pts = time_at(sample.pts);
    sample.dts = time_at(sample.dts);
  }
  for (std::size_t i = 0; i + 1 < encoded.size(); ++i) {
    encoded[i].duration = encoded[i + 1].dts - encoded[i].dts;
  }
  encoded.back().duration = lead;
  return {};
}

Result<ClipTrack> encode_video(const std::vector<Stretch>& stretches, time::Int128 clip_start,
                               const TempDirectory& temp,
                               std::vector<std::unique_ptr<MediaObject>>& objects) {
  std::vector<std::int64_t> times;
  const std::int64_t timescale = stretches.front().info().timescale;
  std::optional<PictureFormat> format;
  std::optional<Encoder> encoder;
  const std::string output = temp.file("encoded-video.mp4");
  for (const Stretch& stretch : stretches) {
    const auto selection = decodable(stretch);
    if (!selection) {
      return unsupported("the frames at {} need a key frame that is not in this flow",
                         time::Timestamp::from_nanoseconds(stretch.start).to_string());
    }
    const std::string path = temp.file("stretch.mp4");
    REEL_TRY(write_stretch(path, stretch, *selection));
    if (!encoder) {
      REEL_ASSIGN(const InputInfo info, probe_input({path, {}}));
      format = picture_format(info.streams.at(0));
      REEL_ASSIGN(Encoder started, Encoder::start(video_encoder(*format, timescale, output)));
      encoder.emplace(std::move(started));
    }
    const std::vector<std::int64_t> pts = wanted_pts(stretch);
    const std::int64_t shift = shift_ticks(stretch.info().timescale);
    REEL_TRY(
        encoder->feed(video_decoder(path, pts.front() + shift, pts.back() + shift + 1, *format)));
    std::vector<time::Int128> flow_times;
    for (const StretchSample& sample : stretch.samples) {
      if (sample.wanted) flow_times.push_back(sample.time);
    }
    std::sort(flow_times.begin(), flow_times.end());
    for (const time::Int128 at : flow_times) times.push_back(clip_ticks(at, clip_start, timescale));
  }
  REEL_TRY(encoder->finish());
  REEL_ASSIGN(MediaObject encoded, load_fragmented_file(output));
  if (encoded.info.timescale != timescale) return internal("ffmpeg chose another timescale");
  REEL_TRY(retime(encoded.samples, times));
  objects.push_back(std::make_unique<MediaObject>(std::move(encoded)));
  return track_of(*objects.back());
}

Result<ClipTrack> encode_audio(const std::vector<Stretch>& stretches, time::Int128 clip_start,
                               const TempDirectory& temp,
                               std::vector<std::unique_ptr<MediaObject>>& objects) {
  const std::string path = temp.file("stretch.mp4");
  const std::string output = temp.file("encoded-audio.mp4");
  SoundFormat format;
  std::optional<Encoder> encoder;
  std::int64_t written = 0;
  for (const Stretch& stretch : stretches) {
    REEL_TRY(write_stretch(path, stretch, audio_copy(stretch, true)));
    if (!encoder) {
      REEL_ASSIGN(const InputInfo info, probe_input({path, {}}));
      format = {info.streams.at(0).sample_rate, info.streams.at(0).channels};
      REEL_ASSIGN(Encoder started, Encoder::start(audio_encoder(format, output)));
      encoder.emplace(std::move(started));
    }
    const time::Int128 start = std::max(stretch.start, clip_start);
    const std::int64_t begin = sample_position(start, clip_start, format.sample_rate);
    const std::int64_t end = sample_position(stretch.end, clip_start, format.sample_rate);
    if (begin > written) REEL_TRY(encoder->feed(silence(begin - written, format)));
    const time::Int128 from = start - stretch.ts_offset + kObjectTimelineShiftSeconds * kSecond;
    REEL_TRY(encoder->feed(audio_decoder(path, from, end - begin, format)));
    written = end;
  }
  REEL_TRY(encoder->finish());
  REEL_ASSIGN(MediaObject encoded, load_fragmented_file(output));
  objects.push_back(std::make_unique<MediaObject>(std::move(encoded)));
  return track_of(*objects.back());
}

}  // namespace reel::cli
