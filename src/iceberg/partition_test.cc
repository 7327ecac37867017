#include "iceberg/partition.h"

#include <gtest/gtest.h>

#include "iceberg/single_value.h"

namespace reel::iceberg {
namespace {

using store::Binary;
using store::Date;
using store::Decimal;
using Value = store::Value;

std::int32_t hash_of(const Type& type, const Value& value) {
  return bucket_hash(*to_bytes(type, value));
}

Value applied(std::string_view transform, const Type& type, const Value& value) {
  const auto result = Transform::parse(transform)->apply(type, value);
  return result ? *result : Value(std::string(result.error().message()));
}

Instant instant(std::string_view text) { return *Instant::parse(text); }

const Type kInt = Type::of(TypeKind::int32);
const Type kLong = Type::of(TypeKind::int64);
const Type kDate = Type::of(TypeKind::date);
const Type kTime = Type::of(TypeKind::timestamptz);
const Type kText = Type::of(TypeKind::string);

// Appendix B of the specification.
TEST(Bucket, HashesAreThoseOfTheSpecification) {
  EXPECT_EQ(hash_of(kLong, 34), 2017239379);
  EXPECT_EQ(hash_of(Type::decimal(9, 2), Decimal{1420}), -500754589);
  EXPECT_EQ(hash_of(kTime, instant("2017-11-16T22:31:08Z")), -2047944441);
  EXPECT_EQ(hash_of(kTime, instant("2017-11-16T14:31:08.000001-08:00")), -1207196810);
  EXPECT_EQ(hash_of(Type::of(TypeKind::time), std::int64_t{81'068'000'000}), -662762989);
  EXPECT_EQ(hash_of(kText, "iceberg"), 1210000089);
  EXPECT_EQ(hash_of(Type::of(TypeKind::uuid), *Uuid::parse("f79c3e09-677c-4bbd-a479-3f349cb785e7")),
            1488055340);
  EXPECT_EQ(hash_of(Type::of(TypeKind::binary), Binary{std::string("\0\1\2\3", 4)}), -188683207);
}

TEST(Bucket, IsTheHashWithoutItsSignModuloTheCount) {
  constexpr std::int64_t kAll = INT32_MAX;  // leaves the hash as it is, but for its sign
  const std::string all = fmt::format("bucket[{}]", kAll);
  EXPECT_TRUE(applied("bucket[16]", kInt, 34) == Value(2017239379 % 16));
  EXPECT_TRUE(applied("bucket[16]", kLong, 34) == Value(2017239379 % 16));
  // 2017-11-16 is day 17486; its hash is -653330422.
  EXPECT_TRUE(applied(all, kDate, Date{17486}) == Value((-653330422 & INT32_MAX) % kAll));
  EXPECT_TRUE(applied("bucket[100]", kText, "iceberg") == Value(89));
  EXPECT_TRUE(applied("bucket[7]", kText, Value()).is_null());
}

TEST(Truncate, CutsDownAlsoBelowZero) {
  for (const Type& type : {kInt, kLong}) {
    EXPECT_TRUE(applied("truncate[10]", type, 1) == Value(0));
    EXPECT_TRUE(applied("truncate[10]", type, -1) == Value(-10));
    EXPECT_TRUE(applied("truncate[10]", type, 10) == Value(10));
  }
  EXPECT_TRUE(applied("truncate[50]", Type::decimal(9, 2), Decimal{1065}) == Value(Decimal{1050}));
  EXPECT_TRUE(applied("truncate[10]", Type::decimal(9, 2), Decimal{-5}) == Value(Decimal{-10}));
  EXPECT_TRUE(applied("truncate[3]", kText, "iceberg") == Value("ice"));
  EXPECT_TRUE(applied("truncate[3]", kText, "äöüß") == Value("äöü"));
  EXPECT_TRUE(applied("truncate[3]", Type::of(TypeKind::binary), Binary{"\1\2\3\4\5"}) ==
              Value(Binary{"\1\2\3"}));
}

TEST(TimeParts, CountFromTheEpochAndRoundDown) {
  const Instant time = instant("2017-11-16T22:31:08.000001Z");
  EXPECT_TRUE(applied("year", kTime, time) == Value(47));
  EXPECT_TRUE(applied("month", kTime, time) == Value(47 * 12 + 10));
  EXPECT_TRUE(applied("day", kTime, time) == Value(Date{17486}));
  EXPECT_TRUE(applied("hour", kTime, time) == Value(17486 * 24 + 22));
  EXPECT_TRUE(applied("year", kDate, Date{17486}) == Value(47));
  EXPECT_TRUE(applied("month", kDate, Date{17486}) == Value(574));
  EXPECT_TRUE(applied("day", kDate, Date{17486}) == Value(Date{17486}));

  EXPECT_TRUE(applied("hour", kTime, Instant{-1}) == Value(-1));
  EXPECT_TRUE(applied("day", kTime, Instant{-1}) == Value(Date{-1}));
  EXPECT_TRUE(applied("month", kTime, Instant{-1}) == Value(-1));
  EXPECT_TRUE(applied("year", kTime, Instant{-1}) == Value(-1));
  EXPECT_TRUE(applied("month", kDate, Date{-31}) == Value(-1));
  EXPECT_TRUE(applied("month", kDate, Date{-32}) == Value(-2));
  EXPECT_TRUE(applied("year", kDate, Date{-365}) == Value(-1));
  EXPECT_TRUE(applied("year", kDate, Date{-366}) == Value(-2));
  EXPECT_TRUE(applied("month", kDate, Date{59}) == Value(2));           // 1970-03-01
  EXPECT_TRUE(applied("month", kDate, Date{11'016}) == Value(361));     // 2000-02-29
  EXPECT_TRUE(applied("year", kDate, Date{-719'528}) == Value(-1970));  // 0000-01-01
}

TEST(Transform, NamesAndTypes) {
  for (const char* name :
       {"identity", "void", "bucket[16]", "truncate[3]", "year", "month", "day", "hour"}) {
    EXPECT_EQ(Transform::parse(name)->to_string(), name);
  }
  for (const char* name : {"", "bucket", "bucket[]", "bucket[0]", "bucket[-1]", "bucket[3", "years",
                           "bucket[99999999999]", "zorder"}) {
    EXPECT_EQ(Transform::parse(name).error().code(), Code::unsupported) << name;
  }
  const auto result = [](std::string_view name, const Type& type) {
    const auto made = Transform::parse(name)->result_of(type);
    return made ? made->to_string() : std::string("refused");
  };
  EXPECT_EQ(result("identity", Type::decimal(9, 2)), "decimal(9, 2)");
  EXPECT_EQ(result("identity", Type::structure({})), "refused");
  EXPECT_EQ(result("bucket[4]", kText), "int");
  EXPECT_EQ(result("bucket[4]", Type::of(TypeKind::float64)), "refused");
  EXPECT_EQ(result("truncate[4]", kText), "string");
  EXPECT_EQ(result("truncate[4]", kDate), "refused");
  EXPECT_EQ(result("day", kTime), "date");
  EXPECT_EQ(result("hour", kTime), "int");
  EXPECT_EQ(result("hour", kDate), "refused");
  EXPECT_TRUE(applied("void", kInt, 5).is_null());
  EXPECT_TRUE(applied("identity", kInt, 5) == Value(5));
}

TEST(PartitionSpec, IsWrittenAsTheSpecificationHasIt) {
  const PartitionSpec spec{
      .id = 3,
      .fields = {
          {.source_id = 4, .id = 1000, .name = "ts_day", .transform = *Transform::parse("day")},
          {.source_id = 1,
           .id = 1001,
           .name = "id_bucket",
           .transform = *Transform::parse("bucket[16]")}}};
  const auto expected = *json::parse(
      R"({"spec-id":3,"fields":[
          {"source-id":4,"field-id":1000,"name":"ts_day","transform":"day"},
          {"source-id":1,"field-id":1001,"name":"id_bucket","transform":"bucket[16]"}]})");
  EXPECT_TRUE(to_json(spec) == expected);
  EXPECT_TRUE(fields_to_json(spec) == *expected.find("fields"));
  EXPECT_EQ(partition_spec_from_json(expected, "")->fields, spec.fields);
  EXPECT_EQ(spec.highest_id(), 1001);
  EXPECT_EQ(PartitionSpec{}.highest_id(), 999);

  const Schema dropped{.id = 1, .fields = {{.id = 1, .name = "id", .type = kLong}}};
  const Schema first{
      .id = 0,
      .fields = {{.id = 1, .name = "id", .type = kInt}, {.id = 4, .name = "ts", .type = kTime}}};
  const auto types = spec.types({first, dropped}, 1);
  ASSERT_TRUE(types);
  EXPECT_EQ(types->at(0).type.to_string(), "date");
  EXPECT_EQ(types->at(1).type.to_string(), "int");
  EXPECT_EQ(spec.types({dropped}, 1).error().code(), Code::not_found);
  const auto wrong = partition_spec_from_json(
      *json::parse(R"({"spec-id":0,"fields":[{"source-id":4,"field-id":"x"}]})"),
      "/partition-specs/0");
  EXPECT_EQ(wrong.error().pointer(), "/partition-specs/0/fields/0");
}

}  // namespace
}  // namespace reel::iceberg
