#include "exr/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/test_bytes.h"
#include "exr/walker.h"

namespace reel::exr {
namespace {

using test::attribute;
using test::channel;
using test::raw;
using testing::ElementsAre;
using testing::IsEmpty;

Header header_of(std::string_view parts, std::uint32_t flags = 0) {
  const std::string bytes = test::header(parts, flags);
  MemorySource source(bytes);
  Result<Walk> walk = exr::walk(source);
  REEL_CHECK(walk.has_value() && walk->whole);
  return std::move(walk->header);
}

std::vector<std::string> lines(const std::vector<Difference>& differences) {
  std::vector<std::string> out;
  for (const Difference& each : differences) {
    out.push_back(fmt::format("{} {} {}: {} | {}", kind_name(each.kind), each.part, each.name,
                              each.first, each.second));
  }
  return out;
}

std::string text(std::string_view name, std::string_view value) {
  return attribute(name, "string", value);
}

TEST(Diff, OrderIsNoDifference) {
  const Header one = header_of(text("a", "1") + text("b", "2"));
  EXPECT_THAT(diff(one, header_of(text("b", "2") + text("a", "1"))), IsEmpty());
}

TEST(Diff, Attributes) {
  const Header one = header_of(text("a", "1") + text("b", "2") + text("c", "3"));
  const Header other = header_of(text("a", "1") + attribute("b", "int", raw(2)) + text("d", "4"));
  EXPECT_THAT(
      lines(diff(one, other)),
      ElementsAre(R"(attribute 0 b: {"type":"string","value":"2"} | {"type":"int","value":2})",
                  R"(attribute 0 c: {"type":"string","value":"3"} | )",
                  R"(attribute 0 d:  | {"type":"string","value":"4"})"));
  EXPECT_THAT(diff(one, other, {"b", "c", "d"}), IsEmpty());
}

TEST(Diff, ChannelsOneByOne) {
  const auto with = [](const std::string& channels) {
    return header_of(attribute("channels", "chlist", channels + '\0'));
  };
  EXPECT_THAT(
      lines(diff(with(channel("A") + channel("B")), with(channel("B", 2) + channel("C")))),
      ElementsAre(testing::StartsWith("channel 0 A: {\"name\":\"A\",\"pixel_type\":\"half\""),
                  testing::HasSubstr("\"pixel_type\":\"float\""),
                  testing::StartsWith("channel 0 C:  | {")));
  EXPECT_THAT(lines(diff(with(channel("A")), header_of(attribute("channels", "chlist", "x")))),
              ElementsAre(testing::StartsWith("attribute 0 channels: ")));
}

TEST(Diff, PartsByName) {
  const auto part = [](std::string_view name, std::string_view owner) {
    return text("name", name) + text("owner", owner);
  };
  const Header one = header_of(part("a", "x") + '\0' + part("b", "y"), 0x1000);
  const Header turned = header_of(part("b", "y") + '\0' + part("a", "x"), 0x1000);
  EXPECT_THAT(diff(one, turned), IsEmpty());
  const Header other = header_of(part("b", "z") + '\0' + part("c", "x"), 0x1000);
  EXPECT_THAT(lines(diff(one, other)),
              ElementsAre("part a : true | ",
                          R"(attribute b owner: {"type":"string","value":"y"} | )"
                          R"({"type":"string","value":"z"})",
                          "part c :  | true"));
  EXPECT_THAT(lines(diff(header_of(text("a", "")), header_of(text("a", ""), 0x400))),
              ElementsAre("version_word  : 2 | 1026"));
}

TEST(Diff, PartsWithoutANameOfTheirOwn) {
  const Header one = header_of(text("name", "a") + '\0' + text("name", "a"), 0x1000);
  EXPECT_THAT(diff(one, one), IsEmpty());
}

}  // namespace
}  // namespace reel::exr
