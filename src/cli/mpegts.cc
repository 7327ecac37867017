#include "cli/mpegts.h"

#include <atomic>
#include <filesystem>

#include "cli/process.h"

namespace reel::cli {

Result<std::string> mpegts_object(std::string_view init, std::string_view fragment,
                                  const TempDirectory& temp) {
  static std::atomic<std::uint64_t> count = 0;
  const std::string path = temp.file(fmt::format("{}.mp4", count++));
  std::string file(init);
  file += fragment;
  REEL_TRY(write_file(path, file));
  // Objects are played in any order: each begins with its tables and says that the counters of
  // packets start anew.
  auto bytes = run_and_capture({"ffmpeg",
                                "-nostdin",
                                "-v",
                                "error",
                                "-copyts",
                                "-i",
                                path,
                                "-map",
                                "0",
                                "-c",
                                "copy",
                                "-muxdelay",
                                "0",
                                "-muxpreload",
                                "0",
                                "-mpegts_copyts",
                                "1",
                                "-mpegts_flags",
                                "+initial_discontinuity",
                                "-f",
                                "mpegts",
                                "pipe:1"});
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return bytes;
}

}  // namespace reel::cli
