#include "cli/mp4.h"

#include <algorithm>
#include <functional>

#include "cli/ratio.h"

namespace reel::cli {
namespace {

// Sample flags, ISO/IEC 14496-12, 8.8.3.1.
constexpr std::uint32_t kNonSync = 0x00010000;
constexpr std::uint32_t kFlagsSync = 0x02000000;     // depends on no other
constexpr std::uint32_t kFlagsNonSync = 0x01010000;  // depends on others, is not sync

// Flags of tfhd and trun, 8.8.7 and 8.8.8.
constexpr std::uint32_t kBaseDataOffset = 0x1;
constexpr std::uint32_t kSampleDescription = 0x2;
constexpr std::uint32_t kDefaultDuration = 0x8;
constexpr std::uint32_t kDefaultSize = 0x10;
constexpr std::uint32_t kDefaultFlags = 0x20;
constexpr std::uint32_t kDefaultBaseIsMoof = 0x20000;
constexpr std::uint32_t kDataOffset = 0x1;
constexpr std::uint32_t kFirstSampleFlags = 0x4;
constexpr std::uint32_t kSampleDuration = 0x100;
constexpr std::uint32_t kSampleSize = 0x200;
constexpr std::uint32_t kSampleFlags = 0x400;
constexpr std::uint32_t kCompositionOffset = 0x800;

//! Reads big-endian numbers; past the end it reads zeros and remembers.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number(std::size_t width) {
    if (rest_.size() < width) {
      rest_ = {};
      short_ = true;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8 | static_cast<std::uint8_t>(rest_[i]);
    }
    rest_.remove_prefix(width);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  void skip(std::size_t count) {
    short_ = short_ || count > rest_.size();
    rest_.remove_prefix(std::min(count, rest_.size()));
  }

  std::string_view rest() const { return rest_; }
  bool is_short() const { return short_; }

