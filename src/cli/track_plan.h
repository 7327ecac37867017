#pragma once
//! What becomes of each stream of an input: copied or encoded anew, in which container, and how
//! ffmpeg is told.

#include <cstdint>
#include <string>
#include <vector>

#include "cli/probe.h"

namespace reel::cli {

enum class Container : std::uint8_t { fmp4, mpegts };

struct PlanOptions {
  Container container = Container::fmp4;
  Ratio segment{2, 1};
  bool all_audio = false;
  bool live = false;
};

struct TrackPlan {
  StreamInfo stream;
  std::string role;   //!< "video", "audio", "audio-2"
  std::string codec;  //!< ffmpeg's name of what is stored
  bool copy = true;   //!< lossless; otherwise encoded anew
  //! Times are rounded by the input's container and are put back on the frame grid.
  bool snap = false;
  //! Ticks per second that the frame grid needs; 0: ffmpeg's choice.
  std::int64_t video_timescale = 0;
};

//! The first video stream and the first audio stream (or all of them).
std::vector<TrackPlan> plan_tracks(const InputInfo& info, const PlanOptions& options);

//! The command that writes the n-th track as fragmented MP4 to descriptor `first_descriptor` + n.
std::vector<std::string> ffmpeg_command(const InputLocation& input,
                                        const std::vector<TrackPlan>& tracks,
                                        const PlanOptions& options, int first_descriptor);

//! The MIME type that TAMS wants for a codec, "video/h264".
std::string codec_mime_type(const std::string& codec, bool is_video);

//! Where the input's presentation starts, on ffmpeg's timeline: at the first video frame, unless
//! other media begins much earlier (more than encoder priming explains).
std::int64_t presentation_origin(const std::vector<TrackPlan>& tracks);

}  // namespace reel::cli
