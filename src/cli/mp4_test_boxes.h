#pragma once
//! MP4 boxes made by hand, for tests.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reel::cli::boxes {

inline std::string number(std::uint64_t value, int width) {
  std::string out(static_cast<std::size_t>(std::max(width - 8, 0)), '\0');
  for (int shift = 8 * (std::min(width, 8) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift)));
  }
  return out;
}

inline std::string box(std::string_view type, const std::string& content) {
  return number(content.size() + 8, 4) + std::string(type) + content;
}

inline std::string edit(std::uint32_t movie_duration, std::int32_t media_time) {
  return number(movie_duration, 4) + number(static_cast<std::uint32_t>(media_time), 4) +
         number(0x10000, 4);
}

inline std::string edit_list(const std::vector<std::string>& edits) {
  std::string content = number(0, 4) + number(edits.size(), 4);
  for (const std::string& one : edits) content += one;
  return box("edts", box("elst", content));
}

inline std::string video_entry() {
  std::string head(24, '\0');
  head += number(640, 2) + number(360, 2);
  head.resize(78, '\0');
  const std::string avcc = box("avcC", std::string("\x01\x64\x08\x1f", 4) + "sps");
  return box("avc1", head + avcc + box("btrt", number(0, 12)));
}

inline std::string audio_entry() {
  // ES descriptor { decoder config { audio specific config } }, AAC-LC.
  const std::string specific = std::string("\x05\x02\x12\x10", 4);
  const std::string config =
      std::string("\x04", 1) + number(13 + specific.size(), 1) + std::string(13, '\x40') + specific;
  const std::string stream =
      std::string("\x03", 1) + number(3 + config.size(), 1) + number(0, 3) + config;
  return box("mp4a", std::string(28, '\0') + box("esds", number(0, 4) + stream));
}

inline std::string track(bool video, const std::string& edits) {
  const std::string tkhd = box("tkhd", number(0, 12) + number(7, 4) + number(0, 60));
  const std::string mdhd =
      box("mdhd", number(0, 12) + number(video ? 30000 : 48000, 4) + number(0, 8));
  const std::string hdlr = box("hdlr", number(0, 8) + (video ? "vide" : "soun") + number(0, 13));
  const std::string stsd =
      box("stsd", number(0, 4) + number(1, 4) + (video ? video_entry() : audio_entry()));
  return box("trak", tkhd + edits + box("mdia", mdhd + hdlr + box("minf", box("stbl", stsd))));
}

//! "ftyp moov" with track id 7: 640x360 H.264 in 1/30000 s, or AAC in 1/48000 s.
inline std::string init_segment(bool video, const std::string& edits, int tracks = 1) {
  const std::string mvhd = box("mvhd", number(0, 12) + number(1000, 4) + number(0, 80));
  const std::string trex =
      box("mvex", box("trex", number(0, 4) + number(7, 4) + number(1, 4) + number(0, 12)));
  std::string all;
  for (int i = 0; i < tracks; ++i) all += track(video, edits);
  return box("ftyp", "isom") + box("moov", mvhd + all + trex + box("udta", "a program's name"));
}

}  // namespace reel::cli::boxes