 private:
  std::string_view rest_;
  bool short_ = false;
};

using Visit = std::function<Status(const std::string& type, std::string_view payload,
                                   std::string_view whole)>;

//! Calls `visit` for each box in `bytes`.
Status for_each_box(std::string_view bytes, const Visit& visit) {
  while (!bytes.empty()) {
    REEL_ASSIGN(const auto header, parse_box_header(bytes));
    if (!header || header->size > bytes.size()) return corrupt("an MP4 box is cut short");
    const std::uint64_t size = header->size == 0 ? bytes.size() : header->size;
    REEL_TRY(visit(header->type, bytes.substr(header->header_size, size - header->header_size),
                   bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
  return {};
}

//! The payload of the first box found by following `path`; empty when there is none.
std::string_view find_box(std::string_view bytes, std::initializer_list<std::string_view> path) {
  std::string_view level = bytes;
  for (const std::string_view wanted : path) {
    std::string_view found;
    const Status walked = for_each_box(
        level, [&](const std::string& type, std::string_view payload, std::string_view) {
          if (found.data() == nullptr && type == wanted) found = payload;
          return Status();
        });
    if (!walked && found.data() == nullptr) return {};
    level = found;
  }
  return level;
}

//! One descriptor of ISO/IEC 14496-1, 8.2: tag, length in groups of seven bits, body.
std::string_view find_descriptor(std::string_view bytes, int wanted) {
  Cursor cursor(bytes);
  while (!cursor.rest().empty()) {
    const int tag = cursor.u8();
    std::size_t length = 0;
    for (int i = 0; i < 4; ++i) {
      const std::uint8_t byte = cursor.u8();
      length = length << 7 | (byte & 0x7f);
      if ((byte & 0x80) == 0) break;
    }
    if (length > cursor.rest().size()) return {};
    if (tag == wanted) return cursor.rest().substr(0, length);
    cursor.skip(length);
  }
  return {};
}

//! The AudioSpecificConfig within an "esds" box; empty when there is none.
std::string_view audio_specific_config(std::string_view esds) {
  constexpr int kEsDescriptor = 3;
  constexpr int kDecoderConfig = 4;
  constexpr int kDecoderSpecificInfo = 5;
  if (esds.size() < 4) return {};
  Cursor stream(find_descriptor(esds.substr(4), kEsDescriptor));
  stream.skip(2);
  const std::uint8_t flags = stream.u8();
  if ((flags & 0x80) != 0) stream.skip(2);
  if ((flags & 0x40) != 0) stream.skip(stream.u8());
  if ((flags & 0x20) != 0) stream.skip(2);
  Cursor config(find_descriptor(stream.rest(), kDecoderConfig));
  config.skip(13);
  return find_descriptor(config.rest(), kDecoderSpecificInfo);
}

std::optional<int> audio_object_type(std::string_view config) {
  Cursor specific(config);
  const auto bits = static_cast<unsigned>(specific.number(2));
  if (specific.is_short()) return std::nullopt;
  const unsigned type = bits >> 11;
  // 31 announces six more bits (ISO/IEC 14496-3, 1.6.2.1).
  return static_cast<int>(type == 31 ? 32 + ((bits >> 5) & 0x3f) : type);
}

Status parse_sample_entry(std::string_view stsd, TrackInfo& track) {
  constexpr std::size_t kVideoEntryHead = 78;
  constexpr std::size_t kAudioEntryHead = 28;
  if (stsd.size() < 8) return corrupt("the MP4 has no sample description");
  bool first = true;
  return for_each_box(
      stsd.substr(8),
      [&](const std::string& type, std::string_view entry, std::string_view) -> Status {
        if (!std::exchange(first, false)) return unsupported("several sample descriptions");
        track.sample_entry = type;
        const std::size_t head = track.is_video ? kVideoEntryHead : kAudioEntryHead;
        if (entry.size() < head) return corrupt("the MP4 sample description is cut short");
        const std::string_view boxes = entry.substr(head);
        if (const auto avcc = find_box(boxes, {"avcC"}); avcc.size() >= 4) {
          Cursor cursor(avcc.substr(1));
          track.avc =
              AvcProfile{.profile = cursor.u8(), .flags = cursor.u8(), .level = cursor.u8()};
        }
        if (track.is_video) {
          Cursor size(entry.substr(24));
          track.width = static_cast<int>(size.number(2));
          track.height = static_cast<int>(size.number(2));
        }
        const std::string_view audio_config = audio_specific_config(find_box(boxes, {"esds"}));
        track.audio_object_type = audio_object_type(audio_config);
        if (!audio_config.empty()) {
          track.decoder_config = audio_config;  // the rest of esds are bit rates
          return {};
        }
        return for_each_box(
            boxes,
            [&](const std::string& name, std::string_view, std::string_view whole) -> Status {
              if (name != "btrt") track.decoder_config += whole;
              return {};
            });
      });
}

//! Empty edits delay the track, the first other edit says which media time comes then.
Status parse_edit_list(std::string_view elst, std::int64_t movie_timescale, TrackInfo& track) {
  if (elst.empty()) return {};
  Cursor cursor(elst);
  const bool wide = cursor.u8() == 1;
  cursor.skip(3);
  const std::uint32_t count = cursor.u32();
  for (std::uint32_t i = 0; i < count && !cursor.is_short(); ++i) {
    const std::uint64_t length = cursor.number(wide ? 8 : 4);
    const std::uint64_t raw = cursor.number(wide ? 8 : 4);
    cursor.skip(4);
    const std::int64_t media_time =
        wide ? static_cast<std::int64_t>(raw)
             : std::int64_t{static_cast<std::int32_t>(static_cast<std::uint32_t>(raw))};
    if (media_time >= 0) {
      if (i + 1 < count) return unsupported("an MP4 with several edits");
      track.edit_shift -= media_time;
    } else {
      track.edit_shift +=
          rescale_ticks(static_cast<std::int64_t>(length), movie_timescale, track.timescale);
    }
  }
  return cursor.is_short() ? Status(corrupt("the MP4 edit list is cut short")) : Status();
}

//! mvhd and mdhd: the timescale follows two times, whose width depends on the version.
std::int64_t header_timescale(std::string_view box) {
  Cursor cursor(box);
  const bool wide = cursor.u8() == 1;
  cursor.skip(wide ? 19 : 11);
  return cursor.u32();
}

Status parse_trak(std::string_view trak, std::int64_t movie_timescale, TrackInfo& track) {
  Cursor tkhd(find_box(trak, {"tkhd"}));
  const bool wide = tkhd.u8() == 1;
  tkhd.skip(wide ? 19 : 11);
  track.track_id = tkhd.u32();
  track.timescale = header_timescale(find_box(trak, {"mdia", "mdhd"}));
  const std::string_view hdlr = find_box(trak, {"mdia", "hdlr"});
  track.is_video = hdlr.size() >= 12 && hdlr.substr(8, 4) == "vide";
  if (track.timescale <= 0 || movie_timescale <= 0 || tkhd.is_short()) {
    return corrupt("the MP4 track has no timescale");
  }
  REEL_TRY(parse_edit_list(find_box(trak, {"edts", "elst"}), movie_timescale, track));
  return parse_sample_entry(find_box(trak, {"mdia", "minf", "stbl", "stsd"}), track);
}

struct FragmentDefaults {
  std::uint32_t duration;
  std::uint32_t size;
  std::uint32_t flags;
};

Result<FragmentDefaults> parse_tfhd(std::string_view box, const TrackInfo& track) {
  Cursor cursor(box);
  const std::uint32_t flags = cursor.u32() & 0xffffff;
  if (cursor.u32() != track.track_id) return unsupported("a fragment of another track");
  if ((flags & kBaseDataOffset) != 0) return unsupported("a fragment with file offsets");
  if ((flags & kSampleDescription) != 0) cursor.skip(4);
  FragmentDefaults defaults{track.default_duration, track.default_size, track.default_flags};
  if ((flags & kDefaultDuration) != 0) defaults.duration = cursor.u32();
  if ((flags & kDefaultSize) != 0) defaults.size = cursor.u32();
  if ((flags & kDefaultFlags) != 0) defaults.flags = cursor.u32();
  if (cursor.is_short()) return corrupt("tfhd is cut short");
  return defaults;
}

//! Where the run being read stands.
struct RunPosition {
  std::int64_t dts = 0;
  std::uint64_t offset = 0;
};

Status parse_trun(std::string_view box, const FragmentDefaults& defaults, RunPosition& position,
                  std::vector<Sample>& samples) {
  Cursor cursor(box);
  const std::uint32_t version_flags = cursor.u32();
  const std::uint32_t flags = version_flags & 0xffffff;
  const bool signed_offsets = version_flags >> 24 != 0;
  const std::uint32_t count = cursor.u32();
  if ((flags & kDataOffset) != 0) position.offset = cursor.u32();
  std::optional<std::uint32_t> first_flags;
  if ((flags & kFirstSampleFlags) != 0) first_flags = cursor.u32();
  const bool has_fields =
      (flags & (kSampleDuration | kSampleSize | kSampleFlags | kCompositionOffset)) != 0;
  if (!has_fields && count > 1'000'000) return corrupt("a run of {} samples", count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Sample sample;
    sample.duration = (flags & kSampleDuration) != 0 ? cursor.u32() : defaults.duration;
    sample.size = (flags & kSampleSize) != 0 ? cursor.u32() : defaults.size;
    std::uint32_t sample_flags = (flags & kSampleFlags) != 0 ? cursor.u32() : defaults.flags;
    if (i == 0 && first_flags) sample_flags = *first_flags;
    std::int64_t composition = 0;
    if ((flags & kCompositionOffset) != 0) {
      const std::uint32_t raw = cursor.u32();
      composition = signed_offsets ? std::int64_t{static_cast<std::int32_t>(raw)} : raw;
    }
    if (cursor.is_short()) return corrupt("trun is cut short");
    sample.sync = (sample_flags & kNonSync) == 0;
    sample.dts = position.dts;
    sample.pts = position.dts + composition;
    sample.offset = position.offset;
    position.dts += sample.duration;
    position.offset += sample.size;
    samples.push_back(sample);
  }
  return {};
}

void put(std::string& out, std::uint64_t value, int width) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> shift)));
  }
}

