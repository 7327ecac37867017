#include <algorithm>
#include <array>
#include <memory>

#include <CLI/CLI.hpp>

#include "base/thread_annotations.h"
#include "cli/commands.h"
#include "cli/exr_batch.h"
#include "cli/table.h"
#include "exr/embedding.h"
#include "exr/policy.h"
#include "exr/sequence_text.h"

namespace reel::cli {
namespace {

constexpr char kSequencesFooter[] = R"help(
Files whose names differ in one number only are a sequence. The report says which frames are
missing or there twice, and which are otherwise than most: layers, compression, windows, attributes,
time code. Files that belong to no sequence are named at the end; only their names are looked at.

Exit codes: 0 no sequence has an error, 1 some have, 2 wrong usage.

Examples:
  reelhouse exr sequences -r /shows/demo
  reelhouse exr sequences renders/beauty.*.exr --json)help";

constexpr char kCheckFooter[] = R"help(
A policy is a file of rules (docs/guide/exr-sequences.md), or one of netflix-vfx, aces-container,
studio.

Exit codes: 0 every file keeps every rule (warnings aside), 1 some do not, 2 wrong usage or policy.

Examples:
  reelhouse exr check --policy netflix-vfx -r delivery
  reelhouse exr check --policy rules.toml beauty.*.exr --json)help";

constexpr char kSimilarFooter[] = R"help(
Headers are compared by what they say (channels, attributes, compression, windows), pixels are not.
1 is the same, frames of one sequence are above 0.98, unrelated files below 0.7.

Exit codes: 0 done, 1 some files have no header that can be read, 2 wrong usage, or FILE has none.

Examples:
  reelhouse exr similar beauty.1001.exr -r /shows -k 20)help";

std::size_t count_errors(const exr::Inspection& inspection) {
  return static_cast<std::size_t>(
      std::count_if(inspection.findings.begin(), inspection.findings.end(),
                    [](const auto& each) { return each.severity == exr::Severity::error; }));
}

// ---- sequences

std::string sequence_text(const exr::SequenceReport& report, bool json) {
  if (!json) return exr::report_text(report);
  std::string line;
  json::Writer writer(line);
  exr::write_report(writer, report);
  return line + '\n';
}

std::string single_text(const std::string& file, bool json) {
  if (!json) return file + "  no sequence\n";
  std::string line;
  json::Writer writer(line);
  writer.begin_object();
  writer.field("kind", "single");
  writer.field("path", file);
  writer.end_object();
  return line + '\n';
}

int run_sequences(const BatchWords& words) {
  Batch batch(words, "sequences");
  const exr::NameGroups groups = exr::group_names(batch.files());
  std::vector<std::string> frames;
  for (const exr::NameSequence& sequence : groups.sequences) {
    for (const exr::SequenceFile& file : sequence.files) {
      frames.push_back(batch.files()[file.index]);
    }
  }
  // Records are small, headers may not be: one becomes the other before the next file is read.
  Mutex mutex;
  exr::FrameShapes shapes;
  std::vector<exr::FrameRecord> records;
  batch.inspect(
      frames, false,
      [&](std::size_t, const exr::Inspection& inspection) {
        exr::FrameRecord record;
        if (inspection.header_whole) {
          const MutexLock lock(mutex);
          record = exr::frame_record(inspection.header, shapes);
        }
        record.size_bytes = inspection.size.value_or(0);
        record.problem = problem_of(inspection);
        return record;
      },
      [&](std::size_t, exr::FrameRecord&& record) { records.push_back(std::move(record)); });
  std::span<const exr::FrameRecord> rest(records);
  for (const exr::NameSequence& sequence : groups.sequences) {
    const auto report = exr::report_sequence(sequence, rest.first(sequence.files.size()), shapes);
    rest = rest.subspan(sequence.files.size());
    batch.print(sequence_text(report, words.json));
    const bool broken =
        std::any_of(report.faults.begin(), report.faults.end(),
                    [](const auto& each) { return each.severity == exr::Severity::error; });
    if (broken) batch.note_error();
  }
  for (const std::size_t index : groups.singles) {
    batch.print(single_text(batch.files()[index], words.json));
  }
  return batch.exit_code();
}

// ---- check

struct Checked {
  std::string text = {};
  bool failed = false;
};

//! A file without a whole header fails whatever the policy says.
Checked broken_file(const exr::Policy& policy, const exr::Inspection& inspection, bool json) {
  const std::string problem = problem_of(inspection);
  if (!json) return {fmt::format("{}: error: {}\n", inspection.path, problem), true};
  Checked out{.failed = true};
  json::Writer writer(out.text);
  writer.begin_object();
  writer.field("path", inspection.path);
  writer.field("policy", policy.name);
  writer.field("status", "error");
  writer.field("message", problem);
  writer.end_object();
  out.text += '\n';
  return out;
}

