#include "exr/policy.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "exr/colour.h"
#include "exr/test_headers.h"
#include "json/value.h"

namespace reel::exr {
namespace {

using testing::channel;
using testing::channels;
using testing::make_header;
using testing::PartBuilder;
using Texts = std::vector<std::string>;

Policy parsed(const std::string& toml) {
  auto policy = parse_policy(toml, "p.toml");
  EXPECT_TRUE(policy.has_value()) << policy.error().message();
  return policy ? *std::move(policy) : Policy{};
}

//! A policy of one rule.
Policy one_rule(const std::string& keys) {
  return parsed("name = \"p\"\n[[rule]]\nid = \"r\"\n" + keys);
}

//! "part fact: value, expected" of each breach.
Texts breaches(const Policy& policy, const Header& header, std::string_view path = "a/b.exr") {
  const PolicyReport report = check_policy(
      policy, {.path = path, .header = header, .size_bytes = 1000, .complete = true, .errors = 0});
  Texts texts;
  for (const PolicyBreach& each : report.breaches) {
    texts.push_back(fmt::format("{}: {}, {}", each.part ? std::to_string(*each.part) : "file",
                                each.value, each.expected));
  }
  return texts;
}

Texts breaches(const std::string& keys, const PartBuilder& part = {}) {
  return breaches(one_rule(keys), make_header(part));
}

TEST(PolicyTest, FactsAreTested) {
  EXPECT_EQ(breaches("fact = 'part.compression'\nin = ['zip', 'none']"), Texts{});
  EXPECT_EQ(breaches("fact = 'part.compression'\nin = ['piz', 'none']"),
            Texts{"0: zip, one of piz, none"});
  EXPECT_EQ(breaches("fact = 'part.compression'\nequals = 'piz'"), Texts{"0: zip, piz"});
  EXPECT_EQ(breaches("fact = 'part.data_width'\nmin = 1920\nmax = 1920.0"), Texts{});
  EXPECT_EQ(breaches("fact = 'part.data_width'\nmin = 1921"), Texts{"0: 1920, at least 1921"});
  EXPECT_EQ(breaches("fact = 'part.data_height'\nmax = 1079"), Texts{"0: 1080, at most 1079"});
  EXPECT_EQ(breaches("fact = 'file.size_bytes'\nmin = 1\nmax = 999"),
            Texts{"file: 1000, from 1 to 999"});
  EXPECT_EQ(breaches("fact = 'file.name'\nmatches = 'b.*'"), Texts{});
  EXPECT_EQ(breaches("fact = 'file.name'\nmatches = 'a*'"), Texts{"file: b.exr, a*"});
  EXPECT_EQ(breaches("fact = 'part.channels'\nhas = ['R', '?']"), Texts{});
  EXPECT_EQ(breaches("fact = 'part.channels'\nhas = ['R', 'Z']"),
            Texts{"0: B, G, R, a list with R, Z"});
  EXPECT_EQ(breaches("fact = 'part.channels'\nonly = ['R', 'G']"), Texts{"0: B, G, R, only R, G"});
  EXPECT_EQ(breaches("fact = 'part.windows_equal'\nequals = false"), Texts{"0: true, false"});
  EXPECT_EQ(breaches("fact = 'file.complete'\nequals = true"), Texts{});
}

TEST(PolicyTest, AbsentFactsBreakUnlessOptional) {
  EXPECT_EQ(breaches("fact = 'attribute.owner'\npresent = true"), Texts{"0: none, something"});
  EXPECT_EQ(breaches("fact = 'attribute.owner'\npresent = false"), Texts{});
  EXPECT_EQ(breaches("fact = 'attribute.owner'\npresent = false", PartBuilder().set("owner", "x")),
            Texts{"0: x, none"});
  EXPECT_EQ(breaches("fact = 'attribute.owner'\nequals = 'x'"), Texts{"0: none, x"});
  EXPECT_EQ(breaches("fact = 'attribute.owner'\nequals = 'x'\noptional = true"), Texts{});
  EXPECT_EQ(breaches(one_rule("fact = 'part.compression'\nequals = 'zip'"), Header{}),
            Texts{"file: none, zip"});
}

TEST(PolicyTest, ChannelsAreChosenByPatterns) {
  PartBuilder part;
  auto list = channels({"A", "B", "G", "R"});
  list.push_back(channel("Z", PixelType::float32));
  list.push_back(channel("n.X", PixelType::float32));
  part.set("channels", list);
  EXPECT_EQ(breaches("fact = 'channel.type'\nequals = 'half'", part),
            Texts{"0: Z float, n.X float, half"});
  EXPECT_EQ(breaches("fact = 'channel.type'\nequals = 'half'\nchannels = ['R', 'Z']", part),
            Texts{"0: Z float, half"});
  EXPECT_EQ(breaches("fact = 'channel.type'\nequals = 'half'\nchannels = ['?']", part),
            Texts{"0: Z float, half"});
  for (int i = 0; i < 20; ++i) list.push_back(channel(fmt::format("x{}", i), PixelType::uint32));
  EXPECT_EQ(breaches("fact = 'channel.type'\nin = ['half', 'float']", part.set("channels", list)),
            Texts{"0: x0 uint, x1 uint, x2 uint, x3 uint, x4 uint, x5 uint, x6 uint, x7 uint and "
                  "12 more, one of half, float"});
}

TEST(PolicyTest, EveryPartIsHeldAgainstTheRule) {
  const Part good = PartBuilder().set("name", "a").build();
  const Part bad = PartBuilder().set("name", "b").compression(9).build();
  EXPECT_EQ(breaches(one_rule("fact = 'part.compression'\nequals = 'zip'"),
                     make_header({good, bad, bad})),
            (Texts{"1: dwab, zip", "2: dwab, zip"}));
}

TEST(PolicyTest, AttributesOfEveryTypeHaveAValue) {
  PartBuilder part;
  part.set("i", 3).set("f", 0.5F).set("d", 0.25).set("s", "text");
  part.set("sv", std::vector<std::string_view>{"left", "right"});
  part.set("r", Rational{24000, 1001}).set("v", V2f{{1, 2}}).set("b", testing::box(4, 3));
  part.set("t", TimeCode{0x01020304, 0}).set("m", M44f{}).set_raw("u", "unknown", "x");
  part.set_raw("bad", "int", "x");
  const auto value = [&](const std::string& name) {
    const Texts found = breaches(fmt::format("fact = 'attribute.{}'\npresent = false", name), part);
    return found.empty() ? "" : found[0];
  };
  EXPECT_EQ(value("i"), "0: 3, none");
  EXPECT_EQ(value("f"), "0: 0.5, none");
  EXPECT_EQ(value("d"), "0: 0.25, none");
  EXPECT_EQ(value("s"), "0: text, none");
  EXPECT_EQ(value("sv"), "0: left, right, none");
  EXPECT_EQ(value("r"), "0: 24000/1001, none");
  EXPECT_EQ(value("v"), "0: 1 2, none");
  EXPECT_EQ(value("b"), "0: 0 0 3 2, none");
  EXPECT_EQ(value("t"), "0: 01:02:03:04, none");
  EXPECT_EQ(value("m"), "0: m44f, none");
  EXPECT_EQ(value("u"), "0: unknown, none");
  EXPECT_EQ(value("bad"), "0: malformed, none");
  // A value of another type than was asked for.
  EXPECT_EQ(breaches("fact = 'attribute.s'\nmin = 1", part), Texts{"0: text, at least 1"});
  EXPECT_EQ(breaches("fact = 'attribute.i'\nequals = '3'", part), Texts{"0: 3, 3"});
}

//! Each fact, and a file that has another value of it than the usual one.
TEST(PolicyTest, EveryFactIsKnownAndHasAValue) {
  PartBuilder part;
  part.set("name", "n").set("view", "left").set("colorInteropID", "lin_ap1_scene");
  for (const FactName& fact : fact_names()) {
    const Texts found = breaches(fmt::format("fact = '{}'\npresent = false", fact.name), part);
    EXPECT_EQ(found.size(), 1U) << fact.name;
  }
  const auto named = [&](std::string_view fact) {
    return breaches(fmt::format("fact = '{}'\npresent = false", fact), part).at(0);
  };
  EXPECT_EQ(named("part.colour_space"), "0: lin_ap1_scene, none");
  EXPECT_EQ(named("part.primaries"), "0: ap1, none");
  EXPECT_EQ(named("part.transfer"), "0: lin, none");
  EXPECT_EQ(named("part.tiled"), "0: false, none");
  EXPECT_EQ(named("part.line_order"), "0: increasing, none");
  EXPECT_EQ(named("part.view"), "0: left, none");
}

std::string refusal(const std::string& toml) {
  const auto policy = parse_policy(toml, "p.toml");
  return policy ? "read" : policy.error().message();
}

TEST(PolicyTest, ErrorsNameFileLineAndKey) {
  const std::string head = "name = \"p\"\n[[rule]]\nid = \"r\"\n";
  EXPECT_EQ(refusal("\nname = \"p").substr(0, 16), "p.toml:2: Error ");
  EXPECT_EQ(refusal(""), "p.toml: 'name' is missing");
  EXPECT_EQ(refusal("name = 7"), "p.toml:1: 'name' must be a string that is not empty");
  EXPECT_EQ(refusal("name = 'p'"), "p.toml: there is no [[rule]]");
  EXPECT_EQ(refusal("name = 'p'\nrules = 1"),
            "p.toml:2: unknown key 'rules' (the nearest is 'rule')");
  EXPECT_EQ(refusal("name = 'p'\nrule = 1"), "p.toml:2: write [[rule]]");
  EXPECT_EQ(refusal("name = 'p'\n[[rule]]\nfact = 'file.name'"), "p.toml:2: a rule needs an 'id'");
  EXPECT_EQ(refusal(head), "p.toml:2: the rule 'r' needs a 'fact'");
  EXPECT_EQ(refusal(head + "fact = 'part.compresion'\nequals = 1"),
            "p.toml:2: the rule 'r' asks for the unknown fact 'part.compresion' (the nearest is "
            "'part.compression')");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nequal = 'x'"),
            "p.toml:5: unknown key 'equal' (the nearest is 'equals')");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nmatches = 'x'\nseverity = 'bad'"),
            "p.toml:6: 'severity' must be \"error\" or \"warning\"");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nin = 'x'"),
            "p.toml:5: 'in' must be a list that is not empty");
  EXPECT_EQ(refusal(head + "fact = 'part.channels'\nhas = ['x', 1]"),
            "p.toml:5: 'has' must be a list of strings");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nequals = 2020-01-01"),
            "p.toml:5: 'equals' must be a string, a number, true or false");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\noptional = 1\nmatches = 'x'"),
            "p.toml:5: 'optional' must be true or false");
  EXPECT_EQ(refusal(head + "fact = 'file.size_bytes'\nmin = '1'"),
            "p.toml:5: 'min' must be a number");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nmatches = 'x'\n[[rule]]\nid = 'r'\n"
                           "fact = 'file.name'\nmatches = 'y'"),
            "p.toml:6: the id 'r' is there twice");
}