//! Writes a box around what `content` appends.
void put_box(std::string& out, std::string_view type, const std::function<void()>& content) {
  const std::size_t start = out.size();
  put(out, 0, 4);
  out += type;
  content();
  std::string size;
  put(size, out.size() - start, 4);
  out.replace(start, 4, size);
}

bool is_dropped(const std::string& type) { return type == "edts" || type == "udta"; }

bool same_durations(const std::vector<Sample>& samples) {
  return std::all_of(samples.begin(), samples.end(),
                     [&](const Sample& s) { return s.duration == samples[0].duration; });
}

void put_trun(std::string& out, const std::vector<Sample>& samples, bool durations) {
  const bool all_sync =
      std::all_of(samples.begin(), samples.end(), [](const Sample& s) { return s.sync; });
  const bool offsets =
      std::any_of(samples.begin(), samples.end(), [](const Sample& s) { return s.pts != s.dts; });
  const bool negative =
      std::any_of(samples.begin(), samples.end(), [](const Sample& s) { return s.pts < s.dts; });
  put(out, negative ? 1 : 0, 1);
  put(out,
      kDataOffset | kSampleSize | (durations ? kSampleDuration : 0) |
          (all_sync ? 0 : kSampleFlags) | (offsets ? kCompositionOffset : 0),
      3);
  put(out, samples.size(), 4);
  put(out, 0, 4);  // data offset, known when the moof is complete
  for (const Sample& sample : samples) {
    if (durations) put(out, static_cast<std::uint64_t>(sample.duration), 4);
    put(out, sample.size, 4);
    if (!all_sync) put(out, sample.sync ? kFlagsSync : kFlagsNonSync, 4);
    if (offsets) put(out, static_cast<std::uint64_t>(sample.pts - sample.dts), 4);
  }
}

}  // namespace

