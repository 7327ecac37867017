#pragma once
//! What ffprobe says about an input.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/ratio.h"

namespace reel::cli {

//! What ffmpeg reads: a file, a URL, or with format "lavfi" a filter graph.
struct InputLocation {
  std::string location;
  std::string format;  //!< ffmpeg's -f; empty: ffmpeg finds out
};

struct StreamInfo {
  int index = 0;
  bool is_video = false;
  std::string codec;  //!< ffmpeg's name, "h264"
  Ratio time_base;    //!< seconds per tick
  //! Where presentation starts, in nanoseconds on the timeline that ffmpeg gives its outputs
  //! (on which the input starts at 0).
  std::int64_t start_nanoseconds = 0;

  int width = 0;
  int height = 0;
  int bit_depth = 0;  //!< 0: not known
  Ratio frame_rate;   //!< nominal; 0 when it is not constant as far as ffprobe can tell
  Ratio pixel_aspect;
  Ratio display_aspect;
  std::string pixel_format;
  std::string field_order;
  std::string color_space;
  std::string color_transfer;
  std::string color_primaries;
  std::string color_range;

  int sample_rate = 0;
  int channels = 0;
};

struct InputInfo {
  std::vector<StreamInfo> streams;  //!< video and audio only; no cover pictures
  int other_streams = 0;            //!< subtitles, data, …
  std::optional<std::int64_t> duration_nanoseconds;
};

//! Code::not_found when the input cannot be opened or holds neither video nor audio.
Result<InputInfo> probe_input(const InputLocation& input);

//! From ffprobe's JSON.
Result<InputInfo> parse_probe(std::string_view text);

//! 8 for "yuv420p", 10 for "yuv422p10le".
int pixel_format_depth(std::string_view pixel_format);

}  // namespace reel::cli
