// links: exr
//! Lines as paths: each is in one place, whose pieces give it back, and the reports of the
//! sequences are JSON.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exr/sequence_text.h"
#include "json/value.h"

namespace {

using namespace reel::exr;

std::vector<std::string> lines_of(std::string_view input) {
  std::vector<std::string> lines;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    lines.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto paths = lines_of({reinterpret_cast<const char*>(data), size});
  const NameGroups groups = group_names(paths);
  std::multiset<std::string> placed;
  for (const std::size_t index : groups.singles) placed.insert(paths.at(index));
  for (const NameSequence& sequence : groups.sequences) {
    REEL_CHECK(sequence.files.size() > 1);
    for (const SequenceFile& file : sequence.files) {
      REEL_CHECK(sequence.directory + sequence.name(file) == paths.at(file.index));
      placed.insert(paths[file.index]);
    }
    const std::vector<FrameRecord> records(sequence.files.size());
    std::string text;
    reel::json::Writer writer(text);
    write_report(writer, report_sequence(sequence, records, FrameShapes()));
    REEL_CHECK(reel::json::parse(text).has_value());
  }
  const std::set<std::string> given(paths.begin(), paths.end());
  REEL_CHECK(placed == std::multiset<std::string>(given.begin(), given.end()));
  return 0;
}
