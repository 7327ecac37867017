#include "tams/hls.h"

#include <algorithm>
#include <set>

#include "base/clock.h"

namespace reel::tams {
namespace {

using time::Int128;

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

//! Holes shorter than this come from rounding to the time scale of a container.
constexpr Int128 kHoleMinNs = 1'000'000;

//! BANDWIDTH is mandatory; these stand for what nobody has told.
constexpr std::uint64_t kVideoBitsPerSecond = 5'000'000;
constexpr std::uint64_t kAudioBitsPerSecond = 128'000;

constexpr std::string_view kAudioGroup = "audio";

//! A URL may come from outside: nothing in it may end the line, close a quoted string or look like
//! a tag.
void append_url(std::string& out, std::string_view url) {
  for (std::size_t i = 0; i < url.size(); ++i) {
    const auto byte = static_cast<unsigned char>(url[i]);
    if (byte <= ' ' || byte == 0x7f || byte == '"' || (i == 0 && byte == '#')) {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += url[i];
    }
  }
}

//! A quoted string cannot hold quotes and control characters.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < ' ' || byte == 0x7f ? ' ' : c == '"' ? '\'' : c;
  }
  return out + '"';
}

//! Exact seconds without trailing zeros, so that the sum of many durations does not drift.
std::string seconds(Int128 nanoseconds) {
  std::string text = time::Timestamp::from_nanoseconds(nanoseconds).to_decimal_seconds();
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

Int128 end_of(const HlsSegment& segment) {
  return segment.start.nanoseconds() + segment.duration_ns;
}

std::int64_t target_duration(const HlsPlaylist& playlist) {
  std::int64_t longest = playlist.nominal_duration_ns;
  for (const auto& segment : playlist.segments) longest = std::max(longest, segment.duration_ns);
  const std::int64_t nearest = (longest + kNanosecondsPerSecond / 2) / kNanosecondsPerSecond;
  return std::max<std::int64_t>(nearest, 1);
}

Instant civil_time(time::Timestamp at) {
  constexpr Int128 kOffsetNs = Int128{time::kTaiMinusUtcSeconds} * kNanosecondsPerSecond;
  return {static_cast<std::int64_t>((at.nanoseconds() - kOffsetNs) / 1000)};
}

bool is_clock_time(time::Timestamp at) {
  constexpr Int128 kFirst = Int128{63'072'000 + 37} * kNanosecondsPerSecond;
  constexpr Int128 kEnd = Int128{253'402'300'800 + 37} * kNanosecondsPerSecond;
  return at.nanoseconds() >= kFirst && at.nanoseconds() < kEnd;
}

void append_date(std::string& out, time::Timestamp at) {
  std::string date = civil_time(at).to_string();
  date.replace(date.size() - 4, 3, "");  // milliseconds are what players read
  out += fmt::format("#EXT-X-PROGRAM-DATE-TIME:{}\n", date);
}

void append_asked(std::string& out, const HlsPlaylist& playlist) {
  if (playlist.segments.empty() || playlist.asked.is_never()) return;
  const Int128 end =
      std::min(end_of(playlist.segments.back()), time::Timestamp::max().nanoseconds());
  const auto listed = time::TimeRange::half_open(playlist.segments.front().start,
                                                 time::Timestamp::from_nanoseconds(end));
  if (playlist.asked.covers(listed)) return;
  const auto first = playlist.asked.first();
  if (first && *first > playlist.segments.front().start) {
    out +=
        fmt::format("#EXT-X-START:TIME-OFFSET={},PRECISE=YES\n",
                    seconds(first->nanoseconds() - playlist.segments.front().start.nanoseconds()));
  }
  out += fmt::format("# asked for {}, whole segments are {}\n", playlist.asked.to_string(),
                     listed.to_string());
}

void append_head(std::string& out, const HlsPlaylist& playlist, bool has_init) {
  out += fmt::format(
      "#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{}\n",
      has_init ? 6 : 3, target_duration(playlist), playlist.media_sequence);
  if (playlist.discontinuity_sequence > 0) {
    out += fmt::format("#EXT-X-DISCONTINUITY-SEQUENCE:{}\n", playlist.discontinuity_sequence);
  }
  if (playlist.kind == HlsKind::vod) out += "#EXT-X-PLAYLIST-TYPE:VOD\n";
  if (playlist.kind == HlsKind::event) out += "#EXT-X-PLAYLIST-TYPE:EVENT\n";
  append_asked(out, playlist);
}

//! What a variant needs at most: its own rate and the highest among the audio streams.
struct Rates {
  std::uint64_t peak;
  std::uint64_t average;  //!< 0 = unknown
};

Rates rates_of(const HlsStream& stream, std::uint64_t assumed) {
  const std::uint64_t average = stream.average_bits_per_second;
  const std::uint64_t peak = std::max(stream.peak_bits_per_second, average);
  return {peak > 0 ? peak : assumed, average};
}

Rates with_audio(Rates rates, const std::vector<HlsStream>& audios) {
  Rates most{0, 0};
  for (const auto& audio : audios) {
    const Rates own = rates_of(audio, kAudioBitsPerSecond);
    most.peak = std::max(most.peak, own.peak);
    most.average = std::max(most.average, own.average);
    if (own.average == 0) rates.average = 0;
  }
  return {rates.peak + most.peak, rates.average > 0 ? rates.average + most.average : 0};
}

//! Every codec that the variant may need, each once; empty when one of them is unknown.
std::string codecs_of(const HlsStream& stream, const std::vector<HlsStream>& audios) {
  std::string codecs = stream.codecs;
  std::set<std::string_view> seen = {stream.codecs};
  for (const auto& audio : audios) {
    if (seen.insert(audio.codecs).second) codecs += "," + audio.codecs;
  }
  return seen.contains("") ? "" : codecs;
}

void append_variant(std::string& out, const HlsStream& stream, Rates rates,
                    const std::vector<HlsStream>& audios) {
  out += fmt::format("#EXT-X-STREAM-INF:BANDWIDTH={}", rates.peak);
  if (rates.average > 0) out += fmt::format(",AVERAGE-BANDWIDTH={}", rates.average);
  const std::string codecs = codecs_of(stream, audios);
  if (!codecs.empty()) out += ",CODECS=" + quoted(codecs);
  if (stream.width > 0 && stream.height > 0) {
    out += fmt::format(",RESOLUTION={}x{}", stream.width, stream.height);
  }
  if (stream.frame_rate_numerator > 0 && stream.frame_rate_denominator > 0) {
    out += fmt::format(",FRAME-RATE={:.3f}", static_cast<double>(stream.frame_rate_numerator) /
                                                 stream.frame_rate_denominator);
  }
  if (!audios.empty()) out += fmt::format(",AUDIO=\"{}\"", kAudioGroup);
  out += '\n';
  append_url(out, stream.url);
  out += '\n';
}

//! RFC 8216 §4.3.4.1.1: names differ within a group, and only the default may be chosen unasked,
//! as we know no language that would tell the others apart.
void append_audio_group(std::string& out, const std::vector<HlsStream>& audios) {
  std::set<std::string> names;
  for (const auto& audio : audios) {
    const std::string base = audio.name.empty() ? "Audio" : audio.name;
    std::string name = quoted(base);
    for (int number = 2; !names.insert(name).second; ++number) {
      name = quoted(fmt::format("{} {}", base, number));
    }
    out += fmt::format("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME={}", kAudioGroup, name);
    out += &audio == &audios.front() ? ",DEFAULT=YES,AUTOSELECT=YES" : ",DEFAULT=NO,AUTOSELECT=NO";
    if (audio.channels > 0) out += fmt::format(",CHANNELS=\"{}\"", audio.channels);
    out += ",URI=\"";
    append_url(out, audio.url);
    out += "\"\n";
  }
}

}  // namespace

bool hls_discontinuity(const HlsSegment& before, const HlsSegment& after) {
  return after.start.nanoseconds() - end_of(before) >= kHoleMinNs ||
         after.ts_offset != before.ts_offset || after.init_url != before.init_url;
}

Result<std::string> hls_media_playlist(const HlsPlaylist& playlist) {
  const auto& segments = playlist.segments;
  const bool has_init = !segments.empty() && !segments.front().init_url.empty();
  const bool has_dates = !segments.empty() && is_clock_time(segments.front().start) &&
                         is_clock_time(segments.back().start);
  std::string out;
  append_head(out, playlist, has_init);
  const HlsSegment* before = nullptr;
  for (const auto& segment : segments) {
    if (segment.init_url.empty() == has_init) {
      return unsupported("some segments need an initialisation and some have none, from {} on",
                         segment.start.to_string());
    }
    const bool discontinuity = before != nullptr && hls_discontinuity(*before, segment);
    if (discontinuity) out += "#EXT-X-DISCONTINUITY\n";
    if (has_init && (before == nullptr || segment.init_url != before->init_url)) {
      out += "#EXT-X-MAP:URI=\"";
      append_url(out, segment.init_url);
      out += "\"\n";
    }
    if (has_dates && (before == nullptr || discontinuity)) append_date(out, segment.start);
    out += fmt::format("#EXTINF:{},\n", seconds(segment.duration_ns));
    append_url(out, segment.url);
    out += '\n';
    before = &segment;
  }
  if (playlist.kind == HlsKind::vod) out += "#EXT-X-ENDLIST\n";
  return out;
}

std::string hls_master_playlist(const std::vector<HlsStream>& videos,
                                const std::vector<HlsStream>& audios) {
  std::string out = "#EXTM3U\n#EXT-X-VERSION:3\n";
  if (videos.empty()) {
    for (const auto& audio : audios) {
      append_variant(out, audio, rates_of(audio, kAudioBitsPerSecond), {});
    }
    return out;
  }
  append_audio_group(out, audios);
  for (const auto& video : videos) {
    append_variant(out, video, with_audio(rates_of(video, kVideoBitsPerSecond), audios), audios);
  }
  return out;
}

std::string avc_codec(std::int64_t profile, std::int64_t flags, std::int64_t level) {
  for (const std::int64_t value : {profile, flags, level}) {
    if (value < 0 || value > 255) return "";
  }
  return fmt::format("avc1.{:02x}{:02x}{:02x}", profile, flags, level);
}

std::string aac_codec(std::int64_t mp4_oti) {
  if (mp4_oti < 1 || mp4_oti > 95) return "";
  return fmt::format("mp4a.40.{}", mp4_oti);
}

void append_extension(std::string& url, std::string_view container) {
  std::string_view extension;
  if (container == "video/mp2t") extension = ".ts";
  if (container == "video/mp4" || container == "audio/mp4" || container == "video/iso.segment" ||
      container == "audio/iso.segment") {
    extension = ".mp4";
  }
  if (container == "audio/aac") extension = ".aac";
  if (container == "audio/mpeg") extension = ".mp3";
  if (extension.empty()) return;
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += "as=";
  url += extension;
}

}  // namespace reel::tams