TEST(PolicyTest, TestsFitTheirFacts) {
  const std::string head = "name = \"p\"\n[[rule]]\nid = \"r\"\n";
  const std::string none =
      "p.toml:2: the rule 'r' needs one of 'equals', 'in', 'min' and 'max', 'matches', 'present', "
      "'has', 'only'";
  EXPECT_EQ(refusal(head + "fact = 'file.name'"), none);
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nmatches = 'x'\nequals = 'x'"), none);
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nmin = 1"),
            "p.toml:2: the rule 'r' has 'min' or 'max' for no number");
  EXPECT_EQ(refusal(head + "fact = 'file.parts'\nmatches = 'x'"),
            "p.toml:2: the rule 'r' has 'matches' for no text");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nhas = ['x']"),
            "p.toml:2: the rule 'r' has 'has' or 'only' for no list");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nequals = 1"),
            "p.toml:2: the rule 'r' compares with a value of another type");
  EXPECT_EQ(refusal(head + "fact = 'part.compression'\nin = ['zip', 3]"),
            "p.toml:2: the rule 'r' compares with a value of another type");
  EXPECT_EQ(refusal(head + "fact = 'file.name'\nmatches = 'x'\nchannels = ['R']"),
            "p.toml:2: the rule 'r' has 'channels', and file.name is not of channels");
}

