#pragma once
//! What the engine's tests share: a directory that goes away, and a table with a bit of everything.

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "store/sqlite/sqlite_store.h"

namespace reel::store::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "reel-store-XXXXXX").string();
    REEL_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

//! Spans of a flow, as segments are: partition `flow`, clustering `start`.
inline TableDefinition spans_table() {
  return {.name = "spans",
          .columns = {{.name = "flow", .type = Type::of(TypeKind::uuid), .nullable = false},
                      {.name = "start", .type = Type::media_time(), .nullable = false},
                      {.name = "until", .type = Type::media_time()},
                      {.name = "label", .type = Type::of(TypeKind::string)},
                      {.name = "size",
                       .type = Type::of(TypeKind::int64),
                       .nullable = false,
                       .default_value = 0}},
          .partition_key = {"flow"},
          .clustering_key = {"start"},
          .indexes = {{.name = "by_label", .columns = {"label"}},
                      {.name = "by_insertion", .columns = {"inserted_at"}}}};
}

inline Uuid flow(std::uint8_t number) {
  Uuid uuid;
  uuid.bytes[6] = 0x40;
  uuid.bytes[8] = 0x80;
  uuid.bytes[15] = number;
  return uuid;
}

inline Value at(std::int64_t seconds) { return Decimal{Int128{seconds} * 1'000'000'000}; }

inline Key span_key(std::uint8_t flow_number, std::int64_t start) {
  return {flow(flow_number), at(start)};
}

//! The value, or a test failure that shows the error.
template <class T>
T value_of(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << code_name(result.error().code()) << ": " << result.error().message();
    std::abort();
  }
  return *std::move(result);
}

inline std::string text_of(const Status& status) {
  return status ? "ok"
                : std::string(code_name(status.error().code())) + ": " + status.error().message();
}

inline std::unique_ptr<Store> open_store(SqliteOptions options) {
  return value_of(open_sqlite_store(std::move(options)));
}

}  // namespace reel::store::testing

#define EXPECT_OK(expression) EXPECT_EQ(::reel::store::testing::text_of(expression), "ok")
#define ASSERT_OK(expression) ASSERT_EQ(::reel::store::testing::text_of(expression), "ok")
