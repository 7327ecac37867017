#pragma once
//! Media objects of a flow as samples that can be picked.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/mp4.h"
#include "cli/temp_directory.h"

namespace reel::cli {

//! A downloaded object: one track's samples, on the object's own timeline.
struct MediaObject {
  std::string path;
  std::string init;  //!< without edit list: times of samples are what fragments say
  TrackInfo info;
  std::vector<Sample> samples;  //!< in decode order; offsets count from the start of the file
};

//! Reads `path`, whose initialisation segment is `init` (empty when it needs none). Fragmented MP4
//! with one track is read as it is, anything else is first rewrapped by ffmpeg, without decoding;
//! of several tracks the first of the wanted kind is taken.
Result<MediaObject> load_object(const std::string& path, std::string_view init, bool is_video,
                                const TempDirectory& temp);

//! Reads the output of an encoder: fragmented MP4 in one file.
Result<MediaObject> load_fragmented_file(const std::string& path);

//! Appends one fragment with the bytes of `samples`, which are read from their objects.
struct SampleSource {
  Sample sample;  //!< times as they shall be written
  const MediaObject* object = nullptr;
};

//! Writes one track's file: initialisation segment and fragments. REQUIRES: samples not empty, in
//! decode order, of objects that share `init`.
Status write_track(const std::string& path, const std::string& init, std::uint32_t track_id,
                   const std::vector<SampleSource>& samples);

}  // namespace reel::cli
