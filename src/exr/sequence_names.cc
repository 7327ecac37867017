#include "exr/sequence_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

namespace reel::exr {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

//! A piece of a name, [begin, end), that may be its frame number.
struct Candidate {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::int64_t value = 0;
  int standing = 0;  //!< how well it stands by itself, 0 to 3
};

std::int64_t to_number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_day(std::int64_t year, std::int64_t month, std::int64_t day) {
  return year >= 1970 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

//! "20240115".
bool is_date(std::string_view digits) {
  return digits.size() == 8 && is_day(to_number(digits.substr(0, 4)),
                                      to_number(digits.substr(4, 2)), to_number(digits.substr(6)));
}

//! Finds the numbers of one name.
class Numbers {
 public:
  explicit Numbers(std::string_view name) : stem_(name.substr(0, stem_size(name))) {}

  //! Those that may be frame numbers, in the order of the name.
  std::vector<Candidate> candidates() const {
    std::vector<Candidate> found;
    std::vector<Candidate> dates;
    for (std::size_t at = 0; at < stem_.size(); ++at) {
      if (!is_digit(stem_[at])) continue;
      const std::size_t end = std::min(stem_.find_first_not_of("0123456789", at), stem_.size());
      if (const std::size_t past = past_iso_date(at, end); past > end) {
        at = past - 1;
        continue;
      }
      if (end - at <= kDigitsMax && !says_something_else(at, end)) {
        (is_date(stem_.substr(at, end - at)) ? dates : found).push_back(candidate(at, end));
      }
      at = end - 1;
    }
    // A day is a frame number only for want of another.
    return found.empty() ? dates : found;
  }

 private:
  static constexpr std::size_t kDigitsMax = 18;  // more is an identifier

  //! Without the extension: what is behind the last period, if it has a letter.
  static std::size_t stem_size(std::string_view name) {
    const std::size_t period = name.rfind('.');
    if (period == std::string_view::npos || period == 0) return name.size();
    const std::string_view extension = name.substr(period + 1);
    return std::any_of(extension.begin(), extension.end(), is_letter) ? period : name.size();
  }

  //! '\0' beyond the ends.
  char at(std::size_t position) const { return position < stem_.size() ? stem_[position] : '\0'; }
  char before(std::size_t position, std::size_t distance = 1) const {
    return position >= distance ? stem_[position - distance] : '\0';
  }
  static bool is_delimiter(char c) {
    return c == '\0' || c == '.' || c == '_' || c == '-' || c == ' ';
  }

  //! The end of "2024-01-15" or "2024_01_15" that begins with these digits; else 0.
  std::size_t past_iso_date(std::size_t begin, std::size_t end) const {
    constexpr std::size_t kSize = 10;
    const std::string_view text = stem_.substr(begin, kSize);
    if (end - begin != 4 || text.size() < kSize || is_digit(at(begin + kSize))) return 0;
    const char separator = text[4];
    const bool formed = (separator == '-' || separator == '_') && text[7] == separator &&
                        is_digit(text[5]) && is_digit(text[6]) && is_digit(text[8]) &&
                        is_digit(text[9]);
    return formed && is_day(to_number(text.substr(0, 4)), to_number(text.substr(5, 2)),
                            to_number(text.substr(8)))
               ? begin + kSize
               : 0;
  }

  //! A version, a size, a scan format.
  bool says_something_else(std::size_t begin, std::size_t end) const {
    const char left = before(begin);
    const char right = at(end);
    const bool version = (left == 'v' || left == 'V') && !is_letter(before(begin, 2));
    const bool size =
        (left == 'x' && is_digit(before(begin, 2))) || (right == 'x' && is_digit(at(end + 1)));
    const bool ends_word = !is_letter(at(end + 1)) && !is_digit(at(end + 1));
    const bool thousands = (right == 'k' || right == 'K') && ends_word && end - begin <= 2;
    const bool lines = (right == 'p' || right == 'i') && ends_word && end - begin >= 3;
    return version || size || thousands || lines;
  }

  Candidate candidate(std::size_t begin, std::size_t end) const {
    Candidate found{
        .begin = begin, .end = end, .value = to_number(stem_.substr(begin, end - begin))};
    if (before(begin) == '-' && is_delimiter(before(begin, 2))) {
      --found.begin;
      found.value = -found.value;
    }
    const char left = before(found.begin);
    const char right = at(end);
    if (!is_delimiter(right)) {
      found.standing = 0;
    } else if (!is_delimiter(left)) {
      found.standing = 1;
    } else {
      const bool periods = (left == '.' || left == '\0') && (right == '.' || right == '\0');
      found.standing = periods ? 3 : 2;
    }
    return found;
  }

  const std::string_view stem_;
};

struct Name {
  std::size_t index;
  std::string_view directory;
  std::string_view name;
  //! Those that stand best; the last is tried first.
  std::vector<Candidate> candidates;
};

Name read_name(std::size_t index, std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
  Name name{index, path.substr(0, begin), path.substr(begin), {}};
  name.candidates = Numbers(name.name).candidates();
  int best = 0;
  for (const Candidate& each : name.candidates) best = std::max(best, each.standing);
  std::erase_if(name.candidates, [&](const Candidate& each) { return each.standing < best; });
  return name;
}

//! Names that differ in one number only.
struct Group {
  std::string_view directory, prefix, suffix;
  std::vector<SequenceFile> files;
  std::vector<const Name*> names;
};

using Groups = std::map<std::tuple<std::string_view, std::string_view, std::string_view>, Group>;

//! Groups the names by their `turn`-th candidate from the end; those that have none are left out.
Groups group_by(const std::vector<const Name*>& names, std::size_t turn) {
  Groups groups;
  for (const Name* each : names) {
    if (turn >= each->candidates.size()) continue;
    const Candidate& number = each->candidates[each->candidates.size() - 1 - turn];
    const auto prefix = each->name.substr(0, number.begin);
    const auto suffix = each->name.substr(number.end);
    Group& group = groups[{each->directory, prefix, suffix}];
    group.directory = each->directory;
    group.prefix = prefix;
    group.suffix = suffix;
    group.files.push_back(
        {.index = each->index,
         .frame = number.value,
         .number = std::string(each->name.substr(number.begin, number.end - number.begin))});
    group.names.push_back(each);
  }
  for (auto& [key, group] : groups) {
    std::sort(group.files.begin(), group.files.end(), [](const auto& a, const auto& b) {
      return std::tie(a.frame, a.number) < std::tie(b.frame, b.number);
    });
  }
  return groups;
}

bool has_neighbours(const Group& group) {
  return std::adjacent_find(group.files.begin(), group.files.end(),
                            [](const auto& a, const auto& b) { return b.frame - a.frame == 1; }) !=
         group.files.end();
}

bool is_picture_size(std::int64_t value) {
  constexpr std::array<std::int64_t, 16> kSizes = {480,  540,  576,  720,  1080, 1280, 1440, 1556,
                                                   1920, 1998, 2160, 3072, 3840, 3996, 4320, 7680};
  const bool power_of_two = value >= 128 && value <= 65'536 && (value & (value - 1)) == 0;
  return power_of_two || std::binary_search(kSizes.begin(), kSizes.end(), value);
}

//! All numbers of the group say something else.
bool are_single(const Group& group) {
  const auto all = [&](auto predicate) {
    return std::all_of(group.files.begin(), group.files.end(), predicate);
  };
  return all([](const SequenceFile& file) { return is_picture_size(file.frame); }) ||
         all([](const SequenceFile& file) { return is_date(file.number); });
}

//! UDIM tiles of a surface: a full rectangle of at least two rows, not ten columns wide, for such
//! numbers are frames.
bool are_tiles(const Group& group) {
  std::set<std::int64_t> columns;
  std::set<std::int64_t> rows;
  for (const SequenceFile& file : group.files) {
    if (file.number.size() != 4 || file.frame < 1001 || file.frame > 1999) return false;
    columns.insert((file.frame - 1001) % 10);
    rows.insert((file.frame - 1001) / 10);
  }
  return rows.size() > 1 && columns.size() < 10 &&
         group.files.size() == columns.size() * rows.size() &&
         *columns.rbegin() - *columns.begin() + 1 == static_cast<std::int64_t>(columns.size()) &&
         *rows.rbegin() - *rows.begin() + 1 == static_cast<std::int64_t>(rows.size());
}

NameSequence to_sequence(Group group) {
  return {.kind = are_tiles(group) ? SequenceKind::tiles : SequenceKind::frames,
          .directory = std::string(group.directory),
          .prefix = std::string(group.prefix),
          .suffix = std::string(group.suffix),
          .files = std::move(group.files)};
}

}  // namespace

std::string NameSequence::pattern() const {
  return directory + prefix + "[" + files.front().number + "-" + files.back().number + "]" + suffix;
}

NameGroups group_names(std::span<const std::string> paths) {
  std::set<std::string_view> seen;
  std::vector<Name> names;
  names.reserve(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (seen.insert(paths[i]).second) names.push_back(read_name(i, paths[i]));
  }
  std::vector<const Name*> waiting;
  waiting.reserve(names.size());
  std::size_t turns = 1;
  for (const Name& each : names) {
    waiting.push_back(&each);
    turns = std::max(turns, each.candidates.size());
  }
  constexpr std::size_t kTurnsMax = 8;  // names of people have no more numbers
  NameGroups found;
  std::set<std::size_t> placed;
  for (std::size_t turn = 0; turn < std::min(turns, kTurnsMax) && !waiting.empty(); ++turn) {
    for (auto& [key, group] : group_by(waiting, turn)) {
      const bool varies = turn == 0 ? group.files.size() > 1 : has_neighbours(group);
      if (!varies || are_single(group)) continue;
      for (const Name* each : group.names) placed.insert(each->index);
      found.sequences.push_back(to_sequence(std::move(group)));
    }
    std::erase_if(waiting, [&](const Name* each) { return placed.contains(each->index); });
  }
  for (const Name* each : waiting) found.singles.push_back(each->index);
  std::sort(found.sequences.begin(), found.sequences.end(), [](const auto& a, const auto& b) {
    return std::tie(a.directory, a.prefix, a.suffix) < std::tie(b.directory, b.prefix, b.suffix);
  });
  return found;
}

}  // namespace reel::exr