Checked check_file(const exr::Policy& policy, const exr::Inspection& inspection, bool json) {
  if (!inspection.header_whole) return broken_file(policy, inspection, json);
  const exr::PolicyReport report =
      exr::check_policy(policy, {.path = inspection.path,
                                 .header = inspection.header,
                                 .size_bytes = inspection.size.value_or(0),
                                 .complete = inspection.complete,
                                 .errors = count_errors(inspection)});
  Checked out{.failed = report.failed()};
  if (json) {
    json::Writer writer(out.text);
    exr::write_policy_report(writer, policy, inspection.path, report);
    out.text += '\n';
  } else {
    out.text = exr::policy_report_text(inspection.path, report);
  }
  return out;
}

int run_check(const BatchWords& words, const std::string& policy_name) {
  const auto policy = exr::load_policy(policy_name);
  if (!policy) return fail("exr check", policy.error(), kExitUsage);
  Batch batch(words, "check");
  batch.inspect(
      batch.files(), true,
      [&](std::size_t, const exr::Inspection& inspection) {
        return check_file(*policy, inspection, words.json);
      },
      [&](std::size_t, Checked&& checked) {
        batch.print(checked.text);
        if (checked.failed) batch.note_error();
      });
  return batch.exit_code();
}

// ---- similar

using Vector = std::array<float, exr::kMetadataDimensions>;

std::optional<Vector> vector_of(const exr::Inspection& inspection) {
  if (!inspection.header_whole) return std::nullopt;
  return exr::metadata_embedding(inspection.header);
}

std::string similar_text(const std::vector<std::string>& files,
                         const std::vector<exr::Neighbour>& neighbours, bool json) {
  Table table({{.name = "similarity", .right = true}, {.name = "file"}});
  std::string lines;
  for (const exr::Neighbour& each : neighbours) {
    if (!json) {
      table.add({fmt::format("{:.4f}", each.similarity), files[each.index]});
      continue;
    }
    json::Writer writer(lines);
    writer.begin_object();
    writer.field("path", files[each.index]);
    writer.field("similarity", static_cast<double>(each.similarity));
    writer.end_object();
    lines += '\n';
  }
  return json ? lines : table.to_text();
}

int run_similar(const BatchWords& words, const std::string& file, std::size_t count) {
  const exr::Inspection wanted = exr::inspect_file(file);
  const auto query = vector_of(wanted);
  if (!query) {
    fmt::print(stderr, "reelhouse exr similar: {}: {}\n", file, problem_of(wanted));
    return kExitUsage;
  }
  Batch batch(words, "similar");
  std::vector<std::string> readable;
  std::vector<float> vectors;
  batch.inspect(
      batch.files(), false,
      [](std::size_t, const exr::Inspection& inspection) { return vector_of(inspection); },
      [&](std::size_t i, std::optional<Vector>&& vector) {
        if (!vector) {
          fmt::print(stderr, "reelhouse exr similar: {} has no header that can be read\n",
                     batch.files()[i]);
          return batch.note_error();
        }
        readable.push_back(batch.files()[i]);
        vectors.insert(vectors.end(), vector->begin(), vector->end());
      });
  batch.print(similar_text(readable, exr::nearest(*query, vectors, count), words.json));
  return batch.exit_code();
}

}  // namespace

void add_exr_set_commands(CLI::App& exr, Run& run) {
  auto sequences = std::make_shared<BatchWords>();
  CLI::App* command =
      exr.add_subcommand("sequences", "Which files are sequences, and what is odd in them");
  command->footer(kSequencesFooter);
  add_batch_options(*command, *sequences, "Lines of JSON");
  command->callback([&run, sequences] { run = [sequences] { return run_sequences(*sequences); }; });

  auto check = std::make_shared<BatchWords>();
  auto policy = std::make_shared<std::string>();
  command = exr.add_subcommand("check", "Hold files against the rules of a policy");
  command->footer(kCheckFooter);
  add_batch_options(*command, *check, "Lines of JSON");
  command->add_option("--policy", *policy, "A preset or a file")
      ->type_name("NAME|FILE")
      ->required();
  command->callback(
      [&run, check, policy] { run = [check, policy] { return run_check(*check, *policy); }; });

  auto similar = std::make_shared<BatchWords>();
  auto file = std::make_shared<std::string>();
  auto count = std::make_shared<std::size_t>(10);
  command = exr.add_subcommand("similar", "Which files are like this one");
  command->footer(kSimilarFooter);
  command->add_option("file", *file, "The file to find the like of")->type_name("FILE")->required();
  add_batch_options(*command, *similar, "Lines of JSON");
  command->add_option("-k", *count, "How many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->callback([&run, similar, file, count] {
    run = [similar, file, count] { return run_similar(*similar, *file, *count); };
  });
}

}  // namespace reel::cli
