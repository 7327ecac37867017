#include "cli/export_media.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/probe.h"
#include "cli/process.h"
#include "cli/segmenter.h"

namespace reel::cli {
namespace {

constexpr std::uint64_t kMoofBytesMax = std::uint64_t{64} << 20;

//! Calls `visit` with each top-level box of a file: header and position.
Status walk_file(std::ifstream& file, const std::string& path,
                 const std::function<Status(const BoxHeader&, std::uint64_t)>& visit) {
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::uint64_t>(file.tellg());
  for (std::uint64_t at = 0; at < size;) {
    char head[16] = {};
    file.clear();
    file.seekg(static_cast<std::streamoff>(at));
    file.read(head, sizeof head);
    const auto got = static_cast<std::size_t>(file.gcount());
    REEL_ASSIGN(auto header, parse_box_header({head, got}));
    if (!header) return corrupt("{} ends within a box", path);
    if (header->size == 0) header->size = size - at;
    if (header->size > size - at) return corrupt("{} ends within a box", path);
    file.clear();
    REEL_TRY(visit(*header, at));
    at += header->size;
  }
  return {};
}

Result<std::string> read_range(std::ifstream& file, std::uint64_t at, std::uint64_t size) {
  std::string bytes(size, '\0');
  file.seekg(static_cast<std::streamoff>(at));
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!file) return io("a media file was cut short");
  return bytes;
}

//! Fills in the samples of every fragment in the file.
Status read_fragments(MediaObject& object) {
  std::ifstream file(object.path, std::ios::binary);
  if (!file) return io("cannot read {}: {}", object.path, std::strerror(errno));
  const std::uint64_t size = std::filesystem::file_size(object.path);
  return walk_file(file, object.path, [&](const BoxHeader& header, std::uint64_t at) -> Status {
    if (header.type != "moof") return {};
    if (header.size > kMoofBytesMax)
      return too_large("a fragment's index of {} bytes", header.size);
    REEL_ASSIGN(const std::string moof, read_range(file, at, header.size));
    REEL_ASSIGN(const auto samples, parse_moof(moof, object.info));
    for (Sample sample : samples) {
      sample.offset += at;
      if (sample.offset > size || size - sample.offset < sample.size) {
        return corrupt("a fragment points outside of its file");
      }
      object.samples.push_back(sample);
    }
    return {};
  });
}

Result<MediaObject> load_plain(const std::string& path, std::string_view init, bool is_video) {
  MediaObject object;
  object.path = path;
  REEL_ASSIGN(object.info, parse_init(init));
  REEL_ASSIGN(object.init, plain_init(init));
  if (object.info.is_video != is_video) return unsupported("a track of another kind");
  REEL_TRY(read_fragments(object));
  if (object.samples.empty()) return unsupported("no fragments");
  return object;
}

//! Rewraps with every time moved up, as ingest does, and moves the samples back.
Result<MediaObject> load_rewrapped(const std::string& path, std::string_view init, bool is_video,
                                   const TempDirectory& temp) {
  std::string whole = path;
  if (!init.empty()) {
    whole = temp.file("whole");
    REEL_ASSIGN(const std::string media, read_file(path));
    REEL_TRY(write_file(whole, std::string(init) + media));
  }
  const std::string rewrapped = path + ".mp4";
  std::vector<std::string> command = {"ffmpeg",
                                      "-nostdin",
                                      "-v",
                                      "error",
                                      "-y",
                                      "-copyts",
                                      "-i",
                                      whole,
                                      "-map",
                                      is_video ? "0:v:0" : "0:a:0",
                                      "-c",
                                      "copy",
                                      "-map_metadata",
                                      "-1",
                                      "-fflags",
                                      "+bitexact",
                                      "-output_ts_offset",
                                      std::to_string(kObjectTimelineShiftSeconds),
                                      "-movflags",
                                      "delay_moov+default_base_moof+frag_discont+frag_keyframe"};
  if (!is_video) {
    command.insert(command.end(), {"-frag_duration", "500000"});
    REEL_ASSIGN(const InputInfo probed, probe_input({whole, {}}));
    // ffmpeg adds this by itself, but not when it writes fragments.
    const auto audio = std::find_if(probed.streams.begin(), probed.streams.end(),
                                    [](const StreamInfo& stream) { return !stream.is_video; });
    if (audio != probed.streams.end() && audio->codec == "aac") {
      command.insert(command.end(), {"-bsf:a", "aac_adtstoasc"});
    }
  }
  command.insert(command.end(), {"-f", "mp4", rewrapped});
  REEL_TRY(run_and_capture(command));
  REEL_ASSIGN(MediaObject object, load_fragmented_file(rewrapped));
  const std::int64_t shift = kObjectTimelineShiftSeconds * object.info.timescale;
  for (Sample& sample : object.samples) {
    sample.pts -= shift;
    sample.dts -= shift;
  }
  return object;
}

//! Copies the bytes of samples that lie anywhere in their objects' files.
class SampleCopier {
 public:
  explicit SampleCopier(std::ofstream& out) : out_(out) {}

  Status copy(const SampleSource& source) {
    if (source.object->path != open_path_) {
      in_ = std::ifstream(source.object->path, std::ios::binary);
      open_path_ = source.object->path;
    }
    buffer_.resize(source.sample.size);
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(source.sample.offset));
    in_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    if (!in_) return io("cannot read {}: {}", open_path_, std::strerror(errno));
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    return {};
  }

 private:
  std::ofstream& out_;
  std::ifstream in_;
  std::string open_path_;
  std::string buffer_;
};

}  // namespace

Result<MediaObject> load_object(const std::string& path, std::string_view init, bool is_video,
                                const TempDirectory& temp) {
  if (!init.empty()) {
    auto object = load_plain(path, init, is_video);
    if (object || object.error().code() != Code::unsupported) return object;
  }
  return load_rewrapped(path, init, is_video, temp);
}

Result<MediaObject> load_fragmented_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return io("cannot read {}: {}", path, std::strerror(errno));
  std::string init;
  REEL_TRY(walk_file(file, path, [&](const BoxHeader& header, std::uint64_t at) -> Status {
    if (header.type != "ftyp" && header.type != "moov") return {};
    if (header.size > kMoofBytesMax) return too_large("an MP4 header of {} bytes", header.size);
    REEL_ASSIGN(const std::string box, read_range(file, at, header.size));
    init += box;
    return {};
  }));
  MediaObject object;
  object.path = path;
  REEL_ASSIGN(object.info, parse_init(init));
  REEL_ASSIGN(object.init, plain_init(init));
  REEL_TRY(read_fragments(object));
  return object;
}

Status write_track(const std::string& path, const std::string& init, std::uint32_t track_id,
                   const std::vector<SampleSource>& samples) {
  constexpr std::size_t kSamplesPerFragment = 500;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(init.data(), static_cast<std::streamsize>(init.size()));
  SampleCopier copier(out);
  std::uint32_t sequence = 0;
  for (std::size_t first = 0; first < samples.size(); first += kSamplesPerFragment) {
    const std::size_t end = std::min(first + kSamplesPerFragment, samples.size());
    std::vector<Sample> fragment;
    for (std::size_t i = first; i < end; ++i) fragment.push_back(samples[i].sample);
    const std::string head = fragment_head(++sequence, track_id, fragment);
    out.write(head.data(), static_cast<std::streamsize>(head.size()));
    for (std::size_t i = first; i < end; ++i) REEL_TRY(copier.copy(samples[i]));
  }
  out.close();
  if (!out) return io("cannot write {}: {}", path, std::strerror(errno));
  return {};
}

}  // namespace reel::cli
