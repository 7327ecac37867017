#include "exr/sequence_names.h"

#include <algorithm>
#include <random>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/test_seed.h"

namespace reel::exr {
namespace {

using Texts = std::vector<std::string>;

//! The patterns of the sequences, then the single files.
Texts found_in(const Texts& paths) {
  const NameGroups groups = group_names(paths);
  Texts texts;
  for (const NameSequence& each : groups.sequences) {
    texts.push_back((each.kind == SequenceKind::tiles ? "tiles " : "") + each.pattern());
  }
  for (const std::size_t index : groups.singles) texts.push_back(paths[index]);
  return texts;
}

TEST(SequenceNamesTest, NumbersThatVaryAreFrames) {
  EXPECT_EQ(found_in({"beauty.1001.exr", "beauty.1002.exr"}), Texts{"beauty.[1001-1002].exr"});
  EXPECT_EQ(found_in({"beauty1001.exr", "beauty1002.exr"}), Texts{"beauty[1001-1002].exr"});
  EXPECT_EQ(found_in({"beauty-1001.exr", "beauty-1002.exr"}), Texts{"beauty-[1001-1002].exr"});
  EXPECT_EQ(found_in({"beauty_1001.exr", "beauty_1005.exr"}), Texts{"beauty_[1001-1005].exr"});
  EXPECT_EQ(found_in({"x.99.exr", "x.100.exr"}), Texts{"x.[99-100].exr"});
  EXPECT_EQ(found_in({"a.0001.left.exr", "a.0002.left.exr", "a.0001.right.exr"}),
            (Texts{"a.[0001-0002].left.exr", "a.0001.right.exr"}));
  EXPECT_EQ(found_in({"1001.exr", "1002.exr"}), Texts{"[1001-1002].exr"});
  EXPECT_EQ(found_in({"0001_a.exr", "0002_a.exr"}), Texts{"[0001-0002]_a.exr"});
  EXPECT_EQ(found_in({"plate.1001", "plate.1002"}), Texts{"plate.[1001-1002]"});
}

TEST(SequenceNamesTest, AFileAloneIsSingle) {
  for (const char* name : {"grade_2048.exr", "tex.1001.exr", "plate.20240115.exr",
                           "beauty.0001.exr", "no number.exr", ".exr", "", "a/", "1"}) {
    EXPECT_EQ(found_in({name}), Texts{name});
  }
}

TEST(SequenceNamesTest, NumbersMayBeNegative) {
  EXPECT_EQ(found_in({"x.-005.exr", "x.-004.exr", "x.0000.exr", "x.0001.exr"}),
            Texts{"x.[-005-0001].exr"});
  const NameGroups groups = group_names(Texts{"x.-005.exr", "x.003.exr"});
  EXPECT_EQ(groups.sequences.at(0).files[0].frame, -5);
  EXPECT_EQ(found_in({".-005.exr", ".-004.exr"}), Texts{".[-005--004].exr"});
  // Behind a letter it is a delimiter.
  EXPECT_EQ(group_names(Texts{"x-005.exr", "x-004.exr"}).sequences.at(0).files[0].frame, 4);
}

TEST(SequenceNamesTest, FramesAreInOrderOfTheirNumbers) {
  const NameGroups groups = group_names(Texts{"x.10.exr", "x.9.exr", "x.09.exr", "x.9.exr"});
  ASSERT_EQ(groups.sequences.size(), 1U);
  Texts names;
  for (const SequenceFile& file : groups.sequences[0].files) {
    names.push_back(fmt::format("{} {}", file.index, groups.sequences[0].name(file)));
  }
  EXPECT_EQ(names, (Texts{"2 x.09.exr", "1 x.9.exr", "0 x.10.exr"}));
}

TEST(SequenceNamesTest, DelimitersFoldersAndExtensionsTellSequencesApart) {
  EXPECT_EQ(found_in({"x.1.exr", "x.2.exr", "x_1.exr", "x_2.exr", "a/x.1.exr", "a/x.2.exr",
                      "x.1.EXR", "x.2.EXR"}),
            (Texts{"x.[1-2].EXR", "x.[1-2].exr", "x_[1-2].exr", "a/x.[1-2].exr"}));
}

TEST(SequenceNamesTest, VersionsSizesAndFormatsAreText) {
  EXPECT_EQ(found_in({"a_v001.exr", "a_v002.exr"}), (Texts{"a_v001.exr", "a_v002.exr"}));
  EXPECT_EQ(found_in({"a.1001.v1.exr", "a.1002.v1.exr"}), Texts{"a.[1001-1002].v1.exr"});
  EXPECT_EQ(found_in({"a_1920x1080.exr", "a_1920x1081.exr"}),
            (Texts{"a_1920x1080.exr", "a_1920x1081.exr"}));
  EXPECT_EQ(found_in({"a_2k.exr", "a_3k.exr", "a_4k.exr"}),
            (Texts{"a_2k.exr", "a_3k.exr", "a_4k.exr"}));
  EXPECT_EQ(found_in({"a_1079p.exr", "a_1080p.exr"}), (Texts{"a_1079p.exr", "a_1080p.exr"}));
  EXPECT_EQ(found_in({"nov1.exr", "nov2.exr"}), Texts{"nov[1-2].exr"});
}

TEST(SequenceNamesTest, PictureSizesAndDaysAreSingle) {
  const Texts sizes = {"sky_1024.exr", "sky_2048.exr", "sky_4096.exr"};
  EXPECT_EQ(found_in(sizes), sizes);
  EXPECT_EQ(found_in({"sky_2048.exr", "sky_2049.exr"}), Texts{"sky_[2048-2049].exr"});
  const Texts days = {"plate.20240115.exr", "plate.20240116.exr"};
  EXPECT_EQ(found_in(days), days);
  EXPECT_EQ(found_in({"plate.20241315.exr", "plate.20241316.exr"}),
            Texts{"plate.[20241315-20241316].exr"});
  EXPECT_EQ(found_in({"a.1001.20240115.exr", "a.1002.20240115.exr"}),
            Texts{"a.[1001-1002].20240115.exr"});
  const Texts iso = {"a_2024-01-15.exr", "a_2024-01-16.exr"};
  EXPECT_EQ(found_in(iso), iso);
  EXPECT_EQ(found_in({"a_2024-01-15.1.exr", "a_2024-01-15.2.exr"}),
            Texts{"a_2024-01-15.[1-2].exr"});
}

TEST(SequenceNamesTest, FullRectanglesOfUdimsAreTiles) {
  EXPECT_EQ(found_in({"tex.1001.exr", "tex.1002.exr", "tex.1011.exr", "tex.1012.exr"}),
            Texts{"tiles tex.[1001-1012].exr"});
  EXPECT_EQ(found_in({"tex.1001.exr", "tex.1002.exr", "tex.1003.exr"}),
            Texts{"tex.[1001-1003].exr"});
  EXPECT_EQ(found_in({"tex.1001.exr", "tex.1002.exr", "tex.1011.exr"}),
            Texts{"tex.[1001-1011].exr"});
  Texts frames;
  for (int frame = 1001; frame <= 1040; ++frame) frames.push_back(fmt::format("x.{}.exr", frame));
  EXPECT_EQ(found_in(frames), Texts{"x.[1001-1040].exr"});
}

TEST(SequenceNamesTest, TheNumberThatStandsBestIsTheFrame) {
  EXPECT_EQ(found_in({"shot010.1001.exr", "shot010.1002.exr", "shot020.1001.exr"}),
            (Texts{"shot010.[1001-1002].exr", "shot020.1001.exr"}));
  EXPECT_EQ(found_in({"a.1001.crypto00.exr", "a.1002.crypto00.exr", "a.1001.crypto01.exr",
                      "a.1002.crypto01.exr"}),
            (Texts{"a.[1001-1002].crypto00.exr", "a.[1001-1002].crypto01.exr"}));
  // Two that stand as well: the last, unless only the other one has neighbours.
  EXPECT_EQ(found_in({"a_0001_2048.exr", "a_0002_2048.exr"}), Texts{"a_[0001-0002]_2048.exr"});
  const Texts shots = {"shot_010_1001.exr", "shot_020_1001.exr"};
  EXPECT_EQ(found_in(shots), shots);
}

TEST(SequenceNamesTest, NumbersTooLongForFramesAreText) {
  const Texts names = {"a.1234567890123456789.exr", "a.1234567890123456780.exr"};
  EXPECT_EQ(found_in(names), names);
  EXPECT_EQ(found_in({"a.123456789012345678.exr", "a.-123456789012345678.exr"}),
            Texts{"a.[-123456789012345678-123456789012345678].exr"});
}

//! Whatever the names: each path is in one place, and its name can be built from it.
TEST(SequenceNamesTest, EveryPathIsSomewhereOnce) {
  std::mt19937_64 random(test_seed());
  constexpr std::string_view kLetters = "0011289..__--xvk/ a";
  for (int round = 0; round < 500; ++round) {
    Texts paths;
    for (int i = 0; i < 60; ++i) {
      std::string path;
      for (auto length = random() % 9; length > 0; --length) {
        path.push_back(kLetters[random() % kLetters.size()]);
      }
      paths.push_back(path + ".exr");
    }
    const NameGroups groups = group_names(paths);
    Texts back;
    for (const std::size_t index : groups.singles) back.push_back(paths.at(index));
    for (const NameSequence& each : groups.sequences) {
      EXPECT_GE(each.files.size(), 2U);
      for (const SequenceFile& file : each.files) {
        EXPECT_EQ(each.directory + each.name(file), paths.at(file.index));
        back.push_back(paths[file.index]);
      }
    }
    std::sort(back.begin(), back.end());
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    EXPECT_EQ(back, paths);
  }
}

}  // namespace
}  // namespace reel::exr
