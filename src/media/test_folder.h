#pragma once
//! For tests only: a folder that exists for as long as its object.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace reel::media {

class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::temp_directory_path() / "reel_XXXXXX") {
    REEL_CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace reel::media
