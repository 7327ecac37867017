#pragma once
//! Which files are frames of one sequence, by their names.
//!
//! A number in a name is a frame number when the names of other files differ from it in nothing
//! else. Numbers that say something else by their form (versions "v012", "1920x1080", "4k", dates)
//! are text.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reel::exr {

struct SequenceFile {
  std::size_t index = 0;   //!< in the list of paths
  std::int64_t frame = 0;  //!< "-005" is -5
  std::string number;      //!< as in the name: its padding is kept
};

enum class SequenceKind : std::uint8_t {
  frames,
  tiles,  //!< UDIM: 1001 + u + 10 v, a full rectangle of more than one row
};

//! Files whose names are `directory` + `prefix` + number + `suffix`.
struct NameSequence {
  SequenceKind kind = SequenceKind::frames;
  std::string directory;  //!< ends in '/', or is empty
  std::string prefix;
  std::string suffix;
  std::vector<SequenceFile> files;  //!< by frame, then by number as text; at least two

  std::string name(const SequenceFile& file) const { return prefix + file.number + suffix; }
  //! "shot/beauty.[1001-1100].exr": the first and the last number as they are written.
  std::string pattern() const;
};

struct NameGroups {
  std::vector<NameSequence> sequences;  //!< by directory, prefix and suffix
  std::vector<std::size_t> singles;     //!< indices of all other paths, ascending
};

//! Parts the paths into sequences and single files; a path that is given twice counts once. The
//! frame number of a name is the number that stands best by itself, the last of equals: between
//! periods ("a.0001.left.exr"), between any of "._- " ("a_0001.exr"), before one of these
//! ("a0001.exr"), anywhere; where that one does not vary, another that stands as well and has a
//! neighbour. A '-' behind a delimiter is a sign ("a.-005.exr").
//!
//! Single files stay: one without neighbours ("grade_2048.exr"), and those whose numbers are all
//! common picture sizes ("sky_2048.exr", "sky_4096.exr") or all days ("plate.20240115.exr").
NameGroups group_names(std::span<const std::string> paths);

}  // namespace reel::exr
