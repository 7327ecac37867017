#include "exr/sequence_report.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "exr/sequence_text.h"
#include "exr/test_headers.h"
#include "json/value.h"

namespace reel::exr {
namespace {

using testing::channel;
using testing::channels;
using testing::make_header;
using testing::PartBuilder;
using Texts = std::vector<std::string>;

std::uint32_t bcd(std::int64_t value) {
  return static_cast<std::uint32_t>(value / 10 << 4 | value % 10);
}

//! The time code that is `number` frames after midnight, at 24 frames per second.
TimeCode time_code(std::int64_t number) {
  const std::int64_t seconds = number / 24 % 86'400;
  return {bcd(seconds / 3600) << 24 | bcd(seconds / 60 % 60) << 16 | bcd(seconds % 60) << 8 |
              bcd(number % 24),
          0};
}

//! Files of one sequence, to be spoilt one by one.
class Shot {
 public:
  void add(const std::string& name, const Header& header, std::uint64_t size = 1'000'000) {
    FrameRecord record = frame_record(header, shapes_);
    record.size_bytes = size;
    records_.emplace(name, std::move(record));
  }
  void add_broken(const std::string& name, std::string problem) {
    records_.emplace(name, FrameRecord{.problem = std::move(problem)});
  }

  SequenceReport report() const {
    Texts paths;
    for (const auto& [name, record] : records_) paths.push_back(name);
    const NameGroups groups = group_names(paths);
    EXPECT_EQ(groups.sequences.size(), 1U);
    EXPECT_TRUE(groups.singles.empty());
    const NameSequence& sequence = groups.sequences.at(0);
    std::vector<FrameRecord> records;
    for (const SequenceFile& file : sequence.files) {
      records.push_back(records_.at(sequence.name(file)));
    }
    return report_sequence(sequence, records, shapes_);
  }

