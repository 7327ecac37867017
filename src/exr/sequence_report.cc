#include "exr/sequence_report.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace reel::exr {
namespace {

//! More are not told one by one.
constexpr std::size_t kDifferencesMax = 100;

//! Text of people goes into messages up to here.
constexpr std::size_t kShownMax = 200;

std::string shown(std::string_view text) {
  return text.size() <= kShownMax ? std::string(text)
                                  : std::string(text.substr(0, kShownMax)) + "…";
}

//! How the value of one subject is spread over the frames; an absent one is nullptr.
using Spread = std::map<const std::string*, std::size_t,
                        decltype([](const std::string* a, const std::string* b) {
                          if (a == nullptr || b == nullptr) return a == nullptr && b != nullptr;
                          return *a < *b;
                        })>;

//! The value of more than half of the frames; false: there is none.
bool majority(const Spread& spread, std::size_t frames, const std::string*& value) {
  for (const auto& [each, count] : spread) {
    if (2 * count <= frames) continue;
    value = each;
    return true;
  }
  return false;
}

//! Builds the report of one sequence.
class Reporter {
 public:
  Reporter(const NameSequence& sequence, std::span<const FrameRecord> records,
           const FrameShapes& shapes)
      : sequence_(sequence), records_(records), shapes_(shapes) {}

  SequenceReport run() {
    report_.pattern = sequence_.pattern();
    report_.kind = sequence_.kind;
    report_.first = sequence_.files.front().frame;
    report_.last = sequence_.files.back().frame;
    report_.files = sequence_.files.size();
    for (const FrameRecord& record : records_) report_.size_bytes += record.size_bytes;
    if (sequence_.kind == SequenceKind::frames) {
      find_step();
      find_missing();
      find_duplicates();
      find_mixed_padding();
    }
    report_.ranges = ranges_of(all_frames());
    find_problems();
    compare_shapes();
    compare_data_windows();
    compare_sizes();
    if (sequence_.kind == SequenceKind::frames) {
      check_time_codes();
      check_image_counters();
    }
    return std::move(report_);
  }

 private:
  using Frames = std::vector<std::int64_t>;

  std::int64_t frame(std::size_t file) const { return sequence_.files[file].frame; }

  Frames all_frames() const {
    Frames frames;
    for (const SequenceFile& file : sequence_.files) frames.push_back(file.frame);
    return frames;
  }

  //! Of ascending frames, which may repeat.
  std::vector<FrameRange> ranges_of(const Frames& frames) const {
    std::vector<FrameRange> ranges;
    for (const std::int64_t each : frames) {
      if (!ranges.empty() && each - ranges.back().last <= report_.step) {
        ranges.back().last = each;
      } else {
        ranges.push_back({each, each});
      }
    }
    return ranges;
  }

  void add(std::string_view code, Severity severity, const Frames& frames, std::string message) {
    report_.faults.push_back({code, severity, ranges_of(frames), std::move(message)});
  }

  void find_step() {
    std::int64_t step = 0;
    for (std::size_t i = 1; i < sequence_.files.size(); ++i) {
      step = std::gcd(step, frame(i) - frame(i - 1));
    }
    // Two frames alone say nothing of a step.
    const bool several = frame(sequence_.files.size() - 1) - frame(0) > step;
    report_.step = step > 0 && several ? step : 1;
  }

  void find_missing() {
    SequenceFault fault{"frames_missing", Severity::error, {}, {}};
    std::int64_t count = 0;
    for (std::size_t i = 1; i < sequence_.files.size(); ++i) {
      const std::int64_t gap = (frame(i) - frame(i - 1)) / report_.step - 1;
      if (gap <= 0) continue;
      fault.frames.push_back({frame(i - 1) + report_.step, frame(i) - report_.step});
      count += gap;
    }
    if (count == 0) return;
    fault.message = count == 1 ? "missing" : fmt::format("{} frames missing", count);
    report_.faults.push_back(std::move(fault));
  }

  void find_duplicates() {
    Frames frames;
    std::string names;
    for (std::size_t i = 0; i < sequence_.files.size();) {
      std::size_t end = i + 1;
      while (end < sequence_.files.size() && frame(end) == frame(i)) ++end;
      if (end - i > 1) {
        frames.push_back(frame(i));
        for (std::size_t k = i; k < end && names.size() < kShownMax; ++k) {
          names += (names.empty() ? "" : ", ") + sequence_.name(sequence_.files[k]);
        }
      }
      i = end;
    }
    if (!frames.empty()) {
      add("frame_duplicate", Severity::error, frames, "in more than one file: " + shown(names));
    }
  }

