#pragma once
//! HLS playlists (RFC 8216) of flows. Pure functions: no store, no clock.
//!
//! A hole in a flow becomes EXT-X-DISCONTINUITY with a new EXT-X-PROGRAM-DATE-TIME, so that
//! playback goes on behind the hole and the date tells how long it was. EXT-X-GAP would keep the
//! hole on the player's timeline, but ffmpeg 5.1 and VLC do not know the tag and fetch the missing
//! segment. Limit of a player: ffmpeg 5.1 loses the first fMP4 segment after the time inside the
//! media has gone back, as an edit may make it do; transport streams play completely.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "time/time_range.h"

namespace reel::tams {

//! One segment of a flow, as a player shall fetch it. An object that a segment uses in part is
//! played whole: HLS cannot cut inside one.
struct HlsSegment {
  std::string url;        //!< must not change between two playlists of one session
  time::Timestamp start;  //!< on the flow's timeline, TAI
  std::int64_t duration_ns = 0;
  time::Timestamp ts_offset;  //!< time on the flow's timeline minus time inside the media
  std::string init_url;  //!< of fMP4; the same text means the same initialisation. Empty = none
};

enum class HlsKind : std::uint8_t {
  vod,    //!< complete: the player may seek everywhere and never reloads
  event,  //!< grows at its end, nothing is ever removed
  live,   //!< grows at its end and loses segments at its beginning
};

//! Segments in time order. A player that reloads a growing playlist knows segments by their number,
//! so between two calls for one URL segments may only be appended (REQUIRES: what lies behind a
//! hole that may still be filled is not listed yet), and `live` counts what it has removed. The
//! simplest growing playlist is an `event` whose beginning is fixed in its URL: its numbers start
//! at 0.
struct HlsPlaylist {
  HlsKind kind = HlsKind::vod;
  std::vector<HlsSegment> segments;
  //! What was asked for. Segments are listed whole; when the range begins inside the first one, the
  //! player is told to start there, and a comment names both ranges.
  time::TimeRange asked = time::TimeRange::eternity();
  //! The flow's segment_duration, 0 = unknown. Keeps EXT-X-TARGETDURATION constant, as RFC 8216
  //! §6.2.1 demands of growing playlists, while no segment is longer.
  std::int64_t nominal_duration_ns = 0;
  std::uint64_t media_sequence = 0;          //!< segments removed so far
  std::uint64_t discontinuity_sequence = 0;  //!< EXT-X-DISCONTINUITY tags removed so far
};

//! Whether a player must restart its decoders and clocks between two neighbours: there is a hole,
//! or the times inside the media jump (a re-used object), or the initialisation changes.
bool hls_discontinuity(const HlsSegment& before, const HlsSegment& after);

//! The media playlist. Civil dates appear when the timeline is one of clock time, i.e. the first
//! segment begins between 1972 and 9999. Code::unsupported when only some segments have an
//! init_url, which HLS cannot express.
Result<std::string> hls_media_playlist(const HlsPlaylist& playlist);

//! What a master playlist tells about one flow. Zero and empty mean unknown.
struct HlsStream {
  std::string url;     //!< of its media playlist
  std::string name;    //!< shown to users; made unique among the audio streams
  std::string codecs;  //!< RFC 6381, several separated by commas
  std::uint64_t peak_bits_per_second = 0;
  std::uint64_t average_bits_per_second = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t frame_rate_numerator = 0;
  std::uint32_t frame_rate_denominator = 1;
  std::uint32_t channels = 0;
};

//! The master playlist: each video is a variant, in the given order (players start with the first),
//! and all audio streams are alternatives for every video. Without video, each audio stream is a
//! variant. CODECS is left out unless every codec that a variant may need is known, because players
//! refuse what an incomplete list does not mention.
std::string hls_master_playlist(const std::vector<HlsStream>& videos,
                                const std::vector<HlsStream>& audios);

//! "avc1.64001f" from TAMS avc_parameters; empty when one of them is not a byte.
std::string avc_codec(std::int64_t profile, std::int64_t flags, std::int64_t level);

//! "mp4a.40.2" from TAMS mp4_oti, which is an MPEG-4 audio object type; empty when it is none.
std::string aac_codec(std::int64_t mp4_oti);

//! Adds a query parameter that ends like a file name of the container ("…&as=.ts"): ffmpeg
//! since 7.1 refuses segments whose URL ends in no known extension, and object ids have none. Only
//! for URLs of this server, which ignores it; the signatures of others cover the whole query.
void append_extension(std::string& url, std::string_view container);

}  // namespace reel::tams
