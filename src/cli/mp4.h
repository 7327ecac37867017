#pragma once
//! Fragmented MP4 (ISO/IEC 14496-12) with one track: reads what ffmpeg writes, and writes media
//! segments of exactly the samples that are wanted.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace reel::cli {

//! H.264 as AVCDecoderConfigurationRecord gives it (ISO/IEC 14496-15, 5.3.3.1).
struct AvcProfile {
  int profile = 0;
  int flags = 0;
  int level = 0;
};

//! What an initialisation segment says about its only track.
struct TrackInfo {
  std::uint32_t track_id = 0;
  std::int64_t timescale = 0;
  bool is_video = false;
  std::string sample_entry;  //!< "avc1", "mp4a", …
  int width = 0;             //!< of video
  int height = 0;
  //! What a decoder is set up with. Streams of equal sample_entry and decoder_config can be joined.
  std::string decoder_config;
  std::optional<AvcProfile> avc;
  std::optional<int> audio_object_type;  //!< of MPEG-4 audio; 2 is AAC-LC
  //! Added to a sample's decode and composition time it gives the time that players see
  //! (the edit list), in ticks.
  std::int64_t edit_shift = 0;
  // Defaults of samples whose fragment is silent (trex).
  std::uint32_t default_duration = 0;
  std::uint32_t default_size = 0;
  std::uint32_t default_flags = 0;
};

//! One coded frame. Times are in ticks of the track and include the edit list.
struct Sample {
  std::int64_t dts = 0;
  std::int64_t pts = 0;
  std::int64_t duration = 0;  //!< distance to the next sample's dts
  std::uint32_t size = 0;
  bool sync = false;
  std::uint64_t offset = 0;  //!< of its bytes; what from, the producer says

  std::int64_t end() const { return pts + duration; }
};

//! Reads "ftyp moov". Code::unsupported when there is more than one track or a feature that
//! ffmpeg would have to resolve first; Code::corrupt when it is no initialisation segment.
Result<TrackInfo> parse_init(std::string_view bytes);

//! The samples of one "moof" box; offsets count from the first byte of the box.
Result<std::vector<Sample>> parse_moof(std::string_view box, const TrackInfo& track);

//! The initialisation segment without its edit list and without names of programs: the same bytes
//! for every run over the same stream. Times of samples are then what their fragments say.
Result<std::string> plain_init(std::string_view init);

//! The "moof" and the header of the "mdat" for `samples` in decode order; their bytes, in the same
//! order, must follow. Times are written as they are. REQUIRES: samples not empty, dts >= 0,
//! and less than 4 GiB of data.
std::string fragment_head(std::uint32_t sequence, std::uint32_t track_id,
                          const std::vector<Sample>& samples);

//! Splits a byte stream into boxes of the top level.
class BoxSplitter {
 public:
  struct Box {
    std::string type;
    std::string bytes;  //!< header included
  };

  //! A box of more than `box_bytes_max` is Code::too_large.
  explicit BoxSplitter(std::uint64_t box_bytes_max = std::uint64_t{1} << 30)
      : box_bytes_max_(box_bytes_max) {}

  void append(std::string_view bytes) { buffer_.append(bytes); }
  //! The next whole box; nullopt when more bytes are needed.
  Result<std::optional<Box>> next();
  bool empty() const { return buffer_.empty(); }

 private:
  const std::uint64_t box_bytes_max_;
  std::string buffer_;
};

//! A box's header: its whole size (0: to the end of the file) and how long the header is.
struct BoxHeader {
  std::string type;
  std::uint64_t size = 0;
  std::uint64_t header_size = 0;
};

//! nullopt when `bytes` is too short to tell; 16 bytes always suffice.
Result<std::optional<BoxHeader>> parse_box_header(std::string_view bytes);

}  // namespace reel::cli
