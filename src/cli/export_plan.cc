#include "cli/export_plan.h"

#include <algorithm>

#include "cli/ratio.h"

namespace reel::cli {
namespace {

bool same_decoder(const TrackInfo& a, const TrackInfo& b) {
  return a.timescale == b.timescale && a.sample_entry == b.sample_entry &&
         a.decoder_config == b.decoder_config && a.width == b.width && a.height == b.height;
}

bool uses_object_to_its_end(const Piece& piece) {
  return std::all_of(piece.object->samples.begin(), piece.object->samples.end(),
                     [&](const Sample& sample) { return piece.time_of(sample) < piece.end; });
}

bool uses_object_from_its_start(const Piece& piece) {
  return std::all_of(piece.object->samples.begin(), piece.object->samples.end(),
                     [&](const Sample& sample) { return piece.time_of(sample) >= piece.start; });
}

bool continues(const Piece& previous, const Piece& next) {
  return previous.end == next.start && previous.ts_offset == next.ts_offset &&
         same_decoder(previous.object->info, next.object->info) &&
         uses_object_to_its_end(previous) && uses_object_from_its_start(next);
}

void append(Stretch& stretch, const Piece& piece) {
  for (const Sample& sample : piece.object->samples) {
    const time::Int128 at = piece.time_of(sample);
    stretch.samples.push_back({sample, piece.object, at, piece.start <= at && at < piece.end});
  }
  stretch.end = piece.end;
}

//! One piece for neighbouring parts of the same object at the same offset.
std::vector<Piece> merged(const std::vector<Piece>& pieces) {
  std::vector<Piece> out;
  for (const Piece& piece : pieces) {
    if (!out.empty() && out.back().object == piece.object && out.back().end == piece.start &&
        out.back().ts_offset == piece.ts_offset) {
      out.back().end = piece.end;
    } else {
      out.push_back(piece);
    }
  }
  return out;
}

//! First and last wanted sample in decode order; nullopt when none is wanted.
std::optional<Selection> wanted_span(const Stretch& stretch) {
  const auto is_wanted = [](const StretchSample& sample) { return sample.wanted; };
  const auto first = std::find_if(stretch.samples.begin(), stretch.samples.end(), is_wanted);
  if (first == stretch.samples.end()) return std::nullopt;
  const auto last = std::find_if(stretch.samples.rbegin(), stretch.samples.rend(), is_wanted);
  return Selection{static_cast<std::size_t>(first - stretch.samples.begin()),
                   static_cast<std::size_t>(stretch.samples.rend() - last)};
}

time::Int128 earliest_wanted(const Stretch& stretch) {
  time::Int128 earliest = stretch.end;
  for (const StretchSample& sample : stretch.samples) {
    if (sample.wanted) earliest = std::min(earliest, sample.time);
  }
  return earliest;
}

}  // namespace

time::Int128 Piece::time_of(const Sample& sample) const {
  return ticks_to_nanoseconds(sample.pts, object->info.timescale) + ts_offset;
}

std::vector<Stretch> make_stretches(const std::vector<Piece>& pieces) {
  std::vector<Stretch> stretches;
  const Piece* previous = nullptr;
  const std::vector<Piece> joined = merged(pieces);
  for (const Piece& piece : joined) {
    if (previous == nullptr || !continues(*previous, piece)) {
      stretches.push_back({piece.ts_offset, piece.start, piece.end, {}});
    }
    append(stretches.back(), piece);
    previous = &piece;
  }
  std::erase_if(stretches, [](const Stretch& stretch) { return !wanted_span(stretch); });
  return stretches;
}

std::optional<Selection> exact_copy(const Stretch& stretch) {
  const auto span = wanted_span(stretch);
  if (!span) return std::nullopt;
  const auto first = stretch.samples.begin() + static_cast<std::ptrdiff_t>(span->first);
  const auto last = stretch.samples.begin() + static_cast<std::ptrdiff_t>(span->last);
  const bool alone = std::all_of(first, last, [](const StretchSample& s) { return s.wanted; });
  // Frames shown before the key frame would need the group of pictures before it.
  if (!alone || !first->sample.sync || first->time != earliest_wanted(stretch)) return std::nullopt;
  return span;
}

std::optional<Selection> decodable(const Stretch& stretch) {
  const auto span = wanted_span(stretch);
  if (!span) return std::nullopt;
  const time::Int128 earliest = earliest_wanted(stretch);
  for (std::size_t i = span->first + 1; i-- > 0;) {
    const StretchSample& sample = stretch.samples[i];
    if (sample.sample.sync && sample.time <= earliest) return Selection{i, span->last};
  }
  return std::nullopt;
}

Selection audio_copy(const Stretch& stretch, bool lead_in) {
  Selection selection = wanted_span(stretch).value_or(Selection{});
  if (!lead_in) return selection;
  if (stretch.samples[selection.first].time > stretch.start && selection.first > 0)
    --selection.first;
  if (selection.first > 0) --selection.first;
  return selection;
}

std::vector<time::TimeRange> find_gaps(const std::vector<Piece>& pieces,
                                       const time::TimeRange& range) {
  std::vector<time::TimeRange> gaps;
  const auto add = [&gaps](time::Int128 start, time::Int128 end) {
    const auto stamp = [](time::Int128 t) { return time::Timestamp::from_nanoseconds(t); };
    if (start < end) gaps.push_back(time::TimeRange::half_open(stamp(start), stamp(end)));
  };
  if (pieces.empty()) return {range};
  const auto first = range.first();
  const auto end = range.past_last_nanoseconds();
  if (first) add(first->nanoseconds(), pieces.front().start);
  for (std::size_t i = 1; i < pieces.size(); ++i) add(pieces[i - 1].end, pieces[i].start);
  if (end) add(pieces.back().end, *end);
  return gaps;
}

bool joinable(const std::vector<Stretch>& stretches) {
  return std::all_of(stretches.begin(), stretches.end(), [&](const Stretch& stretch) {
    return same_decoder(stretch.info(), stretches.front().info());
  });
}

}  // namespace reel::cli
