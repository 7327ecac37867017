#include "exr/policy.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include <toml++/toml.h>

#include "base/nearest_name.h"

namespace reel::exr {
namespace {

constexpr std::size_t kPolicyBytesMax = std::size_t{1} << 20;

const std::vector<std::string_view> kRuleKeys = {
    "id", "fact", "severity", "why",     "channels", "optional", "equals",
    "in", "min",  "max",      "matches", "present",  "has",      "only"};

//! Reads one policy from its document.
class PolicyReader {
 public:
  explicit PolicyReader(std::string_view file) : file_(file) {}

  Result<Policy> read(const toml::table& document) {
    Policy policy;
    for (const auto& [key, node] : document) {
      if (key == "name") {
        REEL_ASSIGN(policy.name, text(key, node));
      } else if (key == "title") {
        REEL_ASSIGN(policy.title, text(key, node));
      } else if (key == "rule") {
        REEL_TRY(read_rules(node, policy));
      } else {
        return unknown(key, {"name", "title", "rule"});
      }
    }
    if (policy.name.empty()) return invalid("{}: 'name' is missing", file_);
    if (policy.rules.empty()) return invalid("{}: there is no [[rule]]", file_);
    return policy;
  }

 private:
  std::string place(const toml::source_region& at) const {
    return fmt::format("{}:{}", file_, at.begin.line);
  }
  Failure wrong(const toml::key& key, const toml::node& node, std::string_view what) const {
    return invalid("{}: '{}' must be {}", place(node.source()), key.str(), what);
  }
  Failure unknown(const toml::key& key, const std::vector<std::string_view>& known) const {
    return invalid("{}: unknown key '{}'{}", place(key.source()), key.str(),
                   nearest_hint(key.str(), known));
  }

  Result<std::string> text(const toml::key& key, const toml::node& node) const {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty()) return wrong(key, node, "a string that is not empty");
    return *value;
  }
  Result<bool> flag(const toml::key& key, const toml::node& node) const {
    const auto value = node.value_exact<bool>();
    if (!value) return wrong(key, node, "true or false");
    return *value;
  }
  Result<double> number(const toml::key& key, const toml::node& node) const {
    if (!node.is_number()) return wrong(key, node, "a number");
    return node.value<double>().value_or(0);
  }
  Result<std::vector<std::string>> texts(const toml::key& key, const toml::node& node) const {
    REEL_ASSIGN(const std::vector<FactValue> values, list(key, node));
    std::vector<std::string> out;
    for (const FactValue& value : values) {
      const auto* each = std::get_if<std::string>(&value);
      if (each == nullptr) return wrong(key, node, "a list of strings");
      out.push_back(*each);
    }
    return out;
  }
  Result<std::vector<FactValue>> list(const toml::key& key, const toml::node& node) const {
    constexpr std::string_view kWhat = "a list that is not empty";
    if (!node.is_array() || node.as_array()->empty()) return wrong(key, node, kWhat);
    std::vector<FactValue> out;
    for (const toml::node& item : *node.as_array()) {
      REEL_ASSIGN(FactValue value, scalar(key, item));
      out.push_back(std::move(value));
    }
    return out;
  }
  Result<FactValue> scalar(const toml::key& key, const toml::node& node) const {
    if (const auto value = node.value_exact<std::string>()) return *value;
    if (const auto value = node.value_exact<bool>()) return *value;
    if (node.is_number()) return node.value<double>().value_or(0);
    return wrong(key, node, "a string, a number, true or false");
  }

  Status read_rules(const toml::node& node, Policy& policy) {
    if (!node.is_array_of_tables()) return invalid("{}: write [[rule]]", place(node.source()));
    for (const toml::node& entry : *node.as_array()) {
      REEL_ASSIGN(PolicyRule rule, read_rule(*entry.as_table()));
      if (!ids_.insert(rule.id).second) {
        return invalid("{}: the id '{}' is there twice", place(entry.source()), rule.id);
      }
      policy.rules.push_back(std::move(rule));
    }
    return {};
  }

  Result<PolicyRule> read_rule(const toml::table& table) {
    PolicyRule rule;
    for (const auto& [key, node] : table) REEL_TRY(read_key(key, node, rule));
    const auto refuse = [&](std::string_view what) -> Failure {
      return invalid("{}: the rule '{}' {}", place(table.source()), rule.id, what);
    };
    if (rule.id.empty()) return invalid("{}: a rule needs an 'id'", place(table.source()));
    if (rule.fact.empty()) return refuse("needs a 'fact'");
    const auto fact = find_fact(rule.fact);
    if (!fact) return refuse(unknown_fact(rule.fact));
    if (!rule.channels.empty() && fact->scope != FactScope::channel) {
      return refuse(fmt::format("has 'channels', and {} is not of channels", rule.fact));
    }
    if (const auto reason = wrong_test(rule.test, *fact); !reason.empty()) return refuse(reason);
    return rule;
  }

