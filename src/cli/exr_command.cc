#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/exr_batch.h"
#include "cli/exr_view.h"
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
  BatchWords batch;
  bool attributes = false;
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
  bool error = false;
};

Outcome show(const InspectWords& words, const exr::Inspection& inspection) {
  Outcome out;
  out.error = inspection.status() == exr::FileStatus::error;
  if (words.batch.json) {
    out.text = exr::to_json(inspection) + "\n";
    return out;
  }
  if (words.attributes) out.text = attributes_text(inspection);
  out.row = inspection_row(inspection);
  return out;
}

int run_inspect(const InspectWords& words) {
  Batch batch(words.batch, "inspect");
  InspectionTables tables;
  batch.inspect(
      batch.files(), words.batch.json || words.attributes,
      [&](std::size_t, const exr::Inspection& inspection) { return show(words, inspection); },
      [&](std::size_t, Outcome&& outcome) {
        if (outcome.error) batch.note_error();
        batch.print(outcome.text);
        if (!words.batch.json) tables.add(std::move(outcome.row));
      });
  if (!words.batch.json) batch.print(tables.to_text());
  return batch.exit_code();
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
  add_batch_options(*command, words->batch, "One line of JSON for each file, as each is done");
  command->add_flag("--attributes", words->attributes, "Every attribute of every file")
      ->excludes("--json");
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
  add_exr_ingest_command(*exr, run);
}

}  // namespace reel::cli
