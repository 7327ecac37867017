#include "cli/exr_files.h"

#include <algorithm>
#include <filesystem>
#include <istream>

#include <fmt/core.h>
#include <glob.h>
#include <strings.h>

namespace reel::cli {
namespace {

namespace fs = std::filesystem;

bool is_exr_name(const fs::path& path) {
  return ::strcasecmp(path.extension().c_str(), ".exr") == 0;
}

class Lister {
 public:
  explicit Lister(const FileWords& words) : words_(words) {}

  void word(const std::string& word) {
    std::error_code error;
    const fs::file_status status = fs::status(word, error);
    if (words_.recursive && fs::is_directory(status)) {
      directory(word);
    } else if (!fs::exists(status) && word.find_first_of("*?[") != std::string::npos) {
      pattern(word);
    } else {
      out_.files.push_back(word);
    }
  }

  FileList take() { return std::move(out_); }

 private:
  void directory(const fs::path& path) {
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator each(path, error), end; !error && each != end;
         each.increment(error)) {
      entries.push_back(*each);
    }
    if (error) {
      out_.problems.push_back(
          fmt::format("{} cannot be listed: {}", path.string(), error.message()));
    }
    std::sort(entries.begin(), entries.end());
    for (const fs::directory_entry& entry : entries) {
      std::error_code ignored;
      if (entry.is_directory(ignored)) {
        if (!entry.is_symlink(ignored)) directory(entry.path());
      } else if (words_.all_files || is_exr_name(entry.path())) {
        out_.files.push_back(entry.path().string());
      }
    }
  }

  //! For shells that leave patterns alone, and lists with more names than a command line holds.
  void pattern(const std::string& word) {
    glob_t found = {};
    if (::glob(word.c_str(), 0, nullptr, &found) == 0) {
      for (std::size_t i = 0; i < found.gl_pathc; ++i) this->word(found.gl_pathv[i]);
    } else {
      out_.files.push_back(word);
    }
    ::globfree(&found);
  }

  const FileWords& words_;
  FileList out_;
};

}  // namespace

FileList list_files(const FileWords& words, std::istream& input) {
  Lister lister(words);
  // An absolute path stays what it is.
  const auto below_root = [&](const std::string& word) {
    return (words.root / fs::path(word)).string();
  };
  for (const std::string& word : words.paths) {
    if (word != "-") {
      lister.word(below_root(word));
      continue;
    }
    for (std::string line; std::getline(input, line);) {
      if (!line.empty()) lister.word(below_root(line));
    }
  }
  return lister.take();
}

}  // namespace reel::cli
