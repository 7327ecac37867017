#pragma once
//! A directory for the files of one run.

#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace reel::cli {

//! A new directory below $TMPDIR; removed with all it holds.
class TempDirectory {
 public:
  static Result<TempDirectory> make();
  ~TempDirectory();
  TempDirectory(TempDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDirectory& operator=(TempDirectory&&) = delete;

  //! The path of a file in it.
  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  explicit TempDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Status write_file(const std::string& path, std::string_view bytes);
Result<std::string> read_file(const std::string& path);

}  // namespace reel::cli
