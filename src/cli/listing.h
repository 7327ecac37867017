#pragma once
//! What the lists of sources, flows and segments ask for and show.

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/tams_client.h"
#include "json/value.h"

namespace reel::cli {

struct ListFilters {
  std::string label;
  std::string format;
  std::vector<std::string> tags;
  std::string source_id;
  std::string codec;
  std::string timerange;
  std::string status;
  bool without_urls = false;
};

//! "?label=…&…", empty without filters. Code::invalid for a time range that is none.
Result<std::string> list_query(const ListFilters& filters);

Result<std::string> source_table(TamsClient& client, const json::Array& sources);
//! Asks the server for each flow's time range, which lists do not contain.
Result<std::string> flow_table(TamsClient& client, const json::Array& flows);
Result<std::string> segment_table(TamsClient& client, const json::Array& segments);

//! "video 1920x1080 29.97 fps", "audio 48000 Hz 2 ch".
std::string essence_text(const json::Value& flow);

}  // namespace reel::cli