Result<std::optional<BoxHeader>> parse_box_header(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  Cursor cursor(bytes);
  BoxHeader header;
  header.size = cursor.u32();
  header.type = bytes.substr(4, 4);
  header.header_size = 8;
  cursor.skip(4);
  if (header.size == 1) {
    if (bytes.size() < 16) return std::nullopt;
    header.size = cursor.u64();
    header.header_size = 16;
  }
  if (header.size != 0 && header.size < header.header_size) return corrupt("not an MP4 box");
  return header;
}

Result<TrackInfo> parse_init(std::string_view bytes) {
  const std::string_view moov = find_box(bytes, {"moov"});
  if (moov.empty()) return corrupt("no MP4 initialisation segment: it has no moov box");
  const std::int64_t movie_timescale = header_timescale(find_box(moov, {"mvhd"}));
  TrackInfo track;
  int tracks = 0;
  REEL_TRY(for_each_box(
      moov, [&](const std::string& type, std::string_view payload, std::string_view) -> Status {
        if (type != "trak") return {};
        if (++tracks > 1) return unsupported("an MP4 with several tracks");
        return parse_trak(payload, movie_timescale, track);
      }));
  if (tracks == 0) return corrupt("the MP4 has no track");
  Cursor trex(find_box(moov, {"mvex", "trex"}));
  trex.skip(12);
  track.default_duration = trex.u32();
  track.default_size = trex.u32();
  track.default_flags = trex.u32();
  if (trex.is_short()) return unsupported("an MP4 without fragments");
  return track;
}