  //! Digits of a number as written, and whether zeros in front make it as wide as that.
  struct Padding {
    std::size_t width;
    bool zeros;
    //! Written as %0<width>d writes it.
    bool fits(std::size_t padded) const { return zeros ? width == padded : width >= padded; }
  };

  static Padding padding_of(std::string_view number) {
    if (number.starts_with('-')) number.remove_prefix(1);
    return {number.size(), number.size() > 1 && number.front() == '0'};
  }

  void find_mixed_padding() {
    std::set<std::size_t> widths = {1};
    for (const SequenceFile& file : sequence_.files) {
      const Padding padding = padding_of(file.number);
      if (padding.zeros) widths.insert(padding.width);
    }
    std::size_t best = 1;
    std::size_t fitting = 0;
    for (const std::size_t width : widths) {
      const auto count = static_cast<std::size_t>(
          std::count_if(sequence_.files.begin(), sequence_.files.end(),
                        [&](const auto& file) { return padding_of(file.number).fits(width); }));
      if (count >= fitting) {
        best = width;
        fitting = count;
      }
    }
    Frames frames;
    std::string names;
    for (std::size_t i = 0; i < sequence_.files.size(); ++i) {
      const SequenceFile& file = sequence_.files[i];
      // What is there twice is a fault already.
      const bool twice = (i > 0 && frame(i - 1) == file.frame) ||
                         (i + 1 < sequence_.files.size() && frame(i + 1) == file.frame);
      if (twice || padding_of(file.number).fits(best)) continue;
      frames.push_back(file.frame);
      if (names.size() < kShownMax) names += (names.empty() ? "" : ", ") + sequence_.name(file);
    }
    if (frames.empty()) return;
    add("padding_mixed", Severity::warning, frames,
        fmt::format("not padded to {} digits as the others: {}", best, shown(names)));
  }

  void find_problems() {
    std::map<std::string_view, Frames> by_problem;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (!records_[i].problem.empty()) by_problem[records_[i].problem].push_back(frame(i));
    }
    for (const auto& [problem, frames] : by_problem) {
      add("file_broken", Severity::error, frames, shown(problem));
    }
  }

  //! Every subject of any shape, with its values.
  std::map<std::string_view, Spread> spread_of(const std::map<FrameShapes::Id, Frames>& frames_of,
                                               std::size_t total) {
    std::map<std::string_view, Spread> subjects;
    for (const auto& [id, frames] : frames_of) {
      for (const ShapeFact& fact : shapes_.facts(id)) {
        subjects[fact.subject][&fact.value] += frames.size();
        parts_.emplace(fact.subject, fact.within);
      }
    }
    for (auto& [subject, spread] : subjects) {
      std::size_t there = 0;
      for (const auto& [value, count] : spread) there += count;
      if (there < total) spread[nullptr] = total - there;
    }
    return subjects;
  }

  //! What frames have instead of the rule's value, in one fault for all of them.
  struct Difference {
    Frames frames;
    std::set<std::string_view> values;
    bool missing = false;
  };

