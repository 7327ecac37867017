#include <algorithm>

#include "exr/policy.h"

namespace reel::exr {
namespace {

bool fits_any(std::string_view text, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches_pattern(text, pattern); });
}

//! A list against `has` or `only`.
bool list_passes(const PolicyTest& test, const std::vector<std::string>& items) {
  if (test.only) {
    return std::all_of(items.begin(), items.end(),
                       [&](const std::string& item) { return fits_any(item, *test.only); });
  }
  return test.has &&
         std::all_of(test.has->begin(), test.has->end(), [&](const std::string& pattern) {
           return std::any_of(items.begin(), items.end(), [&](const std::string& item) {
             return matches_pattern(item, pattern);
           });
         });
}

//! A value of another type than the test's passes none.
bool passes(const PolicyTest& test, const FactValue& value) {
  if (test.present) return *test.present;
  if (test.equals) return value == *test.equals;
  if (test.in) return std::find(test.in->begin(), test.in->end(), value) != test.in->end();
  if (const auto* number = std::get_if<double>(&value)) {
    return (test.min || test.max) && (!test.min || *number >= *test.min) &&
           (!test.max || *number <= *test.max);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return test.matches && matches_pattern(*text, *test.matches);
  }
  const auto* items = std::get_if<std::vector<std::string>>(&value);
  return items != nullptr && list_passes(test, *items);
}

//! Holds the rules against one file.
class Checker {
 public:
  explicit Checker(const PolicySubject& subject) : subject_(subject) {}

  PolicyReport run(const Policy& policy) {
    for (const PolicyRule& rule : policy.rules) {
      const std::size_t before = report_.breaches.size();
      check(rule);
      if (report_.breaches.size() == before) report_.passed.push_back(rule.id);
    }
    return std::move(report_);
  }

 private:
  static constexpr std::size_t kShownMax = 200;

  void check(const PolicyRule& rule) {
    const auto fact = find_fact(rule.fact);
    REEL_CHECK(fact.has_value());  // parse_policy() has looked
    if (fact->scope == FactScope::file) {
      return judge(rule, std::nullopt, file_fact(rule.fact, subject_));
    }
    for (std::uint32_t part = 0; part < subject_.header.parts.size(); ++part) {
      if (fact->scope == FactScope::part) {
        judge(rule, part, part_fact(rule.fact, subject_, part));
      } else {
        judge_channels(rule, part);
      }
    }
    // A file without parts fulfils nothing that is asked of parts.
    if (subject_.header.parts.empty()) judge(rule, std::nullopt, std::nullopt);
  }

  void judge(const PolicyRule& rule, std::optional<std::uint32_t> part,
             const std::optional<FactValue>& value) {
    if (!value) {
      const bool wanted = rule.test.present ? *rule.test.present : !rule.optional;
      if (wanted) breach(rule, part, "none");
    } else if (!passes(rule.test, *value)) {
      breach(rule, part, fact_text(*value));
    }
  }

  //! One breach for all channels of a part that break the rule.
  void judge_channels(const PolicyRule& rule, std::uint32_t part) {
    constexpr std::size_t kTold = 8;
    std::string value;
    std::size_t broken = 0;
    for (const ChannelFact& fact : channel_facts(rule.fact, subject_.header.parts[part])) {
      if (!rule.channels.empty() && !fits_any(fact.channel, rule.channels)) continue;
      if (passes(rule.test, fact.value) || ++broken > kTold) continue;
      if (!value.empty()) value += ", ";
      value += fmt::format("{} {}", fact.channel, fact_text(fact.value));
    }
    if (broken > kTold) value += fmt::format(" and {} more", broken - kTold);
    if (broken > 0) breach(rule, part, std::move(value));
  }

  void breach(const PolicyRule& rule, std::optional<std::uint32_t> part, std::string value) {
    if (value.size() > kShownMax) value = value.substr(0, kShownMax) + "…";
    report_.breaches.push_back({&rule, part, std::move(value), rule.test.to_string()});
  }

  const PolicySubject& subject_;
  PolicyReport report_;
};

}  // namespace

bool PolicyReport::failed() const {
  return std::any_of(breaches.begin(), breaches.end(), [](const PolicyBreach& each) {
    return each.rule->severity == Severity::error;
  });
}

PolicyReport check_policy(const Policy& policy, const PolicySubject& subject) {
  return Checker(subject).run(policy);
}

void write_policy_report(json::Writer& out, const Policy& policy, std::string_view path,
                         const PolicyReport& report) {
  out.begin_object();
  out.field("path", path);
  out.field("policy", policy.name);
  out.field("status", report.failed() ? "broken" : "ok");
  out.key("passed");
  out.begin_array();
  for (const std::string& id : report.passed) out.string(id);
  out.end_array();
  out.key("breaches");
  out.begin_array();
  for (const PolicyBreach& breach : report.breaches) {
    out.begin_object();
    out.field("rule", breach.rule->id);
    out.field("severity", severity_name(breach.rule->severity));
    if (breach.part) out.field("part", std::uint64_t{*breach.part});
    out.field("fact", breach.rule->fact);
    out.field("value", breach.value);
    out.field("expected", breach.expected);
    if (!breach.rule->why.empty()) out.field("why", breach.rule->why);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

std::string policy_report_text(std::string_view path, const PolicyReport& report) {
  if (report.breaches.empty()) return fmt::format("{}: ok\n", path);
  std::string out;
  for (const PolicyBreach& breach : report.breaches) {
    out += fmt::format("{}: {}: ", path, severity_name(breach.rule->severity));
    if (breach.part) out += fmt::format("part {}: ", *breach.part);
    out += fmt::format("{}: {} is {}, expected {}\n", breach.rule->id, breach.rule->fact,
                       breach.value, breach.expected);
  }
  return out;
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  // Where to go on after the last star, should the text behind it not fit.
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  std::size_t t = 0;
  std::size_t p = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace reel::exr
