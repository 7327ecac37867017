#pragma once
//! Rules that files are delivered by, written as TOML and held against headers.
//!
//!   name = "studio"
//!   [[rule]]
//!   id = "compression"
//!   fact = "part.compression"
//!   in = ["none", "zip", "zips", "piz"]
//!
//! The facts are in policy_facts.h, keys and tests in docs/guide/exr-sequences.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exr/finding.h"
#include "exr/policy_facts.h"
#include "json/writer.h"

namespace reel::exr {

//! What a fact must be. One test, or `min` and `max` together.
struct PolicyTest {
  std::optional<FactValue> equals = {};
  std::optional<std::vector<FactValue>> in = {};
  std::optional<double> min = {};
  std::optional<double> max = {};
  std::optional<std::string> matches = {};            //!< a pattern with * and ?
  std::optional<bool> present = {};                   //!< is there, or is not
  std::optional<std::vector<std::string>> has = {};   //!< of a list: each pattern fits an item
  std::optional<std::vector<std::string>> only = {};  //!< of a list: each item fits a pattern

  //! "one of none, zip"; what a report says was expected.
  std::string to_string() const;
};

struct PolicyRule {
  std::string id;
  std::string fact;
  Severity severity = Severity::error;
  std::string why = {};                    //!< for the reader of a report
  std::vector<std::string> channels = {};  //!< of facts of channels: patterns; empty: all
  bool optional = false;                   //!< a fact that is not there breaks nothing
  PolicyTest test = {};
};

struct Policy {
  std::string name;
  std::string title = {};
  std::vector<PolicyRule> rules;
};

//! Code::invalid names `file`, the line and the key of the first thing that is wrong.
Result<Policy> parse_policy(std::string_view toml, std::string_view file);

//! A preset by its name, else the file of this name. Code::not_found names the presets.
Result<Policy> load_policy(const std::string& name_or_file);

struct PolicyPreset {
  std::string_view name;
  std::string_view toml;
};
//! netflix-vfx, aces-container, studio.
const std::vector<PolicyPreset>& policy_presets();

//! A rule that a file breaks, in one place.
struct PolicyBreach {
  const PolicyRule* rule = nullptr;  //!< of the policy
  std::optional<std::uint32_t> part = {};
  std::string value = {};  //!< what there is, "none" if nothing
  std::string expected = {};
};

struct PolicyReport {
  std::vector<std::string> passed = {};  //!< ids
  std::vector<PolicyBreach> breaches = {};

  //! A rule of severity error is broken.
  bool failed() const;
};

//! Every rule against the file. The result refers to `policy`.
PolicyReport check_policy(const Policy& policy, const PolicySubject& subject);

//! {"path":…,"policy":…,"status":"ok"|"broken","passed":[…],"breaches":[{"rule":…,…}]}
void write_policy_report(json::Writer& out, const Policy& policy, std::string_view path,
                         const PolicyReport& report);

//! One line for each breach, "path: part 0: compression: piz, expected one of none, zip"; or
//! "path: ok".
std::string policy_report_text(std::string_view path, const PolicyReport& report);

//! `*` is any text, `?` one byte.
bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace reel::exr
