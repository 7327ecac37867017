#include "cli/exr_batch.h"

#include <cstdio>
#include <iostream>

#include <unistd.h>
#include <CLI/CLI.hpp>

namespace reel::cli {

void add_batch_options(CLI::App& command, BatchWords& words, const std::string& json) {
  command
      .add_option("paths", words.files.paths,
                  "Files, directories with -r, patterns; - for a list on standard input")
      ->type_name("PATH")
      ->required();
  command.add_flag("-r,--recursive", words.files.recursive,
                   "What is in directories, and in those below");
  command.add_flag("--all-files", words.files.all_files,
                   "In directories, not only files named *.exr");
  command.add_flag("--json", words.json, json);
  command.add_option("--parallel", words.threads, "Files read at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_flag("-q,--quiet", words.quiet, "No progress");
}

Batch::Batch(const BatchWords& words, std::string verb) : words_(words), verb_(std::move(verb)) {
  FileList list = list_files(words.files, std::cin);
  for (const std::string& problem : list.problems) {
    fmt::print(stderr, "reelhouse exr {}: {}\n", verb_, problem);
    error_ = true;
  }
  files_ = std::move(list.files);
}

void Batch::print(std::string_view text) {
  written_ = written_ && std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

bool Batch::has_bar(bool prints) { return !prints || ::isatty(STDOUT_FILENO) == 0; }

int Batch::exit_code() {
  written_ = std::fflush(stdout) == 0 && written_;
  if (!written_) fmt::print(stderr, "reelhouse exr {}: the output cannot be written\n", verb_);
  return error_ || !written_ ? kExitFailure : kExitOk;
}

std::string problem_of(const exr::Inspection& inspection) {
  for (const exr::Finding& each : inspection.findings) {
    if (each.severity == exr::Severity::error) return each.message;
  }
  return {};
}

}  // namespace reel::cli
