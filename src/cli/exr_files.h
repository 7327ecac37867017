#pragma once
//! Which files the commands below `reelhouse exr` are about.

#include <iosfwd>
#include <string>
#include <vector>

namespace reel::cli {

struct FileWords {
  std::vector<std::string> paths;  //!< files, directories, patterns; "-": one path in each line
  bool recursive = false;          //!< what is in directories, and in those below
  bool all_files = false;          //!< there, not only those named *.exr
  std::string root = {};           //!< relative paths are taken below it; empty: as they are
};

struct FileList {
  std::vector<std::string> files;
  std::vector<std::string> problems;  //!< "DIR cannot be listed: Permission denied"
};

//! In the order of the words; what is in a directory, in alphabetical order. Symbolic links to
//! directories are not followed. A word that names neither a directory nor matching files stays as
//! it is: opening it will say what is wrong.
FileList list_files(const FileWords& words, std::istream& input);

}  // namespace reel::cli
