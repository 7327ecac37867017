#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/ingest.h"

namespace reel::cli {
namespace {

constexpr char kDescription[] =
    "Record a file or a live input: anything that ffmpeg reads becomes sources, flows and "
    "segments.";

constexpr char kFooter[] = R"help(
Video and audio become one source and one flow each, and a multi source and flow collect them.
H.264, HEVC, AV1, VP9, AAC, Opus, FLAC, AC-3 and MP3 are stored as they are, bit for bit; other
codecs are encoded as H.264 and AAC. Video is cut at key frames, audio between coded frames, and
every time range is taken from the stream's own timestamps.

A file that was not ingested to its end goes on where it stopped when the same command is run
again: its content and the options that decide the cuts name the flows. A live input starts at the
present TAI time, survives outages of the server (segments wait in $TMPDIR) and ends with Ctrl-C.

Examples:
  reelhouse ingest holiday.mov --label "Holiday"
  reelhouse ingest match.mxf --segment 4s --start 1700000037:0
  reelhouse ingest https://example.com/video.mp4 --to http://lake:8000
  reelhouse ingest srt://camera-1:9000 --live --label "Camera 1"
  ffmpeg -i udp://239.0.0.1:1234 -c copy -f mpegts - | reelhouse ingest - --live
  reelhouse ingest "testsrc2=s=1280x720:r=25" --input-format lavfi --live)help";

//! What CLI11 fills in.
struct Words {
  IngestOptions options;
  std::string segment = "2s";
  std::string start;
  std::string container = "fmp4";
  std::string flow_id;
};

Status translate(Words& words) {
  IngestOptions& options = words.options;
  REEL_ASSIGN(options.plan.segment, parse_duration(words.segment));
  options.plan.container = words.container == "ts" ? Container::mpegts : Container::fmp4;
  if (!words.start.empty()) {
    REEL_ASSIGN(options.start, time::Timestamp::parse(words.start));
  }
  if (!words.flow_id.empty()) {
    REEL_ASSIGN(options.flow_id, Uuid::parse(words.flow_id));
  }
  return {};
}

int run_ingest(Words& words) {
  if (const Status valid = translate(words); !valid) {
    return fail("ingest", valid.error(), kExitUsage);
  }
  const Interrupt interrupt;
  Ingest ingest(std::move(words.options), interrupt);
  if (const Status ready = ingest.prepare(); !ready) {
    return fail("ingest", ready.error(), kExitUsage);
  }
  if (const Status done = ingest.run(); !done) return fail("ingest", done.error(), kExitFailure);
  return kExitOk;
}

}  // namespace

void add_ingest_command(CLI::App& app, Run& run) {
  auto words = std::make_shared<Words>();
  IngestOptions& options = words->options;
  CLI::App* command = app.add_subcommand("ingest", kDescription)->footer(kFooter);
  command->add_option("input", options.input, "File, URL, or - for standard input")
      ->type_name("FILE|URL|-")
      ->required();
  add_server_option(*command, "--to", options.server);
  command->add_option("--label", options.label, "Name shown in lists (default: the input's name)");
  command->add_option("--segment", words->segment, "Wanted length of a segment: 2s, 1.92s, 960ms")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_flag("--live", options.plan.live, "The input has no end; times are TAI, now");
  command
      ->add_option("--start", words->start,
                   "Where the input begins on the flows' timeline "
                   "(default 0:0; with --live: now)")
      ->type_name("SECONDS:NANOSECONDS");
  command
      ->add_option("--container", words->container,
                   "fmp4 keeps the codec's exact times and takes any codec; ts is MPEG-TS for "
                   "older players")
      ->check(CLI::IsMember({"fmp4", "ts"}))
      ->capture_default_str();
  command->add_flag("--all-audio", options.plan.all_audio,
                    "Take every audio stream, not only the first");
  command
      ->add_option("--input-format", options.input_format,
                   "Format of the input if ffmpeg cannot tell; lavfi: INPUT is a filter graph")
      ->type_name("NAME");
  command
      ->add_option("--flow-id", words->flow_id,
                   "Id of the multi flow (or of the only flow); the others follow from it")
      ->type_name("UUID");
  command->add_option("--parallel", options.parallel, "Uploads at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_flag("-q,--quiet", options.quiet, "No progress");
  command->add_flag("--json", options.json, "Print the result as JSON");
  command->callback([&run, words] { run = [words] { return run_ingest(*words); }; });
}

}  // namespace reel::cli
