#pragma once
//! OpenEXR files as tables for people.

#include <array>
#include <string>
#include <vector>

#include "cli/table.h"
#include "exr/diff.h"
#include "exr/inspect.h"

namespace reel::cli {

//! What InspectionTables keep of a file.
struct InspectionRow {
  std::string path;
  exr::FileStatus status = exr::FileStatus::ok;
  std::vector<std::string> cells;  //!< after path and status
  exr::Findings findings;
};
InspectionRow inspection_row(const exr::Inspection& inspection);

//! A heading, and a line for each attribute of each part.
std::string attributes_text(const exr::Inspection& inspection);

//! A line for each file, a line for each finding, and how many files there were.
class InspectionTables {
 public:
  InspectionTables();

  void add(InspectionRow row);
  std::string to_text() const;

 private:
  Table files_;
  Table findings_;
  std::size_t count_ = 0;
  std::size_t finding_count_ = 0;
  std::array<std::size_t, 3> by_status_ = {};
};

std::string differences_text(const std::vector<exr::Difference>& differences);
//! A list in one line.
std::string differences_json(const std::vector<exr::Difference>& differences);

}  // namespace reel::cli
