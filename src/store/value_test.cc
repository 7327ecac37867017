#include "store/value.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "store/test_values.h"

namespace reel::store {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Type parsed(std::string_view text) {
  auto type = Type::parse(text);
  REEL_CHECK(type.has_value());
  return *std::move(type);
}

std::string encoded(const Type& type, const Value& value) {
  std::string bytes;
  encode_value(bytes, type, value);
  return bytes;
}

std::string hex(std::string_view bytes) {
  return to_hex(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::string why_not(std::string_view type, const Value& value) {
  const Status checked = check_value(parsed(type), value);
  return checked ? "fits" : checked.error().message();
}

TEST(TypeTest, text_form_goes_both_ways) {
  for (const char* text :
       {"bool", "int8", "uint64", "float32", "decimal(24,9)", "string", "binary", "uuid",
        "timestamp", "date", "list<string>", "list<list<int8>>", "fixed_list<float32,512>",
        "map<string,decimal(5,0)>", "struct<a:int64,b_2:list<date>>",
        "list<struct<key:string#3,value:map<string,uuid#5>#6>#2>"}) {
    const auto type = Type::parse(text);
    ASSERT_TRUE(type) << text << ": " << type.error().message();
    EXPECT_EQ(type->to_string(), text);
    EXPECT_EQ(*Type::parse(type->to_string()), *type);
  }
  EXPECT_EQ(parsed("map< string , int8 >").to_string(), "map<string,int8>");
  EXPECT_EQ(Type::media_time().to_string(), "decimal(24,9)");
}

TEST(TypeTest, what_is_no_type_is_refused) {
  for (const char* text : {"",
                           "int",
                           "int64 x",
                           "list<struct<a#1:int8>>",
                           "decimal",
                           "decimal(0,0)",
                           "decimal(29,0)",
                           "decimal(3,4)",
                           "list",
                           "list<>",
                           "list<string",
                           "list<string>>",
                           "fixed_list<string,3>",
                           "fixed_list<float32,0>",
                           "fixed_list<float32,65537>",
                           "map<int8,string>",
                           "struct<>",
                           "struct<a:int8,a:int8>",
                           "struct<:int8>",
                           "list<string#>",
                           "list<string#99999999999>",
                           "list<list<list<list<list<list<list<list<list<int8>>>>>>>>>"}) {
    EXPECT_FALSE(Type::parse(text)) << text;
  }
  EXPECT_TRUE(Type::parse("list<list<list<list<list<list<list<list<int8>>>>>>>>"));
}

TEST(ValueTest, equality_is_the_stores) {
  EXPECT_EQ(Value(5), Value(std::uint64_t{5}));
  EXPECT_NE(Value(-1), Value(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(Value(kNan), Value(-kNan));
  EXPECT_EQ(Value(-0.0), Value(0.0));
  EXPECT_NE(Value(1.0), Value(1));
  EXPECT_NE(Value(), Value(0));
  EXPECT_NE(Value("a"), Value(Binary{"a"}));
  EXPECT_EQ(Value(ValueList{kNan, 1}), Value(ValueList{kNan, std::uint64_t{1}}));
  EXPECT_EQ(Value(ValueMap{{"b", 1}, {"a", 2}}), Value(ValueMap{{"a", 2}, {"b", 1}}));
}

TEST(ValueTest, values_must_fit_their_type) {
  EXPECT_EQ(why_not("int8", 127), "fits");
  EXPECT_EQ(why_not("int8", 128), "128 does not fit int8");
  EXPECT_EQ(why_not("int8", -128), "fits");
  EXPECT_EQ(why_not("int8", -129), "-129 does not fit int8");
  EXPECT_EQ(why_not("uint8", -1), "-1 does not fit uint8");
  EXPECT_EQ(why_not("uint64", std::numeric_limits<std::uint64_t>::max()), "fits");
  EXPECT_EQ(why_not("int64", std::uint64_t{1} << 63), "9223372036854775808 does not fit int64");
  EXPECT_EQ(why_not("float32", 0.5), "fits");
  EXPECT_EQ(why_not("float32", 0.1), "the value is not a float32");
  EXPECT_EQ(why_not("float64", 1), "the value is not a float64");
  EXPECT_EQ(why_not("decimal(3,1)", Decimal{999}), "fits");
  EXPECT_EQ(why_not("decimal(3,1)", Decimal{-1000}), "the value is not a decimal(3,1)");
  EXPECT_EQ(why_not("decimal(24,9)", time::Timestamp::max()), "fits");
  EXPECT_EQ(why_not("decimal(24,9)", time::Timestamp::min()), "fits");
  EXPECT_EQ(why_not("string", std::string("a\0b", 3)), "fits");
  EXPECT_EQ(why_not("string", 5), "the value is not a string");
  EXPECT_EQ(why_not("bool", Value()), "fits");
  EXPECT_EQ(why_not("list<int8>", ValueList{1, Value(), 300}), "300 does not fit int8");
  EXPECT_EQ(why_not("fixed_list<float32,2>", ValueList{1.0}), "a fixed_list of 2 has 1 elements");
  EXPECT_EQ(why_not("fixed_list<float32,1>", ValueList{Value()}),
            "element 0 of a fixed_list is null");
  EXPECT_EQ(why_not("struct<a:int8,b:int8>", ValueList{1}), "a struct of 2 members has 1 values");
  EXPECT_EQ(why_not("map<string,int8>", ValueMap{{"a", 1}, {"a", 2}}),
            "a map has the key 'a' twice");
}

TEST(ValueTest, text_is_utf8) {
  for (const char* good : {"", "a", "é", "€", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf4\x8f\xbf\xbf", "longer than eight bytes: ü"}) {
    EXPECT_EQ(why_not("string", good), "fits") << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xef\xbf",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "12345678\xff", "\xff"}) {
    EXPECT_NE(why_not("string", bad), "fits") << hex(bad);
  }
}

//! These bytes are in files: a change here is a new format version.
TEST(ValueTest, the_bytes_are_pinned) {
  const auto expect = [](std::string_view type, const Value& value, std::string_view bytes) {
    EXPECT_EQ(hex(encoded(parsed(type), value)), bytes) << type;
  };
  expect("int8", Value(), "00");
  expect("bool", true, "0101");
  expect("int8", 0, "0100");
  expect("int8", -1, "0101");
  expect("int64", 1, "0102");
  expect("int32", 64, "018001");
  expect("uint64", std::numeric_limits<std::uint64_t>::max(), "01feffffffffffffffff03");
  expect("int64", std::numeric_limits<std::int64_t>::min(), "01ffffffffffffffffff01");
  expect("decimal(24,9)", time::Timestamp::max(), "01feffffffffffffff93ebdc03");
  expect("float32", 1.5, "01000000000000f83f");
  expect("float64", -0.0, "010000000000000000");
  expect("float64", kNan, "01000000000000f87f");
  expect("string", "hé", "010368c3a9");
  expect("binary", Binary{std::string("\0\1", 2)}, "01020001");
  expect("uuid", Uuid{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
         "01000102030405060708090a0b0c0d0e0f");
  expect("timestamp", Instant{1'000'000}, "0180897a");
  expect("date", Date{-1}, "0101");
  expect("list<int8>", ValueList{1, Value(), 2}, "01030102000104");
  expect("fixed_list<float32,2>", ValueList{1.0, kNan}, "010000803f0000c07f");
  expect("map<string,int8>", ValueMap{{"b", 1}, {"a", Value()}},
         "01020161000162"
         "0102");
  expect("struct<b:int8#9,a:int8#4,c:int8#5>", ValueList{1, 2, Value()},
         "0102040201040902"
         "0102");
}

TEST(ValueTest, widening_keeps_the_bytes) {
  for (const char* type : {"int16", "int32", "int64"}) {
    EXPECT_EQ(encoded(parsed("int8"), -100), encoded(parsed(type), -100));
  }
  EXPECT_EQ(encoded(parsed("uint32"), 4'000'000'000), encoded(parsed("int64"), 4'000'000'000));
  EXPECT_EQ(encoded(parsed("float32"), 0.5), encoded(parsed("float64"), 0.5));
  EXPECT_EQ(encoded(parsed("decimal(9,2)"), Decimal{-77}),
            encoded(parsed("decimal(28,2)"), Decimal{-77}));
}

TEST(ValueTest, a_struct_is_read_by_the_ids_of_its_members) {
  const std::string bytes = encoded(parsed("struct<a:int8#1,b:string#2>"), ValueList{7, "x"});
  std::string_view rest = bytes;
  const auto value = decode_value(parsed("struct<new:date#3,renamed:int8#1>"), rest);
  ASSERT_TRUE(value) << value.error().message();
  EXPECT_EQ(*value, Value(ValueList{Value(), 7}));
}

TEST(ValueTest, random_values_come_back_and_broken_bytes_do_no_harm) {
  testing::RandomValues random(test_seed());
  for (int round = 0; round < 3'000; ++round) {
    const Type type = random.type(0);
    ASSERT_EQ(*Type::parse(type.to_string()), type) << type.to_string();
    const Value value = random.value(type);
    ASSERT_TRUE(check_value(type, value)) << type.to_string();
    std::string bytes = encoded(type, value);
    std::string_view rest = bytes;
    const auto decoded = decode_value(type, rest);
    ASSERT_TRUE(decoded) << type.to_string() << decoded.error().message();
    ASSERT_TRUE(rest.empty());
    ASSERT_EQ(*decoded, value) << type.to_string();
    ASSERT_EQ(encoded(type, *decoded), bytes);
    // Whatever is still accepted after damage is in its one form.
    for (int damage = 0; damage < 10; ++damage) {
      std::string broken = bytes;
      broken[random.below(broken.size())] = static_cast<char>(random.below(256));
      broken.resize(broken.size() - random.below(2) * random.below(broken.size()));
      std::string_view left = broken;
      const auto read = decode_value(type, left);
      if (!read) {
        ASSERT_EQ(read.error().code(), Code::corrupt);
        continue;
      }
      ASSERT_TRUE(check_value(type, *read));
    }
  }
}

TEST(ValueTest, decimal_keys_order_as_numbers) {
  std::mt19937_64 random(test_seed());
  const auto any = [&] {
    const Int128 high = static_cast<std::int64_t>(random()) >> (34 + random() % 30);
    const auto low = static_cast<Int128>(random() >> (random() % 64));
    return Decimal{high * (Int128{1} << 64) + low};
  };
  std::vector<Decimal> numbers = {{0},
                                  {1},
                                  {-1},
                                  Decimal{time::Timestamp::max().nanoseconds()},
                                  Decimal{time::Timestamp::min().nanoseconds()}};
  for (int i = 0; i < 500; ++i) numbers.push_back(any());
  for (const Decimal& a : numbers) {
    const std::string key = encode_decimal_key(a);
    ASSERT_EQ(key.size(), 12U);
    ASSERT_EQ(*decode_decimal_key(key), a);
    for (const Decimal& b : numbers) {
      ASSERT_EQ(key < encode_decimal_key(b), a < b);
    }
  }
  EXPECT_EQ(hex(encode_decimal_key({0})), "800000000000000000000000");
  EXPECT_EQ(hex(encode_decimal_key({-1})), "7fffffffffffffffffffffff");
  EXPECT_FALSE(decode_decimal_key("short"));
}

}  // namespace
}  // namespace reel::store
