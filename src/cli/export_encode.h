#pragma once
//! Encoding anew what cannot be copied exactly. Decoders, one for each stretch, feed one encoder,
//! so that the whole track has one decoder set-up.

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/export_plan.h"
#include "cli/temp_directory.h"

namespace reel::cli {

//! A track ready to be written: samples with times in ticks of info.timescale, zero at the clip's
//! start plus the shift of all object timelines.
struct ClipTrack {
  std::string init;
  TrackInfo info;
  std::vector<SampleSource> samples;
};

//! H.264 of exactly the wanted frames, each at its own time. `objects` keeps what samples refer to
//! alive.
Result<ClipTrack> encode_video(const std::vector<Stretch>& stretches, time::Int128 clip_start,
                               const TempDirectory& temp,
                               std::vector<std::unique_ptr<MediaObject>>& objects);

//! AAC of exactly the wanted time, silence where there is a gap.
Result<ClipTrack> encode_audio(const std::vector<Stretch>& stretches, time::Int128 clip_start,
                               const TempDirectory& temp,
                               std::vector<std::unique_ptr<MediaObject>>& objects);

//! Ticks of a flow time in a clip's track.
std::int64_t clip_ticks(time::Int128 flow_time, time::Int128 clip_start, std::int64_t timescale);

//! Gives frames that were encoded at an even pace their own times: the n-th frame shown gets the
//! n-th of `times` (ascending), and frames are decoded when an earlier one is shown. Code::corrupt
//! when the numbers differ.
Status retime(std::vector<Sample>& encoded, const std::vector<std::int64_t>& times);

}  // namespace reel::cli