TEST(PolicyTest, PatternsAreMatched) {
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_TRUE(matches_pattern("", "**"));
  EXPECT_FALSE(matches_pattern("", "?"));
  EXPECT_TRUE(matches_pattern("abc", "a?c"));
  EXPECT_FALSE(matches_pattern("abc", "a?"));
  EXPECT_TRUE(matches_pattern("shot_010.1001.exr", "shot_*.????.exr"));
  EXPECT_FALSE(matches_pattern("shot_010.101.exr", "shot_*.????.exr"));
  EXPECT_TRUE(matches_pattern("aXbXc", "*X?"));
  EXPECT_FALSE(matches_pattern(std::string(10'000, 'a'), "*a*a*a*a*a*b"));
}

TEST(PolicyTest, SeverityDecidesWhetherItFailed) {
  const Header header = make_header(PartBuilder());
  const PolicySubject subject{.path = "a.exr", .header = header};
  const Policy warning = one_rule("fact = 'part.compression'\nequals = 'x'\nseverity = 'warning'");
  EXPECT_EQ(check_policy(warning, subject).breaches.size(), 1U);
  EXPECT_FALSE(check_policy(warning, subject).failed());
  EXPECT_TRUE(check_policy(one_rule("fact = 'part.compression'\nequals = 'x'"), subject).failed());
}

TEST(PolicyTest, ReportsAreWritten) {
  const Header header = make_header(PartBuilder());
  const Policy policy = parsed(
      "name = 'p'\n[[rule]]\nid = 'a'\nfact = 'part.deep'\nequals = false\n[[rule]]\nid = 'b'\n"
      "fact = 'part.compression'\nequals = 'piz'\nwhy = 'w'\nseverity = 'warning'");
  const PolicyReport report = check_policy(policy, {.path = "x.exr", .header = header});
  std::string text;
  json::Writer writer(text);
  write_policy_report(writer, policy, "x.exr", report);
  EXPECT_EQ(text, R"({"path":"x.exr","policy":"p","status":"ok","passed":["a"],"breaches":[)"
                  R"({"rule":"b","severity":"warning","part":0,"fact":"part.compression",)"
                  R"("value":"zip","expected":"piz","why":"w"}]})");
  EXPECT_EQ(policy_report_text("x.exr", report),
            "x.exr: warning: part 0: b: part.compression is zip, expected piz\n");
  EXPECT_EQ(policy_report_text("x.exr", {}), "x.exr: ok\n");
}

// ---- presets: a file that passes, and for each rule one that breaks it alone

struct Sample {
  std::string rule;
  std::function<void(PartBuilder&)> spoil = [](PartBuilder&) {};
  std::uint32_t flags = 0;
  PolicySubject subject = {.path = "shot.1001.exr", .header = kNone, .complete = true};

  static inline const Header kNone = {};
};

void expect_breaks_each(const std::string& preset, const PartBuilder& good,
                        const std::vector<Sample>& samples) {
  const auto policy = load_policy(preset);
  ASSERT_TRUE(policy.has_value()) << policy.error().message();
  std::set<std::string> broken;
  for (const Sample& sample : samples) {
    PartBuilder part = good;
    sample.spoil(part);
    const Header header = make_header(part, sample.flags);
    const PolicySubject subject{.path = sample.subject.path,
                                .header = header,
                                .size_bytes = sample.subject.size_bytes,
                                .complete = sample.subject.complete,
                                .errors = sample.subject.errors};
    const PolicyReport report = check_policy(*policy, subject);
    Texts ids;
    for (const PolicyBreach& each : report.breaches) ids.push_back(each.rule->id);
    EXPECT_EQ(ids, sample.rule.empty() ? Texts{} : Texts{sample.rule}) << preset;
    broken.insert(sample.rule);
  }
  for (const PolicyRule& rule : policy->rules) EXPECT_TRUE(broken.contains(rule.id)) << rule.id;
}

constexpr std::uint32_t kTiled = 0x200;
constexpr std::uint32_t kDeep = 0x800;
constexpr std::uint32_t kMultipart = 0x1000;

const PolicySubject kIncomplete{.path = "a.exr", .header = Sample::kNone, .complete = false};
const PolicySubject kWithErrors{
    .path = "a.exr", .header = Sample::kNone, .complete = true, .errors = 1};

TEST(PolicyPresetTest, NetflixVfx) {
  PartBuilder good;
  good.windows(3840, 2160).set("type", "scanlineimage");
  expect_breaks_each(
      "netflix-vfx", good,
      {{.rule = ""},
       {.rule = "", .spoil = [](auto& part) { part.set("colorInteropID", "lin_ap1_scene"); }},
       {.rule = "complete", .subject = kIncomplete},
       {.rule = "valid", .subject = kWithErrors},
       {.rule = "compression", .spoil = [](auto& part) { part.compression(8); }},
       {.rule = "half",
        .spoil =
            [](auto& part) {
              part.set("channels", channels({"B", "G", "R"}, PixelType::float32));
            }},
       {.rule = "width", .spoil = [](auto& part) { part.windows(3839, 2160); }},
       {.rule = "linear",
        .spoil = [](auto& part) { part.set("colorInteropID", "srgb_rec709_display"); }},
       {.rule = "flat",
        .spoil = [](auto& part) { part.set("type", "deepscanline"); },
        .flags = kDeep}});
}

TEST(PolicyPresetTest, AcesContainer) {
  PartBuilder good;
  good.compression(0).set("acesImageContainerFlag", 1).set("type", "scanlineimage");
  good.set("chromaticities", all_known_primaries().at(1).chromaticities);
  const auto with_channel = [](const Channel& extra) {
    return [extra](PartBuilder& part) {
      auto list = channels({"B", "G", "R"});
      list.push_back(extra);
      part.set("channels", list);
    };
  };
  Channel half_columns = channel("A");
  half_columns.x_sampling = 2;
  Channel half_rows = channel("A");
  half_rows.y_sampling = 2;
  expect_breaks_each(
      "aces-container", good,
      {{.rule = ""},
       {.rule = "", .spoil = with_channel(channel("right.R"))},
       {.rule = "complete", .subject = kIncomplete},
       {.rule = "valid", .subject = kWithErrors},
       {.rule = "one-part", .flags = kMultipart},
       {.rule = "container-flag",
        .spoil = [](auto& part) { part.set("acesImageContainerFlag", 2); }},
       {.rule = "chromaticities", .spoil = [](auto& part) { part.erase("chromaticities"); }},
       {.rule = "one-colour", .spoil = [](auto& part) { part.set("colorSpace", "ACEScg"); }},
       {.rule = "compression", .spoil = [](auto& part) { part.compression(2); }},
       {.rule = "half", .spoil = with_channel(channel("A", PixelType::float32))},
       {.rule = "rgb", .spoil = [](auto& part) { part.set("channels", channels({"B", "G"})); }},
       {.rule = "rgba-only", .spoil = with_channel(channel("Z"))},
       {.rule = "columns", .spoil = with_channel(half_columns)},
       {.rule = "rows", .spoil = with_channel(half_rows)},
       {.rule = "scan-lines", .flags = kTiled},
       {.rule = "flat",
        .spoil = [](auto& part) { part.set("type", "deepscanline"); },
        .flags = kDeep}});
}

TEST(PolicyPresetTest, Studio) {
  PartBuilder good;
  auto list = channels({"B", "G", "R"});
  list.push_back(channel("Z", PixelType::float32));
  good.set("channels", list).set("owner", "us").set("timeCode", TimeCode{0, 0});
  good.set("framesPerSecond", Rational{24, 1});
  good.set("chromaticities", all_known_primaries().at(0).chromaticities);
  PolicySubject large = Sample{}.subject;
  large.size_bytes = 2'000'000'001;
  PolicySubject png = Sample{}.subject;
  png.path = "dir.exr/a.png";
  expect_breaks_each(
      "studio", good,
      {{.rule = ""},
       {.rule = "complete", .subject = kIncomplete},
       {.rule = "valid", .subject = kWithErrors},
       {.rule = "file-name", .subject = png},
       {.rule = "file-size", .subject = large},
       {.rule = "compression", .spoil = [](auto& part) { part.compression(6); }},
       {.rule = "square-pixels", .spoil = [](auto& part) { part.set("pixelAspectRatio", 1.5F); }},
       {.rule = "depth-is-float",
        .spoil = [](auto& part) { part.set("channels", channels({"R", "d.Z"})); }},
       {.rule = "owner", .spoil = [](auto& part) { part.erase("owner"); }},
       {.rule = "time-code", .spoil = [](auto& part) { part.erase("timeCode"); }},
       {.rule = "frame-rate",
        .spoil = [](auto& part) { part.set("framesPerSecond", Rational{23, 1}); }},
       {.rule = "colour-known", .spoil = [](auto& part) { part.erase("chromaticities"); }},
       {.rule = "one-colour", .spoil = [](auto& part) { part.set("acesImageContainerFlag", 1); }}});
}

TEST(PolicyPresetTest, PoliciesAreFoundByNameOrFile) {
  const auto missing = load_policy("no-such-policy");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message(),
            "the policy 'no-such-policy' is no file that can be read, and none of netflix-vfx, "
            "aces-container, studio");
  EXPECT_FALSE(load_policy("/").has_value());
  const auto path = std::filesystem::temp_directory_path() /
                    fmt::format("reel-policy-{}.toml", static_cast<const void*>(&missing));
  std::ofstream(path) << "name = 'mine'\n[[rule]]\nid = 'a'\nfact = 'file.name'\nmatches = '*'\n";
  const auto policy = load_policy(path.string());
  ASSERT_TRUE(policy.has_value()) << policy.error().message();
  EXPECT_EQ(policy->name, "mine");
  std::ofstream(path) << std::string((1 << 20) + 1, '#');
  EXPECT_EQ(load_policy(path.string()).error().code(), Code::too_large);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace reel::exr