  void compare_shapes() {
    std::map<FrameShapes::Id, Frames> frames_of;
    std::size_t total = 0;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (!records_[i].shape) continue;
      frames_of[*records_[i].shape].push_back(frame(i));
      ++total;
    }
    if (frames_of.size() < 2) return;
    const auto subjects = spread_of(frames_of, total);
    std::map<std::string_view, const std::string*> rule;
    for (const auto& [subject, spread] : subjects) {
      if (!majority(spread, total, rule[subject])) {
        report_.varying.push_back(fmt::format("{} ({} values)", shown(subject), spread.size()));
        rule.erase(subject);
      }
    }
    // Missing and otherwise are two things.
    std::map<std::pair<std::string_view, bool>, Difference> differences;
    for (const auto& [id, frames] : frames_of) collect(id, frames, rule, differences);
    Difference rest;
    std::size_t told = 0;
    for (auto& [key, difference] : differences) {
      std::sort(difference.frames.begin(), difference.frames.end());
      if (key.first.starts_with("display window") || key.first.starts_with("part ")) {
        resized_.insert(difference.frames.begin(), difference.frames.end());
      }
      if (++told <= kDifferencesMax) {
        add("header_differs", Severity::warning, difference.frames,
            message(key.first, difference, rule.at(key.first)));
      } else {
        rest.frames.insert(rest.frames.end(), difference.frames.begin(), difference.frames.end());
      }
    }
    if (rest.frames.empty()) return;
    std::sort(rest.frames.begin(), rest.frames.end());
    add("header_differs", Severity::warning, rest.frames,
        fmt::format("{} more differences", told - kDifferencesMax));
  }

  void collect(FrameShapes::Id id, const Frames& frames,
               const std::map<std::string_view, const std::string*>& rule,
               std::map<std::pair<std::string_view, bool>, Difference>& differences) const {
    std::map<std::string_view, const ShapeFact*> facts;
    for (const ShapeFact& fact : shapes_.facts(id)) facts.emplace(fact.subject, &fact);
    const auto note = [&](std::string_view subject, const ShapeFact* fact) {
      Difference& difference = differences[{subject, fact == nullptr}];
      difference.frames.insert(difference.frames.end(), frames.begin(), frames.end());
      difference.missing = fact == nullptr;
      if (fact != nullptr) difference.values.insert(fact->value);
    };
    for (const auto& [subject, fact] : facts) {
      const auto expected = rule.find(subject);
      if (expected == rule.end()) continue;
      const bool same = expected->second != nullptr && *expected->second == fact->value;
      // Of a part that the others lack, it is enough to say so.
      const auto part = rule.find(fact->within);
      const bool extra_part = part != rule.end() && part->second == nullptr;
      if (!same && !extra_part) note(subject, fact);
    }
    for (const auto& [subject, expected] : rule) {
      if (expected == nullptr || facts.contains(subject)) continue;
      const std::string_view within = parts_.at(subject);
      if (within.empty() || facts.contains(within)) note(subject, nullptr);
    }
  }

  static std::string message(std::string_view subject, const Difference& difference,
                             const std::string* expected) {
    if (difference.missing) return shown(subject) + " missing";
    if (expected == nullptr) return shown(subject) + ", which the others have not";
    if (difference.values.size() > 1) {
      return fmt::format("{} has {} values, the others {}", shown(subject),
                         difference.values.size(), shown(*expected));
    }
    return fmt::format("{} is {}, the others have {}", shown(subject),
                       shown(*difference.values.begin()), shown(*expected));
  }

  void compare_data_windows() {
    std::map<std::string, Frames> by_windows;
    std::size_t total = 0;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (records_[i].data_windows.empty() || resized_.contains(frame(i))) continue;
      std::string text;
      for (const Box2i& window : records_[i].data_windows) {
        text += (text.empty() ? "" : ", ") + window_text(window);
      }
      by_windows[std::move(text)].push_back(frame(i));
      ++total;
    }
    if (by_windows.size() < 2) return;
    const auto most = std::max_element(
        by_windows.begin(), by_windows.end(),
        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    if (2 * most->second.size() <= total) {
      report_.varying.push_back(fmt::format("data window ({} values)", by_windows.size()));
      return;
    }
    Difference difference;
    for (const auto& [windows, frames] : by_windows) {
      if (&windows == &most->first) continue;
      difference.frames.insert(difference.frames.end(), frames.begin(), frames.end());
      difference.values.insert(windows);
    }
    std::sort(difference.frames.begin(), difference.frames.end());
    add("data_window_differs", Severity::warning, difference.frames,
        message("data window", difference, &most->first));
  }

  //! Frames of one shape have sizes of one order, unless something is wrong or nothing is in them.
  void compare_sizes() {
    constexpr std::uint64_t kTimes = 8;
    constexpr std::size_t kFilesMin = 4;
    std::vector<std::uint64_t> sizes;
    for (const FrameRecord& record : records_) {
      if (record.size_bytes > 0) sizes.push_back(record.size_bytes);
    }
    if (sizes.size() < kFilesMin) return;
    const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
    const std::uint64_t median = *middle;
    Frames frames;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      const std::uint64_t size = records_[i].size_bytes;
      const bool odd = size > 0 && (size < median / kTimes || size / kTimes > median);
      if (odd && records_[i].problem.empty()) frames.push_back(frame(i));
    }
    if (frames.empty()) return;
    add("size_differs", Severity::note, frames,
        fmt::format("less than an eighth or more than eight times as large as the file in the "
                    "middle, {} bytes",
                    median));
  }

  //! A number that should go with the frame's number.
  struct Counted {
    std::int64_t frame;
    std::int64_t offset;  //!< to the frame's number
    std::string text;
  };

  //! One fault for frames whose number is off by the same, or one for all when there is no rule.
  void report_offsets(const std::vector<Counted>& counted, std::string_view code,
                      std::string_view what) {
    std::map<std::int64_t, std::vector<const Counted*>> by_offset;
    for (const Counted& each : counted) by_offset[each.offset].push_back(&each);
    if (by_offset.size() < 2) return;
    const auto most = std::max_element(
        by_offset.begin(), by_offset.end(),
        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    if (2 * most->second.size() <= counted.size()) {
      Frames frames;
      for (const Counted& each : counted) frames.push_back(each.frame);
      return add(code, Severity::warning, frames,
                 fmt::format("the {} does not go with the frame number", what));
    }
    for (const auto& [offset, group] : by_offset) {
      if (offset == most->first) continue;
      Frames frames;
      for (const Counted* each : group) frames.push_back(each->frame);
      const std::int64_t by = offset - most->first;
      add(code, Severity::warning, frames,
          fmt::format("{} {} is {} frames {} what the others say", what, group.front()->text,
                      by < 0 ? -by : by, by < 0 ? "behind" : "ahead of"));
    }
  }

  void check_time_codes() {
    std::vector<std::pair<std::int64_t, ClockTime>> times;
    std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> rates;
    std::map<std::string, Frames> invalid;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      const FrameRecord& record = records_[i];
      if (record.rate) ++rates[{record.rate->numerator, record.rate->denominator}];
      if (!record.time_code) continue;
      auto time = decode_time_code(*record.time_code);
      if (time) {
        times.emplace_back(frame(i), *time);
      } else {
        invalid[time.error().message()].push_back(frame(i));
      }
    }
    for (const auto& [why, frames] : invalid) {
      add("time_code_invalid", Severity::warning, frames, why);
    }
    if (times.empty()) return;
    report_.rate_declared = !rates.empty();
    report_.rate = rates.empty() ? best_rate(times) : most_frequent(rates);
    check_offsets(times, *report_.rate);
  }

  static FrameRate most_frequent(
      const std::map<std::pair<std::int64_t, std::int64_t>, std::size_t>& rates) {
    const auto most =
        std::max_element(rates.begin(), rates.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return {most->first.first, most->first.second};
  }

  //! How far the time code at this rate is ahead of the frame's number, from 0 to a day.
  static Result<std::int64_t> offset_of(std::int64_t frame, const ClockTime& time, FrameRate rate) {
    REEL_ASSIGN(const std::int64_t number, frame_number(time, rate));
    return modulo(number - frame, frames_per_day(rate, time.drop_frame));
  }

  static std::int64_t modulo(std::int64_t value, std::int64_t of) { return (value % of + of) % of; }

  //! Where no rate is declared: the one at which most time codes go with their frames.
  static FrameRate best_rate(const std::vector<std::pair<std::int64_t, ClockTime>>& times) {
    constexpr FrameRate kRates[] = {{24, 1}, {25, 1}, {30, 1}, {30000, 1001},
                                    {48, 1}, {50, 1}, {60, 1}, {60000, 1001}};
    FrameRate best = kRates[0];
    std::size_t fitting = 0;
    for (const FrameRate rate : kRates) {
      std::map<std::int64_t, std::size_t> counts;
      std::size_t most = 0;
      for (const auto& [frame, time] : times) {
        if (const auto offset = offset_of(frame, time, rate)) {
          most = std::max(most, ++counts[*offset]);
        }
      }
      if (most <= fitting) continue;
      fitting = most;
      best = rate;
    }
    return best;
  }

  void check_offsets(const std::vector<std::pair<std::int64_t, ClockTime>>& times, FrameRate rate) {
    std::vector<Counted> counted;
    Frames refused;
    std::optional<std::int64_t> start;
    for (const auto& [frame, time] : times) {
      const auto offset = offset_of(frame, time, rate);
      if (!offset) {
        refused.push_back(frame);
        continue;
      }
      if (!start) start = *offset;
      // From half a day behind the first frame to half a day ahead of it.
      const std::int64_t day = frames_per_day(rate, time.drop_frame);
      const std::int64_t ahead = modulo(*offset - *start + day / 2, day) - day / 2;
      counted.push_back({frame, ahead, time.to_string()});
    }
    if (!refused.empty()) {
      add("time_code_invalid", Severity::warning, refused,
          fmt::format("the time code is none at {}/{} frames per second", rate.numerator,
                      rate.denominator));
    }
    report_offsets(counted, "time_code_jump", "time code");
  }

  void check_image_counters() {
    std::vector<Counted> counted;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (!records_[i].image_counter) continue;
      const std::int64_t number = *records_[i].image_counter;
      counted.push_back({frame(i), number - frame(i), fmt::format("{}", number)});
    }
    report_offsets(counted, "image_counter_jump", "imageCounter");
  }

  const NameSequence& sequence_;
  const std::span<const FrameRecord> records_;
  const FrameShapes& shapes_;
  SequenceReport report_;
  //! Their display windows or parts differ, and data windows with them.
  std::set<std::int64_t> resized_;
  std::map<std::string_view, std::string_view> parts_;  //!< by subject, the part that it is of
};

}  // namespace

SequenceReport report_sequence(const NameSequence& sequence, std::span<const FrameRecord> records,
                               const FrameShapes& shapes) {
  REEL_CHECK(!sequence.files.empty() && records.size() == sequence.files.size());
  return Reporter(sequence, records, shapes).run();
}

}  // namespace reel::exr
