#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/export.h"

namespace reel::cli {
namespace {

constexpr char kFooter[] = R"help(
The clip holds exactly the frames whose time lies in the range. Video is copied bit for bit when the
range begins at a key frame and ends where no frame refers to a later one; otherwise, or where an
edit joins unlike media, it is encoded anew as H.264 of high quality. Audio is copied; in MP4 an
edit list trims its first coded frame to the start. Gaps stay gaps and are reported.

The range is written as in TAMS: [start_end) with SECONDS:NANOSECONDS; _ stands for all of it.

Examples:
  reelhouse export FLOW "[100:0_160:0)" -o clip.mp4
  reelhouse export FLOW "[100:0_160:0)" -o clip.mkv --copy
  reelhouse export FLOW _ -o everything.ts --from http://lake:8000)help";

struct Words {
  ExportOptions options;
  std::string range;
  bool exact = false;
};

int run_export(Words& words) {
  auto range = time::TimeRange::parse(words.range);
  if (!range) return fail("export", range.error(), kExitUsage);
  if (range->is_never())
    return fail("export", invalid("the time range is empty").value(), kExitUsage);
  words.options.range = *range;
  const Interrupt interrupt;
  Export job(std::move(words.options), interrupt);
  if (const Status ready = job.prepare(); !ready) {
    return fail("export", ready.error(), kExitUsage);
  }
  if (const Status done = job.run(); !done) return fail("export", done.error(), kExitFailure);
  return kExitOk;
}

}  // namespace

void add_export_command(CLI::App& app, Run& run) {
  auto words = std::make_shared<Words>();
  ExportOptions& options = words->options;
  CLI::App* command = app.add_subcommand("export", "Write a stretch of a flow to a file");
  command->footer(kFooter);
  command->add_option("flow", options.flow, "Id of a video, audio or multi flow")
      ->type_name("FLOW")
      ->required();
  command->add_option("timerange", words->range, "Which stretch")->type_name("RANGE")->required();
  command->add_option("-o,--output", options.output, "File to write: .mp4, .m4a, .mkv or .ts")
      ->type_name("FILE")
      ->required();
  add_server_option(*command, "--from", options.server);
  CLI::Option* copy = command->add_flag(
      "--copy", options.copy, "Never encode: begin at the key frame at or before the start");
  command->add_flag("--exact", words->exact, "Exactly the frames of the range (default)")
      ->excludes(copy);
  command->add_flag("-f,--force", options.overwrite, "Replace an existing file");
  command->add_option("--parallel", options.parallel, "Downloads at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_flag("-q,--quiet", options.quiet, "No progress");
  command->callback([&run, words] { run = [words] { return run_export(*words); }; });
}

}  // namespace reel::cli
