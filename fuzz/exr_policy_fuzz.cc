// links: exr
//! Any bytes as a policy: what is read can be held against a file, and the report is JSON.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exr/policy.h"
#include "exr/test_headers.h"
#include "json/value.h"

namespace {

using namespace reel::exr;

//! Two parts with a value for most facts.
const Header& header() {
  static const Header made = [] {
    testing::PartBuilder first;
    first.set("name", "a").set("view", "left").set("owner", "us").set("number", 7);
    first.set("type", "scanlineimage").set("colorInteropID", "lin_ap1_scene");
    testing::PartBuilder second;
    second.set("name", "b").set("channels", testing::channels({"Z"}, PixelType::float32));
    return testing::make_header({first.build(), second.build()});
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto policy =
      parse_policy(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.toml");
  if (!policy) {
    REEL_CHECK(policy.error().message().starts_with("fuzz.toml:"));
    return 0;
  }
  const PolicyReport report = check_policy(
      *policy, {.path = "a.1001.exr", .header = header(), .size_bytes = 7, .complete = true});
  REEL_CHECK(!policy->rules.empty());
  REEL_CHECK(report.passed.size() <= policy->rules.size());
  std::string text;
  reel::json::Writer writer(text);
  write_policy_report(writer, *policy, "a.1001.exr", report);
  REEL_CHECK(reel::json::parse(text).has_value());
  return 0;
}
