#include <cstdio>
#include <iostream>
#include <memory>
#include <thread>

#include <unistd.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exr_files.h"
#include "cli/exr_view.h"
#include "cli/progress.h"
#include "cli/run_in_order.h"
#include "exr/inspect_json.h"

namespace reel::cli {
namespace {

constexpr char kInspectFooter[] = R"help(
Only headers and tables of chunks are read, whatever the size of the images. The status of a file is
ok, findings (warnings and notes), or error: it is no OpenEXR file, not all of one, or breaks rules
of the format. Every finding has a code: docs/formats/exr-findings.md.

Exit codes: 0 no file has an error, 1 some have, 2 wrong usage. One bad file does not stop the rest.

Examples:
  reelhouse exr inspect beauty.1001.exr --attributes
  reelhouse exr inspect -r /shows/demo --json > demo.jsonl
  find /shows -name '*.exr' | reelhouse exr inspect - --quiet)help";

constexpr char kDiffFooter[] = R"help(
Headers are compared by meaning: parts by their names, attributes in any order, channels one by one.
timeCode, capDate and preview are left out, which differ from frame to frame, unless --all is given.

Exit codes: 0 the same, 1 different, 2 wrong usage or a header that cannot be read.

Examples:
  reelhouse exr diff beauty.1001.exr beauty.1002.exr
  reelhouse exr diff old.exr new.exr --ignore owner --json)help";

struct InspectWords {
  FileWords files;
  bool json = false;
  bool attributes = false;
  bool quiet = false;
  std::size_t threads = std::max(std::thread::hardware_concurrency(), 1U);
};

struct DiffWords {
  std::string first;
  std::string second;
  std::vector<std::string> ignored = {"timeCode", "capDate", "preview"};
  std::vector<std::string> more_ignored;
  bool all = false;
  bool json = false;
};

//! What is printed of one file, and what is kept of it for the tables at the end.
struct Outcome {
  std::string text;
  InspectionRow row;
  std::uint64_t header_bytes = 0;
  bool error = false;
};

Outcome inspect(const InspectWords& words, const std::string& path) {
  const exr::Inspection inspection = exr::inspect_file(path);
  Outcome out;
  out.error = inspection.status() == exr::FileStatus::error;
  out.header_bytes = inspection.header.bytes;
  if (words.json) {
    out.text = exr::to_json(inspection) + "\n";
    return out;
  }
  if (words.attributes) out.text = attributes_text(inspection);
  out.row = inspection_row(inspection);
  return out;
}

bool write_out(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

int run_inspect(const InspectWords& words) {
  const FileList list = list_files(words.files, std::cin);
  for (const std::string& problem : list.problems) {
    fmt::print(stderr, "reelhouse exr inspect: {}\n", problem);
  }
  bool error = !list.problems.empty();
  bool written = true;
  InspectionTables tables;
  {
    // Lines on the terminal and a bar do not go together.
    const bool prints_lines = words.json || words.attributes;
    const bool bar = !words.quiet && !(prints_lines && ::isatty(STDOUT_FILENO) == 1);
    Progress progress({.verb = "inspect", .total_files = list.files.size(), .quiet = !bar});
    run_in_order(
        list.files.size(), words.threads,
        [&](std::size_t i) { return inspect(words, list.files[i]); },
        [&](std::size_t, Outcome&& outcome) {
          progress.add(0, outcome.header_bytes);
          error = error || outcome.error;
          written = write_out(outcome.text);
          if (!words.json) tables.add(std::move(outcome.row));
          return written;
        });
  }
  if (!words.json) written = written && write_out(tables.to_text());
  written = std::fflush(stdout) == 0 && written;
  if (!written) fmt::print(stderr, "reelhouse exr inspect: the output cannot be written\n");
  return error || !written ? kExitFailure : kExitOk;
}

//! A header to compare; says why if there is none.
std::optional<exr::Header> header_of(const std::string& path) {
  exr::Inspection inspection = exr::inspect_file(path);
  if (inspection.header_whole) return std::move(inspection.header);
  for (const exr::Finding& each : inspection.findings) {
    fmt::print(stderr, "reelhouse exr diff: {}: {}\n", path, each.message);
  }
  return std::nullopt;
}

int run_diff(const DiffWords& words) {
  const auto first = header_of(words.first);
  const auto second = header_of(words.second);
  if (!first || !second) return kExitUsage;
  std::vector<std::string> ignored = words.more_ignored;
  if (!words.all) ignored.insert(ignored.end(), words.ignored.begin(), words.ignored.end());
  const std::vector<exr::Difference> differences = exr::diff(*first, *second, ignored);
  fmt::print("{}", words.json ? differences_json(differences) : differences_text(differences));
  return differences.empty() ? kExitOk : kExitFailure;
}

void add_inspect(CLI::App& exr, Run& run) {
  auto words = std::make_shared<InspectWords>();
  CLI::App* command =
      exr.add_subcommand("inspect", "What is in files, and what is wrong with them");
  command->footer(kInspectFooter);
  command
      ->add_option("paths", words->files.paths,
                   "Files, directories with -r, patterns; - for a list on standard input")
      ->type_name("PATH")
      ->required();
  command->add_flag("-r,--recursive", words->files.recursive,
                    "What is in directories, and in those below");
  command->add_flag("--all-files", words->files.all_files,
                    "In directories, not only files named *.exr");
  command->add_flag("--json", words->json, "One line of JSON for each file, as each is done");
  command->add_flag("--attributes", words->attributes, "Every attribute of every file")
      ->excludes("--json");
  command->add_option("--parallel", words->threads, "Files read at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("-q,--quiet", words->quiet, "No progress");
  command->callback([&run, words] { run = [words] { return run_inspect(*words); }; });
}

void add_diff(CLI::App& exr, Run& run) {
  auto words = std::make_shared<DiffWords>();
  CLI::App* command = exr.add_subcommand("diff", "What two headers say differently");
  command->footer(kDiffFooter);
  command->add_option("first", words->first, "A file")->type_name("FILE")->required();
  command->add_option("second", words->second, "Another")->type_name("FILE")->required();
  command->add_option("--ignore", words->more_ignored, "Leave out this attribute as well")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_flag("--all", words->all, "Leave out none but those of --ignore");
  command->add_flag("--json", words->json, "Print the differences as JSON");
  command->callback([&run, words] { run = [words] { return run_diff(*words); }; });
}

}  // namespace

void add_exr_commands(CLI::App& app, Run& run) {
  CLI::App* exr = app.add_subcommand("exr", "Look into OpenEXR files");
  exr->require_subcommand(1);
  add_inspect(*exr, run);
  add_diff(*exr, run);
  add_exr_set_commands(*exr, run);
}

}  // namespace reel::cli
