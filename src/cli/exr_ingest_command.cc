#include <cstdio>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/thread_annotations.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/exr_batch.h"
#include "exr/inspect_json.h"
#include "exr/sequence_report.h"
#include "exr/tables/paths.h"
#include "exr/tables/record.h"
#include "server/data_directory.h"
#include "store/sqlite/sqlite_store.h"

namespace reel::cli {
namespace {

constexpr char kFooter[] = R"help(
What is in the files goes into tables that `reelhouse sql` reads (docs/guide/exr-tables.md): files,
parts, channels, attributes, findings and sequences of the schema exr_metadata. A path has the rows
of its present file; a file that is as it was is only counted. Broken files are recorded too, with
what is wrong with them. A run that was stopped can be started again.

No path depends on the directory that the program runs in: paths are absolute, or below --root.

Exit codes: 0 every file is recorded and none has an error, 1 some are not or have, 2 wrong usage.

Examples:
  reelhouse exr ingest -r /shows/demo
  reelhouse exr ingest --root /shows -r demo --journal broken.jsonl
  find /shows -name '*.exr' | reelhouse exr ingest - --data-dir /var/lib/reelhouse)help";

//! One commit has at most about so much.
constexpr std::size_t kCommitBytesMax = std::size_t{16} << 20;
constexpr std::size_t kCommitFilesMax = 500;

struct Words {
  BatchWords batch;
  std::shared_ptr<ConfigurationFlags> flags = std::make_shared<ConfigurationFlags>();
  std::string schema = std::string(exr::kRecordsSchema);
  std::string journal;
};

//! A file that was looked at.
struct Looked {
  exr::FrameRecord frame = {};
  std::string path = {};
  exr::FileStatus status = exr::FileStatus::ok;
  std::string findings = {};  //!< JSON
  std::string problem = {};   //!< the first error; empty: none
  //! None when there is nothing to record: the file cannot be read at all.
  std::optional<exr::FileRows> rows = {};
};

//! The files in the order in which they are read: sequence by sequence, then single files.
struct Plan {
  std::vector<std::string> files;
  std::vector<std::optional<exr::SequencePlace>> places;
};

Plan make_plan(const std::vector<std::string>& files, const exr::NameGroups& groups) {
  Plan plan;
  for (const exr::NameSequence& sequence : groups.sequences) {
    const auto id = exr::id_of(sequence);
    for (const exr::SequenceFile& file : sequence.files) {
      plan.files.push_back(files[file.index]);
      plan.places.emplace_back();
      if (id) plan.places.back() = exr::SequencePlace{*id, file.frame};
    }
  }
  for (const std::size_t index : groups.singles) {
    plan.files.push_back(files[index]);
    plan.places.emplace_back();
  }
  return plan;
}

std::string findings_json(const exr::Findings& findings) {
  std::string json;
  json::Writer writer(json);
  writer.begin_array();
  for (const exr::Finding& each : findings) exr::write_finding(writer, each);
  writer.end_array();
  return json;
}

//! A line about a file. `problem`: why it is not recorded.
std::string line_of(const Looked& file, bool inserted, const std::string& problem) {
  std::string line;
  json::Writer writer(line);
  writer.begin_object();
  writer.key("path");
  exr::write_text(writer, file.path);
  writer.field("status", status_name(file.status));
  writer.key("persistence");
  writer.begin_object();
  if (problem.empty()) {
    writer.field("status", "success");
    writer.field("file_id", file.rows->file_id);
    writer.field("inserted", inserted);
  } else {
    writer.field("status", "error");
    writer.field("error", problem);
  }
  writer.end_object();
  writer.raw_field("findings", file.findings);
  writer.end_object();
  return line + '\n';
}

//! Looks at files and records them.
class Ingest {
 public:
  Ingest(const Words& words, Batch& batch, store::Store& store)
      : words_(words), batch_(batch), store_(store), tables_(words.schema) {}
  ~Ingest() {
    if (journal_ != nullptr) std::fclose(journal_);
  }
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  Status open() {
    REEL_TRY(ensure_record_tables(store_, tables_));
    if (words_.journal.empty()) return {};
    journal_ = std::fopen(words_.journal.c_str(), "we");
    if (journal_ == nullptr) return io("the journal {} cannot be written", words_.journal);
    return {};
  }