  Status read_key(const toml::key& key, const toml::node& node, PolicyRule& rule) const {
    if (key == "id") return into(text(key, node), rule.id);
    if (key == "fact") return into(text(key, node), rule.fact);
    if (key == "why") return into(text(key, node), rule.why);
    if (key == "channels") return into(texts(key, node), rule.channels);
    if (key == "optional") return into(flag(key, node), rule.optional);
    if (key == "equals") return into(scalar(key, node), rule.test.equals);
    if (key == "in") return into(list(key, node), rule.test.in);
    if (key == "min") return into(number(key, node), rule.test.min);
    if (key == "max") return into(number(key, node), rule.test.max);
    if (key == "matches") return into(text(key, node), rule.test.matches);
    if (key == "present") return into(flag(key, node), rule.test.present);
    if (key == "has") return into(texts(key, node), rule.test.has);
    if (key == "only") return into(texts(key, node), rule.test.only);
    if (key != "severity") return unknown(key, kRuleKeys);
    const auto name = node.value_exact<std::string>();
    if (name != "error" && name != "warning") {
      return wrong(key, node, "\"error\" or \"warning\"");
    }
    rule.severity = name == "error" ? Severity::error : Severity::warning;
    return {};
  }

  template <class From, class To>
  static Status into(Result<From> result, To& out) {
    REEL_ASSIGN(out, std::move(result));
    return {};
  }

  static std::string unknown_fact(std::string_view name) {
    std::vector<std::string_view> names;
    for (const FactName& each : fact_names()) names.push_back(each.name);
    return fmt::format("asks for the unknown fact '{}'{}", name.substr(0, kNameShownMax),
                       nearest_hint(name, names));
  }

  //! Why the fact cannot be tested so; empty: it can.
  static std::string wrong_test(const PolicyTest& test, const FactName& fact) {
    const int tests = (test.equals ? 1 : 0) + (test.in ? 1 : 0) + (test.min || test.max ? 1 : 0) +
                      (test.matches ? 1 : 0) + (test.present ? 1 : 0) + (test.has ? 1 : 0) +
                      (test.only ? 1 : 0);
    if (tests != 1) {
      return "needs one of 'equals', 'in', 'min' and 'max', 'matches', 'present', 'has', 'only'";
    }
    const auto is = [&](FactKind kind) { return fact.kind == kind || fact.kind == FactKind::any; };
    const auto fits = [&](const FactValue& value) {
      return std::holds_alternative<std::string>(value) ? is(FactKind::text)
             : std::holds_alternative<double>(value)    ? is(FactKind::number)
                                                        : is(FactKind::flag);
    };
    if ((test.min || test.max) && !is(FactKind::number)) return "has 'min' or 'max' for no number";
    if (test.matches && !is(FactKind::text)) return "has 'matches' for no text";
    if ((test.has || test.only) && !is(FactKind::list)) return "has 'has' or 'only' for no list";
    if (test.equals && !fits(*test.equals)) return "compares with a value of another type";
    if (test.in && !std::all_of(test.in->begin(), test.in->end(), fits)) {
      return "compares with a value of another type";
    }
    return {};
  }

  const std::string_view file_;
  std::set<std::string> ids_;
};

std::string names_of(const std::vector<FactValue>& values) {
  std::string out;
  for (const FactValue& each : values) {
    if (!out.empty()) out += ", ";
    out += fact_text(each);
  }
  return out;
}

std::string names_of(const std::vector<std::string>& values) {
  return fact_text(FactValue(values));
}

}  // namespace

std::string PolicyTest::to_string() const {
  if (equals) return fact_text(*equals);
  if (in) return "one of " + names_of(*in);
  if (matches) return *matches;
  if (present) return *present ? "something" : "none";
  if (has) return "a list with " + names_of(*has);
  if (only) return "only " + names_of(*only);
  if (!max) return fmt::format("at least {}", min.value_or(0));
  return min ? fmt::format("from {} to {}", *min, *max) : fmt::format("at most {}", *max);
}

Result<Policy> parse_policy(std::string_view toml, std::string_view file) {
  toml::table document;
  try {
    document = toml::parse(toml, file);
  } catch (const toml::parse_error& error) {
    return invalid("{}:{}: {}", file, error.source().begin.line, error.description());
  }
  return PolicyReader(file).read(document);
}

Result<Policy> load_policy(const std::string& name_or_file) {
  std::string names;
  for (const PolicyPreset& preset : policy_presets()) {
    if (preset.name == name_or_file) return parse_policy(preset.toml, preset.name);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", preset.name);
  }
  std::ifstream file(name_or_file, std::ios::binary);
  std::string text(kPolicyBytesMax + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (!file.is_open()) || (file.fail() && !file.eof())) {
    return not_found("the policy '{}' is no file that can be read, and none of {}", name_or_file,
                     names);
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kPolicyBytesMax) {
    return fail(Code::too_large, "the policy {} has more than {} bytes", name_or_file,
                kPolicyBytesMax);
  }
  return parse_policy(text, name_or_file);
}

}  // namespace reel::exr
