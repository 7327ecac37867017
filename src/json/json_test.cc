#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "json/shape.h"
#include "json/value.h"
#include "json/writer.h"

namespace reel::json {
namespace {

std::string round_trip(std::string_view text) {
  auto value = parse(text);
  return value ? to_text(*value) : "error: " + value.error().message();
}

TEST(JsonValue, WritesWhatItRead) {
  const std::string_view text =
      R"({"a":[1,-2,18446744073709551615,1.5,true,false,null],"b":{"c":"x\"\\\n\u0001é😀"}})";
  EXPECT_EQ(round_trip(text), text);
}

TEST(JsonValue, LargeDoublesStayDoubles) {
  EXPECT_EQ(round_trip("566000153995510616580.6"), "5.660001539955106e+20");
  EXPECT_EQ(round_trip("-1e300"), "-1e+300");
  EXPECT_EQ(round_trip("9007199254740991.0"), "9007199254740991");
}

TEST(JsonValue, IntegersBeyond64BitsAreDoubles) {
  const auto read = parse(R"({"a":[-123456789012345678901234567890,0.12345678901234567890123,
      18446744073709551615,1e300],"12345678901234567890123":"12345678901234567890123\\\""})");
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read),
            R"({"a":[-1.2345678901234568e+29,0.12345678901234568,18446744073709551615,1e+300],)"
            R"("12345678901234567890123":"12345678901234567890123\\\""})");
  EXPECT_FALSE(parse("[12345678901234567890123 4]"));
  EXPECT_FALSE(parse("[1234567890123456789012-]"));
  EXPECT_FALSE(parse("[1e999]"));
}