  Status run() {
    const exr::NameGroups groups = exr::group_names(batch_.files());
    const Plan plan = make_plan(batch_.files(), groups);
    std::vector<exr::FrameRecord> frames;
    batch_.inspect(
        plan.files, words_.batch.json,
        [&](std::size_t i, exr::Inspection&& inspection) {
          return look(std::move(inspection), plan.places[i]);
        },
        [&](std::size_t, Looked&& looked) {
          frames.push_back(std::move(looked.frame));
          Status taken = take(std::move(looked));
          if (taken) return;
          failed_ = std::move(taken);
          batch_.stop();
        });
    REEL_TRY(std::move(failed_));
    REEL_TRY(commit());
    REEL_TRY(record_sequences(groups, frames));
    return check_journal();
  }

  std::string summary() const {
    return fmt::format(
        "{} files: {} new or changed, {} as they were, {} not recorded; {} with errors\n",
        new_ + known_ + unrecorded_, new_, known_, unrecorded_, broken_);
  }

 private:
  //! On any thread.
  Looked look(exr::Inspection&& inspection, const std::optional<exr::SequencePlace>& place) {
    Looked out;
    if (inspection.header_whole) {
      const MutexLock lock(mutex_);
      out.frame = exr::frame_record(inspection.header, shapes_);
    }
    out.problem = problem_of(inspection);
    out.frame.size_bytes = inspection.size.value_or(0);
    out.frame.problem = out.problem;
    out.path = inspection.path;
    out.status = inspection.status();
    out.findings = findings_json(inspection.findings);
    if (!inspection.size) return out;
    auto rows = exr::make_rows(tables_, std::move(inspection));
    if (rows) {
      out.rows = *std::move(rows);
      out.rows->place = place;
    } else if (out.problem.empty()) {
      out.problem = rows.error().message();
    }
    return out;
  }

  Status take(Looked&& looked) {
    if (!looked.rows) {
      ++unrecorded_;
      tell(looked, false, looked.problem);
      return check_journal();
    }
    // A path that is named twice is read twice: the second time it is an inspection of its own.
    if (!paths_.insert(looked.rows->path).second) {
      REEL_TRY(commit());
      paths_.insert(looked.rows->path);
    }
    bytes_ += looked.rows->bytes();
    waiting_.push_back(std::move(looked));
    if (bytes_ < kCommitBytesMax && waiting_.size() < kCommitFilesMax) return {};
    return commit();
  }

  Status commit() {
    std::vector<exr::FileRows> rows;
    for (Looked& each : waiting_) rows.push_back(std::move(*each.rows));
    if (!rows.empty()) {
      REEL_ASSIGN(const std::vector<bool> inserted,
                  exr::record_files(store_, tables_, rows, system_clock().now()));
      for (std::size_t i = 0; i < waiting_.size(); ++i) {
        waiting_[i].rows = std::move(rows[i]);
        ++(inserted[i] ? new_ : known_);
        tell(waiting_[i], inserted[i], {});
      }
    }
    waiting_.clear();
    paths_.clear();
    bytes_ = 0;
    return check_journal();
  }

  Status record_sequences(const exr::NameGroups& groups, std::span<const exr::FrameRecord> frames) {
    const MutexLock lock(mutex_);
    store::Batch batch;
    for (const exr::NameSequence& sequence : groups.sequences) {
      const auto report =
          exr::report_sequence(sequence, frames.first(sequence.files.size()), shapes_);
      frames = frames.subspan(sequence.files.size());
      auto row = exr::sequence_row(tables_, sequence, report, system_clock().now());
      if (row) batch.mutations.push_back(*std::move(row));
      if (batch.mutations.size() < kCommitFilesMax) continue;
      REEL_TRY(store_.commit(std::exchange(batch, {})));
    }
    return batch.mutations.empty() ? Status() : store_.commit(std::move(batch));
  }

