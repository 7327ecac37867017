#pragma once
//! For tests: a folder that goes away, and what their expectations have in common.

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/result.h"

namespace reel::lake::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "reel-lake-XXXXXX").string();
    REEL_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

//! The value, or a test failure that shows the error.
template <class T>
T value_of(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << code_name(result.error().code()) << ": " << result.error().message();
    std::abort();
  }
  return *std::move(result);
}

template <class T>
std::string text_of(const Result<T>& result) {
  return result ? "ok"
                : std::string(code_name(result.error().code())) + ": " + result.error().message();
}

}  // namespace reel::lake::testing

#define EXPECT_OK(expression) EXPECT_EQ(::reel::lake::testing::text_of(expression), "ok")
#define ASSERT_OK(expression) ASSERT_EQ(::reel::lake::testing::text_of(expression), "ok")
