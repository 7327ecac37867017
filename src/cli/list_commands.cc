#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/json_fields.h"
#include "cli/listing.h"
#include "cli/table.h"
#include "cli/tams_client.h"

namespace reel::cli {
namespace {

//! What CLI11 fills in for any of the three lists.
struct Words {
  std::string server;
  std::string flow;  // of `segments`
  ListFilters filters;
  std::size_t rows_max = 0;
  bool json = false;
};

using MakeTable = Result<std::string> (*)(TamsClient&, const json::Array&);

//! Collects up to `rows_max` entries over all pages.
Result<json::Array> fetch(TamsClient& client, const std::string& path, std::size_t rows_max) {
  json::Array rows;
  REEL_TRY(client.get_pages(path, [&](json::Array& page) {
    for (json::Value& entry : page) {
      if (rows_max > 0 && rows.size() == rows_max) return false;
      rows.push_back(std::move(entry));
    }
    return true;
  }));
  return rows;
}

Status print_list(TamsClient& client, const Words& words, const std::string& path,
                  MakeTable make_table) {
  REEL_ASSIGN(const json::Array rows, fetch(client, path, words.rows_max));
  if (words.json) {
    fmt::print("{}\n", json::to_text(rows));
    return {};
  }
  REEL_ASSIGN(const std::string table, make_table(client, rows));
  fmt::print("{}", table);
  return {};
}

int run_list(std::string_view verb, const Words& words, const std::string& collection,
             MakeTable make_table) {
  const auto query = list_query(words.filters);
  if (!query) return fail(verb, query.error(), kExitUsage);
  const auto client = TamsClient::connect({.url = words.server});
  if (!client) return fail(verb, client.error(), kExitUsage);
  const Status done = print_list(**client, words, collection + *query, make_table);
  return done ? kExitOk : fail(verb, done.error(), kExitFailure);
}

void add_common(CLI::App& command, Words& words) {
  add_server_option(command, "--from", words.server);
  command.add_flag("--json", words.json, "Print the API's own JSON, all pages as one list");
  command.add_option("--limit", words.rows_max, "At most this many rows (default: all)");
}

void add_filters(CLI::App& command, ListFilters& filters) {
  command.add_option("--label", filters.label, "Only this label");
  command.add_option("--format", filters.format, "video, audio, data, image, multi, or a URN");
  command.add_option("--tag", filters.tags, "NAME=VALUE, or NAME alone: the tag must exist")
      ->type_name("TAG");
}

void add_sources(CLI::App& app, Run& run) {
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("sources", "List sources");
  command->footer("\nExample:\n  reelhouse sources --format multi");
  add_common(*command, *words);
  add_filters(*command, words->filters);
  command->callback([&run, words] {
    run = [words] { return run_list("sources", *words, "/sources", source_table); };
  });
}

void add_flows(CLI::App& app, Run& run) {
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("flows", "List flows");
  command->footer(
      "\nExamples:\n"
      "  reelhouse flows --format video --timerange \"[100:0_160:0)\"\n"
      "  reelhouse flows --tag camera=2 --json");
  add_common(*command, *words);
  add_filters(*command, words->filters);
  command->add_option("--source", words->filters.source_id, "Only flows of this source")
      ->type_name("UUID");
  command->add_option("--codec", words->filters.codec, "Only this codec, as video/h264");
  command->add_option("--timerange", words->filters.timerange, "Only flows with media in it")
      ->type_name("RANGE");
  command->add_option("--status", words->filters.status, "ingesting, closed_complete, …");
  command->callback(
      [&run, words] { run = [words] { return run_list("flows", *words, "/flows", flow_table); }; });
}

void add_segments(CLI::App& app, Run& run) {
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("segments", "List the segments of a flow");
  command->footer("\nExample:\n  reelhouse segments FLOW \"[100:0_160:0)\"");
  command->add_option("flow", words->flow, "Id of the flow")->type_name("FLOW")->required();
  command->add_option("timerange", words->filters.timerange, "Only segments that overlap it")
      ->type_name("RANGE");
  add_common(*command, *words);
  command->callback([&run, words] {
    run = [words] {
      // The table shows no URLs, so the server need not sign any.
      words->filters.without_urls = !words->json;
      return run_list("segments", *words, "/flows/" + words->flow + "/segments", segment_table);
    };
  });
}

}  // namespace

void add_list_commands(CLI::App& app, Run& run) {
  add_sources(app, run);
  add_flows(app, run);
  add_segments(app, run);
}

}  // namespace reel::cli