Result<std::vector<Sample>> parse_moof(std::string_view box, const TrackInfo& track) {
  std::vector<Sample> samples;
  int tracks = 0;
  REEL_TRY(for_each_box(
      find_box(box, {"moof"}),
      [&](const std::string& type, std::string_view traf, std::string_view) -> Status {
        if (type != "traf") return {};
        if (++tracks > 1) return unsupported("a fragment with several tracks");
        REEL_ASSIGN(const FragmentDefaults defaults, parse_tfhd(find_box(traf, {"tfhd"}), track));
        Cursor tfdt(find_box(traf, {"tfdt"}));
        const bool wide = tfdt.u8() == 1;
        tfdt.skip(3);
        RunPosition position;
        position.dts = static_cast<std::int64_t>(tfdt.number(wide ? 8 : 4)) + track.edit_shift;
        if (tfdt.is_short()) return unsupported("a fragment without decode time");
        return for_each_box(
            traf,
            [&](const std::string& inner, std::string_view payload, std::string_view) -> Status {
              return inner == "trun" ? parse_trun(payload, defaults, position, samples) : Status();
            });
      }));
  if (samples.empty()) return corrupt("a fragment without samples");
  return samples;
}

Result<std::string> plain_init(std::string_view init) {
  std::string out;
  const auto copy_moov = [&](std::string_view moov) {
    return for_each_box(
        moov,
        [&](const std::string& type, std::string_view payload, std::string_view whole) -> Status {
          if (is_dropped(type)) return {};
          if (type != "trak") {
            out += whole;
            return {};
          }
          Status status;
          put_box(out, type, [&] {
            status = for_each_box(payload,
                                  [&](const std::string& inner, std::string_view,
                                      std::string_view inner_whole) -> Status {
                                    if (!is_dropped(inner)) out += inner_whole;
                                    return {};
                                  });
          });
          return status;
        });
  };
  REEL_TRY(for_each_box(
      init,
      [&](const std::string& type, std::string_view payload, std::string_view whole) -> Status {
        if (type == "ftyp") out += whole;
        if (type != "moov") return {};
        Status status;
        put_box(out, type, [&] { status = copy_moov(payload); });
        return status;
      }));
  return out;
}

std::string fragment_head(std::uint32_t sequence, std::uint32_t track_id,
                          const std::vector<Sample>& samples) {
  REEL_CHECK(!samples.empty() && samples[0].dts >= 0);
  std::uint64_t bytes = 0;
  for (const Sample& sample : samples) bytes += sample.size;
  REEL_CHECK(bytes < 0xffffff00);
  const bool durations = !same_durations(samples);

  std::string out;
  std::size_t trun_start = 0;
  put_box(out, "moof", [&] {
    put_box(out, "mfhd", [&] { put(out, 0, 4), put(out, sequence, 4); });
    put_box(out, "traf", [&] {
      put_box(out, "tfhd", [&] {
        put(out, kDefaultBaseIsMoof | kDefaultFlags | (durations ? 0 : kDefaultDuration), 4);
        put(out, track_id, 4);
        if (!durations) put(out, static_cast<std::uint64_t>(samples[0].duration), 4);
        put(out, samples[0].sync ? kFlagsSync : kFlagsNonSync, 4);
      });
      put_box(out, "tfdt", [&] {
        put(out, 0x01000000, 4), put(out, static_cast<std::uint64_t>(samples[0].dts), 8);
      });
      trun_start = out.size();
      put_box(out, "trun", [&] { put_trun(out, samples, durations); });
    });
  });
  // The data offset is the third number of trun: after the box header, flags and sample count.
  std::string data_offset;
  put(data_offset, out.size() + 8, 4);
  out.replace(trun_start + 16, 4, data_offset);
  put(out, bytes + 8, 4);
  out += "mdat";
  return out;
}

Result<std::optional<BoxSplitter::Box>> BoxSplitter::next() {
  REEL_ASSIGN(const auto header, parse_box_header(buffer_));
  if (!header) return std::nullopt;
  if (header->size == 0) return unsupported("an MP4 box of unknown length");
  if (header->size > box_bytes_max_) {
    return too_large("an MP4 box of {} bytes; the limit is {}", header->size, box_bytes_max_);
  }
  if (buffer_.size() < header->size) return std::nullopt;
  Box box{header->type, buffer_.substr(0, header->size)};
  buffer_.erase(0, header->size);
  return box;
}

}  // namespace reel::cli