TEST(JsonValue, RefusesBrokenDocuments) {
  for (const std::string_view text :
       {"", "{", "[1,]", "{\"a\":1,}", "nul", "\"\xff\"", "1 2", "{\"a\" 1}", "'a'", "[01]"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

TEST(JsonValue, NamesTheSecondOccurrenceOfAName) {
  const auto value = parse(R"({"x":{"a/b":1,"a/b":2}})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().pointer(), "/x/a~1b");
}

TEST(JsonValue, DepthIsBoundedAtTheLimit) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(parse(nested(8), 10));
  EXPECT_FALSE(parse(nested(12), 10));
}

TEST(JsonValue, EqualityIgnoresMemberOrderAndNumberForm) {
  EXPECT_TRUE(*parse(R"({"a":1,"b":[2]})") == *parse(R"({"b":[2.0],"a":1})"));
  EXPECT_FALSE(*parse(R"({"a":1})") == *parse(R"({"a":1,"b":null})"));
  EXPECT_FALSE(*parse("9007199254740993") == *parse("9007199254740992"));
}

TEST(JsonValue, SetAndErase) {
  Value value;
  value.set("a", 1);
  value.set("b", "x");
  value.set("a", Array{Value(true)});
  EXPECT_EQ(to_text(value), R"({"a":[true],"b":"x"})");
  EXPECT_TRUE(value.erase("a"));
  EXPECT_FALSE(value.erase("a"));
  EXPECT_EQ(to_text(value), R"({"b":"x"})");
}

TEST(JsonWriter, ReplacesInvalidUtf8AndNonNumbers) {
  std::string out;
  Writer writer(out);
  writer.begin_array();
  writer.string(
      "a\xff"
      "b\xed\xa0\x80"
      "c");
  writer.number(std::numeric_limits<double>::quiet_NaN());
  writer.end_array();
  EXPECT_EQ(out,
            "[\"a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "c\",null]");
  EXPECT_TRUE(parse(out));
}

Status even(std::string_view text) {
  if (text.size() % 2 != 0) return invalid("'{}' has an odd length", text);
  return {};
}

Shape sample() {
  return Shape::object(
      {required("id", Shape::form("even", "^(..)*$", even)), optional("n", Shape::integer(0, 10)),
       optional("tags",
                Shape::dictionary(Shape::either(Shape::string(), Shape::array(Shape::string())))),
       optional("inner", Shape::object({optional("x", Shape::boolean())}, Shape::Extra::forbid))});
}

TEST(JsonShape, NamesPointerAndRule) {
  const auto error = [](std::string_view text) {
    const Status status = sample().check(*parse(text));
    return status ? std::string("ok") : status.error().pointer() + ": " + status.error().message();
  };
  EXPECT_EQ(error(R"({"id":"ab","extra":1})"), "ok");
  EXPECT_EQ(error(R"({})"), ": the member 'id' is required");
  EXPECT_EQ(error(R"({"id":"abc"})"), "/id: 'abc' has an odd length");
  EXPECT_EQ(error(R"({"id":"ab","n":11})"), "/n: 11 is not in the range 0 to 10");
  EXPECT_EQ(error(R"({"id":"ab","n":1.5})"), "/n: must be an integer, not 1.5");
  EXPECT_EQ(error(R"({"id":"ab","tags":{"a":["x",3]}})"), "/tags/a/1: must be a string, not 3");
  EXPECT_EQ(error(R"({"id":"ab","tags":{"a":3}})"), "/tags/a: must be an array, not 3");
  EXPECT_EQ(error(R"({"id":"ab","inner":{"y":1}})"), "/inner/y: unknown member 'y'");
  EXPECT_EQ(error(R"([])"), ": must be an object, not []");
}

TEST(JsonShape, TaggedVariantsAndRules) {
  const Shape shape =
      Shape::tagged("kind", {{"a", Shape::object({required("x", Shape::boolean())})},
                             {"b", Shape::object({})}})
          .with_rule([](const Value& value) -> Status {
            if (value.find("y") != nullptr) return at("/y", invalid("y is never allowed"));
            return {};
          });
  EXPECT_TRUE(shape.check(*parse(R"({"kind":"b"})")));
  EXPECT_EQ(shape.check(*parse(R"({"kind":"a"})")).error().message(), "the member 'x' is required");
  EXPECT_EQ(shape.check(*parse(R"({"kind":"c"})")).error().pointer(), "/kind");
  EXPECT_EQ(shape.check(*parse(R"({"kind":"b","y":1})")).error().pointer(), "/y");
}

TEST(JsonShape, SchemaRefersToNamedParts) {
  const Shape named = Shape::choice({"a", "b"}).named("Letter");
  std::string out;
  Writer writer(out);
  Shape::array(named, 1).write_schema(writer);
  EXPECT_EQ(out, R"({"type":"array","minItems":1,"items":{"$ref":"#/components/schemas/Letter"}})");
}

TEST(JsonShape, ReadsTextForms) {
  EXPECT_TRUE(Shape::boolean().check_text("true"));
  for (const std::string_view text : {"True", "1", "", "yes", " true"}) {
    EXPECT_FALSE(Shape::boolean().check_text(text)) << text;
  }
  const Shape count = Shape::integer(1, 1000);
  EXPECT_TRUE(count.check_text("1"));
  EXPECT_TRUE(count.check_text("1000"));
  for (const std::string_view text : {"0", "1001", "1.5", "+5", " 5", "5 ", "0x5", "", "five"}) {
    EXPECT_FALSE(count.check_text(text)) << text;
  }
  EXPECT_TRUE(Shape::string().check_text("true"));
  EXPECT_FALSE(Shape::choice({"a", "b"}).check_text("c"));
}

TEST(JsonShape, SchemaOfVariantsNamesTheTag) {
  std::string text;
  Writer out(text);
  Shape::tagged("kind", {{"a", Shape::object({}).named("A")}}).write_schema(out);
  EXPECT_EQ(text, R"({"oneOf":[{"properties":{"kind":{"const":"a"}},"required":["kind"],)"
                  R"("allOf":[{"$ref":"#/components/schemas/A"}]}]})");
}

}  // namespace
}  // namespace reel::json