  void tell(const Looked& file, bool inserted, const std::string& problem) {
    const bool broken = file.status == exr::FileStatus::error;
    const bool failed = broken || !problem.empty();
    broken_ += broken ? 1 : 0;
    if (failed) batch_.note_error();
    if (!failed && !words_.batch.json) return;
    const std::string line = line_of(file, inserted, problem);
    if (failed && journal_ != nullptr) write_journal(line);
    if (words_.batch.json) {
      batch_.print(line);
    } else if (journal_ == nullptr) {
      fmt::print(stderr, "reelhouse exr ingest: {}: {}\n", file.path,
                 problem.empty() ? file.problem : problem);
    }
  }

  void write_journal(const std::string& line) {
    journal_written_ =
        journal_written_ && std::fwrite(line.data(), 1, line.size(), journal_) == line.size();
  }
  //! What is committed is in the journal, even if the program ends now.
  Status check_journal() {
    if (journal_ == nullptr) return {};
    journal_written_ = journal_written_ && std::fflush(journal_) == 0;
    if (!journal_written_) return io("the journal {} cannot be written", words_.journal);
    return {};
  }

  const Words& words_;
  Batch& batch_;
  store::Store& store_;
  const exr::RecordTables tables_;
  std::FILE* journal_ = nullptr;
  bool journal_written_ = true;
  Mutex mutex_;
  exr::FrameShapes shapes_ GUARDED_BY(mutex_);
  std::vector<Looked> waiting_;
  std::set<std::string> paths_;  //!< of those
  std::size_t bytes_ = 0;        //!< of their rows
  Status failed_;
  std::size_t new_ = 0;
  std::size_t known_ = 0;
  std::size_t unrecorded_ = 0;
  std::size_t broken_ = 0;
};

//! Code::invalid for the first path that depends on the directory of this process.
Status check_paths(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (!file.starts_with('/')) {
      return invalid("the path {} is relative: say below which directory with --root", file);
    }
  }
  return {};
}

int run_ingest(const Words& words) {
  constexpr std::string_view kVerb = "exr ingest";
  if (const Status named = store::check_namespace_name(words.schema); !named) {
    return fail(kVerb, named.error(), kExitUsage);
  }
  const auto config = load_configuration(*words.flags);
  if (!config) return fail(kVerb, config.error(), kExitUsage);
  Batch batch(words.batch, "ingest");
  if (const Status usable = check_paths(batch.files()); !usable) {
    return fail(kVerb, usable.error(), kExitUsage);
  }
  const auto store =
      store::open_sqlite_store({.path = server::data_path(*config, server::kStoreFile)});
  if (!store) return fail(kVerb, store.error(), kExitUsage);
  Ingest ingest(words, batch, **store);
  if (const Status ready = ingest.open(); !ready) return fail(kVerb, ready.error(), kExitUsage);
  if (const Status done = ingest.run(); !done) return fail(kVerb, done.error(), kExitFailure);
  if (!words.batch.json) batch.print(ingest.summary());
  return batch.exit_code();
}

}  // namespace

void add_exr_ingest_command(CLI::App& exr, Run& run) {
  auto words = std::make_shared<Words>();
  CLI::App* command = exr.add_subcommand("ingest", "Record in tables what is in files");
  command->footer(kFooter);
  add_batch_options(*command, words->batch, "One line of JSON for each file, once it is recorded");
  command->add_option("--root", words->batch.files.root, "Relative paths are below this directory")
      ->type_name("DIR");
  command
      ->add_option("--journal", words->journal,
                   "Lines of JSON about files that have an error or are not recorded")
      ->type_name("FILE");
  command->add_option("--schema", words->schema, "Schema of the tables")
      ->type_name("NAME")
      ->capture_default_str();
  add_configuration_flags(*command, words->flags);
  command->callback([&run, words] { run = [words] { return run_ingest(*words); }; });
}

}  // namespace reel::cli
