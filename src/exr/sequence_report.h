#pragma once
//! What is wrong with, or odd about, a sequence.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exr/finding.h"
#include "exr/sequence_names.h"
#include "exr/sequence_shape.h"

namespace reel::exr {

//! Frames `first`, `first` + step … `last`.
struct FrameRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  friend bool operator==(const FrameRange&, const FrameRange&) = default;
};

//! Frames of a sequence that have something in common that they should not have. Codes:
//! frames_missing, frame_duplicate, padding_mixed, file_broken, header_differs,
//! data_window_differs, size_differs, time_code_invalid, time_code_jump, image_counter_jump.
struct SequenceFault {
  std::string_view code;
  Severity severity = Severity::error;
  std::vector<FrameRange> frames;
  std::string message;  //!< "layer Depth missing"
};

struct SequenceReport {
  std::string pattern;
  SequenceKind kind = SequenceKind::frames;
  std::int64_t first = 0;
  std::int64_t last = 0;
  //! The greatest number that all distances are multiples of: 2 for a sequence on twos.
  std::int64_t step = 1;
  std::size_t files = 0;
  std::uint64_t size_bytes = 0;
  std::vector<FrameRange> ranges;  //!< of frames that are there
  std::vector<SequenceFault> faults;
  //! What changes so much that no value is the rule: "data window (873 values)".
  std::vector<std::string> varying;
  // Time codes of the frames that have a valid one.
  std::optional<FrameRate> rate;  //!< as declared, else the one at which most time codes fit
  bool rate_declared = false;
};

//! Compares the frames with each other. What most of them have is the rule, and a fault says which
//! frames are otherwise. Tiles are compared as frames are, but none of them can be missing.
//! REQUIRES: one record for each file, in the same order.
SequenceReport report_sequence(const NameSequence& sequence, std::span<const FrameRecord> records,
                               const FrameShapes& shapes);

}  // namespace reel::exr
