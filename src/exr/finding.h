#pragma once
//! What is wrong with, or odd about, a file.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reel::exr {

enum class Severity : std::uint8_t {
  error,    //!< a rule of the file format is broken: other readers may refuse the file
  warning,  //!< allowed or tolerated, but likely to hurt somebody
  note,     //!< worth knowing
};

//! "error", "warning", "note".
std::string_view severity_name(Severity severity);

//! One broken rule. `code` is stable: scripts and tables rely on it (docs/formats/exr-findings.md).
struct Finding {
  std::string_view code;  //!< a literal, e.g. "attribute_truncated"
  Severity severity = Severity::error;
  std::optional<std::uint32_t> part = {};
  std::string attribute = {};                //!< its name; empty: concerns the part or the file
  std::optional<std::uint64_t> offset = {};  //!< in the file, where the rule is broken
  std::string message = {};                  //!< one sentence with the values that broke it
};

using Findings = std::vector<Finding>;

//! Any of them is an error.
bool has_error(const Findings& findings);

}  // namespace reel::exr
