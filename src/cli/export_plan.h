#pragma once
//! Which frames a clip consists of, and whether they can be copied as they are.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/export_media.h"
#include "time/time_range.h"

namespace reel::cli {

//! The part of one segment that lies in the wanted range. Times are flow times in nanoseconds.
struct Piece {
  const MediaObject* object = nullptr;
  time::Int128 ts_offset = 0;
  time::Int128 start = 0;
  time::Int128 end = 0;

  //! Flow time of a sample.
  time::Int128 time_of(const Sample& sample) const;
};

//! A sample of a stretch.
struct StretchSample {
  Sample sample;
  const MediaObject* object = nullptr;
  time::Int128 time = 0;  //!< flow time of presentation
  bool wanted = false;
};

//! Pieces that follow each other without a cut: what one decoder can read through.
struct Stretch {
  time::Int128 ts_offset = 0;
  time::Int128 start = 0;
  time::Int128 end = 0;
  std::vector<StretchSample> samples;  //!< all samples of the objects, in decode order

  const TrackInfo& info() const { return samples.front().object->info; }
};

//! Joins pieces in order of time. A stretch ends where there is a gap, another offset, another
//! codec set-up, or where an object is not used up to its end.
std::vector<Stretch> make_stretches(const std::vector<Piece>& pieces);

//! Indices of samples [first, last), in decode order.
struct Selection {
  std::size_t first = 0;
  std::size_t last = 0;
};

//! The wanted frames of a video stretch, if they decode by themselves and nothing else lies between
//! them: then copying is exact.
std::optional<Selection> exact_copy(const Stretch& stretch);

//! The shortest stretch that decodes by itself and contains the wanted frames, for decoding; some
//! of it is not shown. nullopt when the objects do not contain the needed key frame.
std::optional<Selection> decodable(const Stretch& stretch);

//! The wanted frames of an audio stretch. With `lead_in` also the frame in which the range begins
//! and the one before it, which decoders need to be exact.
Selection audio_copy(const Stretch& stretch, bool lead_in);

//! Stretches of `range` in which there is no media.
std::vector<time::TimeRange> find_gaps(const std::vector<Piece>& pieces,
                                       const time::TimeRange& range);

//! Can samples of these stretches follow each other in one track?
bool joinable(const std::vector<Stretch>& stretches);

}  // namespace reel::cli
