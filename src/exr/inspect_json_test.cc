#include "exr/inspect_json.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exr/test_bytes.h"

namespace reel::exr {
namespace {

using test::attribute;
using test::channel;
using test::raw;

std::string value(std::string_view type, std::string_view bytes) {
  Attribute attribute;
  attribute.type = type;
  attribute.bytes = bytes;
  std::string out;
  json::Writer writer(out);
  write_value(writer, attribute);
  return out;
}

std::string line(std::string_view bytes) {
  MemorySource source(bytes);
  return to_json(inspect(source, "a.exr"));
}

TEST(InspectJson, Numbers) {
  EXPECT_EQ(value("int", raw(-7)), "-7");
  EXPECT_EQ(value("float", raw(0.1F)), "0.1");
  EXPECT_EQ(value("double", raw(0.1)), "0.1");
  EXPECT_EQ(value("float", raw(0.F)), "0");
  EXPECT_EQ(value("float", raw(1e20F)), "1e+20");
  EXPECT_EQ(value("double", raw(123456789012345680000.)), "1.2345678901234568e+20");
  EXPECT_EQ(value("float", raw(std::numeric_limits<float>::denorm_min())), "1e-45");
  EXPECT_EQ(value("float", raw(-0.F)), R"({"float":"-0","bits":"80000000"})");
  EXPECT_EQ(value("float", raw(-INFINITY)), R"({"float":"-inf","bits":"ff800000"})");
  EXPECT_EQ(value("float", raw(0x7fc00001)), R"({"float":"nan","bits":"7fc00001"})");
  EXPECT_EQ(value("double", raw(0xfff8000000000002)),
            R"({"float":"-nan","bits":"fff8000000000002"})");
}

TEST(InspectJson, Text) {
  EXPECT_EQ(value("string", "a\"\n\xC3\xA9"), "\"a\\\"\\n\xC3\xA9\"");
  EXPECT_EQ(value("string", std::string("a\0b", 3)), "\"a\\u0000b\"");
  EXPECT_EQ(value("string", "caf\xE9"), R"({"base64url":"Y2Fm6Q"})");
  EXPECT_EQ(value("string", ""), "\"\"");
  EXPECT_EQ(value("stringvector", raw(1) + "a" + raw(1) + "\xff"), R"(["a",{"base64url":"_w"}])");
}

TEST(InspectJson, Structures) {
  EXPECT_EQ(value("v2i", raw(1, -2)), "[1,-2]");
  EXPECT_EQ(value("box2i", raw(1, 2, 3, 4)), R"({"min":[1,2],"max":[3,4]})");
  EXPECT_EQ(value("m33f", std::string(36, '\0')), "[0,0,0,0,0,0,0,0,0]");
  EXPECT_EQ(value("compression", "\x03"), "\"zip\"");
  EXPECT_EQ(value("compression", "\x63"), "99");
  EXPECT_EQ(value("lineOrder", "\x01"), "\"decreasing\"");
  EXPECT_EQ(value("rational", raw(24000, 1001)), R"({"numerator":24000,"denominator":1001})");
  EXPECT_EQ(value("timecode", raw(-1, 5)), R"({"time_and_flags":4294967295,"user_data":5})");
  EXPECT_EQ(value("tiledesc", raw(64, 32) + '\x11'),
            R"({"x_size":64,"y_size":32,"level_mode":"mipmap","rounding_mode":"up"})");
  EXPECT_EQ(value("tiledesc", raw(64, 32) + '\x53'),
            R"({"x_size":64,"y_size":32,"level_mode":3,"rounding_mode":5})");
  EXPECT_EQ(value("bytes", raw(3) + "pngdata"),
            R"({"type_hint":"png","data":{"base64url":"ZGF0YQ"}})");
  EXPECT_EQ(value("preview", raw(1, 1) + "rgba"),
            R"({"width":1,"height":1,"rgba":{"base64url":"cmdiYQ"}})");
  std::string odd = channel("Y", 7, 2, 1) + '\0';
  odd[2 + 6] = '\x0a';
  EXPECT_EQ(value("chlist", odd),
            R"([{"name":"Y","pixel_type":7,"p_linear":0,"reserved":"000a00","x_sampling":2,)"
            R"("y_sampling":1}])");
}

TEST(InspectJson, WhatHasNoMeaningStaysBytes) {
  EXPECT_EQ(value("studio", "abc"), R"({"base64url":"YWJj"})");
  EXPECT_EQ(value("idmanifest", "abc"), R"({"base64url":"YWJj"})");
  EXPECT_EQ(value("float", "abc"), R"({"malformed":"YWJj"})");
}

TEST(InspectJson, LargeValuesAreToldByTheirDigest) {
  const std::string most(kValueBytesMax, 'a');
  EXPECT_EQ(value("string", most), "\"" + most + "\"");
  EXPECT_EQ(value("string", most + "a"),
            fmt::format(R"({{"sha256":"{}","bytes":65537}})", to_hex(sha256(most + "a"))));
}

TEST(InspectJson, ALine) {
  const std::string text = line(test::file());
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto parsed = json::parse(text);
  ASSERT_TRUE(parsed.has_value()) << text;
  EXPECT_EQ(*parsed->find("path"), "a.exr");
  EXPECT_EQ(*parsed->find("status"), "ok");
  EXPECT_TRUE(parsed->find("findings")->as_array()->empty());
  EXPECT_EQ(parsed->find("attributes")->as_array()->size(), 8U);
  EXPECT_EQ(parsed->find("channels")->as_array()->size(), 3U);
  const json::Value& part = parsed->find("parts")->as_array()->at(0);
  EXPECT_EQ(*part.find("compression"), "none");
  EXPECT_EQ(*part.find("data_window"), *json::parse(R"({"min":[0,0],"max":[3,1]})"));
  EXPECT_EQ(*part.find("chunks"),
            *json::parse(R"({"computed":2,"checked":2,"unfinished":0,"outside":0})"));
  EXPECT_EQ(*parsed->find("file")->find("complete"), true);
}

TEST(InspectJson, FindingsAndOddNames) {
  const auto parsed = json::parse(line(test::file(attribute("\xff", "f", "") + test::required())));
  ASSERT_TRUE(parsed.has_value());
  const json::Value& finding = parsed->find("findings")->as_array()->at(0);
  EXPECT_EQ(*finding.find("code"), "unknown_type");
  EXPECT_EQ(*finding.find("severity"), "note");
  EXPECT_EQ(*finding.find("part"), 0);
  EXPECT_EQ(*finding.find("offset"), 8);
  EXPECT_EQ(*finding.find("attribute"), *json::parse(R"({"base64url":"_w"})"));
  EXPECT_EQ(*parsed->find("attributes")->as_array()->at(0).find("name"),
            *json::parse(R"({"base64url":"_w"})"));
}

}  // namespace
}  // namespace reel::exr
