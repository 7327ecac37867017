#pragma once
//! Reports of sequences, for programs and for people.

#include <span>
#include <string>

#include "exr/sequence_report.h"
#include "json/writer.h"

namespace reel::exr {

//! "1001-1010, 1012"; of frames that are `step` apart "1001-1009 by 2".
std::string ranges_text(std::span<const FrameRange> ranges, std::int64_t step = 1);

//! The report as one object (docs/guide/exr-sequences.md).
void write_report(json::Writer& out, const SequenceReport& report);

//! A line about the sequence and an indented one for each fault.
std::string report_text(const SequenceReport& report);

}  // namespace reel::exr