 private:
  FrameShapes shapes_;
  std::map<std::string, FrameRecord> records_;
};

//! "code frames: message" of each fault.
Texts faults_of(const SequenceReport& report) {
  Texts texts;
  for (const SequenceFault& fault : report.faults) {
    texts.push_back(fmt::format("{} {}: {}", fault.code, ranges_text(fault.frames), fault.message));
  }
  return texts;
}

PartBuilder frame(std::int64_t number) {
  PartBuilder part;
  auto list = channels({"A", "B", "G", "R"});
  list.insert(list.begin() + 2, channel("Depth.Z", PixelType::float32));
  part.set("channels", list);
  part.set("owner", "a studio").set("timeCode", time_code(86'400 + number));
  part.set("framesPerSecond", Rational{24, 1});
  return part;
}

TEST(SequenceReportTest, AThousandFramesWithSevenFaults) {
  Shot shot;
  for (std::int64_t number = 1001; number <= 2000; ++number) {
    const std::string name = fmt::format("beauty.{}.exr", number);
    PartBuilder part = frame(number);
    if (number == 1500) continue;                                         // 1: missing
    if (number == 1100) shot.add("beauty.01100.exr", make_header(part));  // 2: twice
    if (number == 1043 || number == 1050) {                               // 3: without a layer
      part.set("channels", channels({"A", "B", "G", "R"}));
    }
    if (number == 1200) part.compression(4);                             // 4: piz
    if (number >= 1301 && number <= 1303) part.windows(2048, 1080);      // 5: another size
    if (number == 1400) part.erase("owner");                             // 6: without an attribute
    if (number == 1600) part.set("timeCode", time_code(86'400 + 1603));  // 7: time code jumps
    shot.add(name, make_header(part));
  }
  const SequenceReport report = shot.report();
  EXPECT_EQ(report.files, 1000U);
  EXPECT_EQ(report.pattern, "beauty.[1001-2000].exr");
  EXPECT_EQ(ranges_text(report.ranges), "1001-1499, 1501-2000");
  EXPECT_EQ(report.rate, (FrameRate{24, 1}));
  EXPECT_TRUE(report.rate_declared);
  EXPECT_TRUE(report.varying.empty());
  EXPECT_EQ(faults_of(report),
            (Texts{"frames_missing 1500: missing",
                   "frame_duplicate 1100: in more than one file: beauty.01100.exr, beauty.1100.exr",
                   "header_differs 1400: attribute owner missing",
                   "header_differs 1200: compression is piz, the others have zip",
                   ("header_differs 1301-1303: display window is 2048x1080+0+0, the others have "
                    "1920x1080+0+0"),
                   "header_differs 1043, 1050: layer Depth missing",
                   ("time_code_jump 1600: time code 01:01:06:19 is 3 frames ahead of what the "
                    "others say")}));
}

TEST(SequenceReportTest, AGoodSequenceHasNoFaults) {
  Shot shot;
  for (int number = 1; number < 30; ++number) {
    shot.add(fmt::format("x.{:04}.exr", number), make_header(frame(number)));
  }
  const SequenceReport report = shot.report();
  EXPECT_EQ(faults_of(report), Texts{});
  EXPECT_EQ(report.size_bytes, 29'000'000U);
  EXPECT_EQ(report_text(report), "x.[0001-0029].exr  29 files, frames 1-29\n");
}

TEST(SequenceReportTest, FramesOnTwosHaveAStep) {
  Shot shot;
  for (const int number : {1001, 1003, 1005, 1009}) {
    shot.add(fmt::format("x.{}.exr", number), make_header(PartBuilder()));
  }
  const SequenceReport report = shot.report();
  EXPECT_EQ(report.step, 2);
  EXPECT_EQ(faults_of(report), Texts{"frames_missing 1007: missing"});
  EXPECT_EQ(ranges_text(report.ranges, report.step), "1001-1005 by 2, 1009");
  Shot two;
  two.add("x.1.exr", make_header(PartBuilder()));
  two.add("x.5.exr", make_header(PartBuilder()));
  EXPECT_EQ(faults_of(two.report()), Texts{"frames_missing 2-4: 3 frames missing"});
}

Texts padding_faults(const Texts& numbers) {
  Shot shot;
  for (const auto& number : numbers) {
    shot.add(fmt::format("x.{}.exr", number), make_header(PartBuilder()));
  }
  return faults_of(shot.report());
}

TEST(SequenceReportTest, PaddingIsMixedWhenNoWidthFitsAll) {
  EXPECT_EQ(padding_faults({"8", "9", "10", "11"}), Texts{});
  EXPECT_EQ(padding_faults({"0998", "0999", "1000"}), Texts{});
  EXPECT_EQ(padding_faults({"9998", "9999", "10000"}), Texts{});
  EXPECT_EQ(padding_faults({"-001", "0000", "0001"}),
            Texts{"padding_mixed -1: not padded to 4 digits as the others: x.-001.exr"});
  EXPECT_EQ(padding_faults({"0001", "0002", "3", "0004"}),
            Texts{"padding_mixed 3: not padded to 4 digits as the others: x.3.exr"});
  EXPECT_EQ(padding_faults({"0", "1", "2"}), Texts{});
}

TEST(SequenceReportTest, WhatVariesHasNoRule) {
  Shot shot;
  for (int number = 1; number <= 10; ++number) {
    shot.add(fmt::format("x.{}.exr", number),
             make_header(PartBuilder()
                             .set("dataWindow", testing::box(100 + number, 100))
                             .set("framesPerSecond", Rational{number, 1})));
  }
  const SequenceReport report = shot.report();
  EXPECT_EQ(faults_of(report), Texts{});
  EXPECT_EQ(report.varying,
            (Texts{"attribute framesPerSecond (10 values)", "data window (10 values)"}));
}

TEST(SequenceReportTest, DataWindowsThatDifferAreOneFault) {
  Shot shot;
  for (int number = 1; number <= 9; ++number) {
    PartBuilder part;
    if (number == 3) part.set("dataWindow", testing::box(100, 100));
    if (number == 5) part.set("dataWindow", Box2i{{{-2147483647 - 1, 0}}, {{2147483647, 0}}});
    shot.add(fmt::format("x.{}.exr", number), make_header(part));
  }
  EXPECT_EQ(faults_of(shot.report()),
            Texts{"data_window_differs 3, 5: data window has 2 values, the others 1920x1080+0+0"});
}

Part named(std::string_view name, const std::vector<std::string>& list) {
  return PartBuilder().set("name", name).set("channels", channels(list)).build();
}

TEST(SequenceReportTest, OfAMissingPartOnlyThePartIsTold) {
  Shot shot;
  for (int number = 1; number <= 5; ++number) {
    std::vector<Part> parts = {named("beauty", {"R"}), named("normals", {"N.X"})};
    if (number != 3) parts.push_back(named("depth", {"Depth.Z"}));
    if (number == 4) parts.push_back(named("crypto", {"c.R"}));
    shot.add(fmt::format("x.{}.exr", number), make_header(parts));
  }
  EXPECT_EQ(faults_of(shot.report()),
            (Texts{"header_differs 4: part 'crypto', which the others have not",
                   "header_differs 3: part 'depth' missing"}));
}

TEST(SequenceReportTest, BrokenFilesAreToldTogether) {
  Shot shot;
  for (int number = 1; number <= 6; ++number) {
    const std::string name = fmt::format("x.{}.exr", number);
    if (number == 2 || number == 3) {
      shot.add_broken(name, "cannot be read");
    } else {
      shot.add(name, make_header(PartBuilder()), number == 5 ? 1000 : 1'000'000);
    }
  }
  EXPECT_EQ(faults_of(shot.report()),
            (Texts{"file_broken 2-3: cannot be read",
                   "size_differs 5: less than an eighth or more than eight times as large as the "
                   "file in the middle, 1000000 bytes"}));
}

Texts time_faults(const std::map<int, TimeCode>& codes, const PartBuilder& model = {}) {
  Shot shot;
  for (const auto& [number, code] : codes) {
    PartBuilder part = model;
    shot.add(fmt::format("x.{}.exr", number), make_header(part.set("timeCode", code)));
  }
  return faults_of(shot.report());
}

TEST(SequenceReportTest, TimeCodesGoWithFrameNumbers) {
  std::map<int, TimeCode> codes;
  for (int number = 1; number <= 60; ++number) codes[number] = time_code(number + 2'073'590);
  EXPECT_EQ(time_faults(codes), Texts{});  // no rate: 24 fits; over midnight
  codes[30] = {0x0000000a, 0};
  EXPECT_EQ(time_faults(codes),
            Texts{"time_code_invalid 30: the time code word 0x0000000a is no time of day"});
  codes[30] = time_code(30);
  EXPECT_EQ(time_faults(codes),
            Texts{"time_code_jump 30: time code 00:00:01:06 is 10 frames ahead of what the others "
                  "say"});
  for (auto& each : codes) each.second = time_code(1000);
  EXPECT_EQ(time_faults(codes),
            Texts{"time_code_jump 1-60: the time code does not go with the frame number"});
}

TEST(SequenceReportTest, TimeCodesAreReadAtTheDeclaredRate) {
  std::map<int, TimeCode> codes;
  for (int number = 1; number <= 4; ++number) codes[number] = time_code(20 + number);
  codes[2] = {0x00000028, 0};
  PartBuilder model;
  model.set("captureRate", Rational{24, 1}).set("framesPerSecond", Rational{0, 0});
  EXPECT_EQ(time_faults(codes, model),
            Texts{"time_code_invalid 2: the time code is none at 24/1 frames per second"});
}

TEST(SequenceReportTest, ImageCountersGoWithFrameNumbers) {
  Shot shot;
  for (int number = 1; number <= 5; ++number) {
    shot.add(fmt::format("x.{}.exr", number),
             make_header(PartBuilder().set("imageCounter", number == 4 ? 9 : number + 7)));
  }
  EXPECT_EQ(faults_of(shot.report()),
            Texts{"image_counter_jump 4: imageCounter 9 is 2 frames behind what the others say"});
}

TEST(SequenceReportTest, TilesCannotBeMissing) {
  Shot shot;
  for (const int number : {1001, 1002, 1021, 1022, 1011, 1012}) {
    shot.add(fmt::format("x.{}.exr", number), make_header(PartBuilder()));
  }
  const SequenceReport report = shot.report();
  EXPECT_EQ(report.kind, SequenceKind::tiles);
  EXPECT_EQ(faults_of(report), Texts{});
  EXPECT_EQ(report_text(report),
            "x.[1001-1022].exr  6 files, tiles 1001-1002, 1011-1012, 1021-1022\n");
}

TEST(SequenceReportTest, DifferencesBeyondAHundredAreCounted) {
  Shot shot;
  for (int number = 1; number <= 3; ++number) {
    PartBuilder part;
    for (int i = 0; number == 2 && i < 150; ++i) part.set(fmt::format("extra{:03}", i), 1);
    shot.add(fmt::format("x.{}.exr", number), make_header(part));
  }
  const Texts faults = faults_of(shot.report());
  ASSERT_EQ(faults.size(), 101U);
  EXPECT_EQ(faults[0], "header_differs 2: attribute extra000, which the others have not");
  EXPECT_EQ(faults[100], "header_differs 2: 50 more differences");
}

TEST(SequenceReportTest, ReportsAreOneObject) {
  Shot shot;
  for (const int number : {-1, 0, 2}) {
    shot.add(fmt::format("x.{}.exr", number), make_header(frame(number + 5)));
  }
  const SequenceReport report = shot.report();
  std::string text;
  json::Writer writer(text);
  write_report(writer, report);
  EXPECT_EQ(text,
            R"({"pattern":"x.[-1-2].exr","kind":"frames","first":-1,"last":2,"step":1,"files":3,)"
            R"("size_bytes":3000000,"ranges":[[-1,0],[2,2]],"time_code_rate":"24/1",)"
            R"("time_code_rate_declared":true,"varying":[],"faults":[{"code":"frames_missing",)"
            R"("severity":"error","frames":[[1,1]],"message":"missing"}]})");
  EXPECT_TRUE(json::parse(text).has_value());
  EXPECT_EQ(report_text(report), "x.[-1-2].exr  3 files, frames -1-0, 2\n  error: 1: missing\n");
}

}  // namespace
}  // namespace reel::exr
