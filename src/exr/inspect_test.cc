#include "exr/inspect.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "exr/test_bytes.h"

namespace reel::exr {
namespace {

using test::attribute;
using test::raw;
using test::required;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class InspectFile : public testing::Test {
 protected:
  InspectFile()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("reelhouse-inspect-{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~InspectFile() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string written(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  const std::filesystem::path folder_;
};

std::vector<std::string> codes(const Inspection& inspection) {
  std::vector<std::string> out;
  for (const Finding& each : inspection.findings) out.emplace_back(each.code);
  return out;
}

Inspection inspected(std::string_view bytes) {
  MemorySource source(bytes);
  return inspect(source, "in memory");
}

Sha256Digest shape_of(std::string_view bytes) {
  const auto shape = inspected(bytes).shape;
  REEL_CHECK(shape.has_value());
  return *shape;
}

TEST_F(InspectFile, AGoodOne) {
  const std::string bytes = test::file();
  const Inspection inspection = inspect_file(written("a.exr", bytes));
  EXPECT_THAT(codes(inspection), IsEmpty());
  EXPECT_EQ(inspection.status(), FileStatus::ok);
  EXPECT_EQ(inspection.size, bytes.size());
  EXPECT_TRUE(inspection.header_whole);
  EXPECT_EQ(inspection.complete, true);
  ASSERT_TRUE(inspection.modified.has_value());
  EXPECT_GT(inspection.modified->micros, 1'600'000'000'000'000);
  ASSERT_EQ(inspection.chunks.size(), 1U);
  EXPECT_EQ(inspection.chunks[0].computed, 2U);
}

TEST_F(InspectFile, WhatIsNoFileIsSaidToBeNone) {
  EXPECT_THAT(codes(inspect_file(path("missing"))), ElementsAre("file_not_found"));
  EXPECT_THAT(codes(inspect_file(path("a\xff/b"))), ElementsAre("file_not_found"));
  const Inspection folder = inspect_file(path(""));
  EXPECT_THAT(codes(folder), ElementsAre("not_a_file"));
  EXPECT_EQ(folder.findings[0].message, "The path is a directory");
  EXPECT_EQ(folder.status(), FileStatus::error);
  EXPECT_FALSE(folder.size.has_value());
  EXPECT_THAT(codes(inspect_file("/dev/null")), ElementsAre("not_a_file"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(codes(inspect_file(path("pipe"))), ElementsAre("not_a_file"));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_GE(socket, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(codes(inspect_file(path("socket"))), ElementsAre("not_a_file"));
  ::close(socket);
}

TEST_F(InspectFile, WhatMayNotBeReadIsSaidSo) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const std::string file = written("secret.exr", test::file());
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  EXPECT_THAT(codes(inspect_file(file)), ElementsAre("file_unreadable"));
}

TEST_F(InspectFile, OtherFilesNamedExr) {
  const Inspection empty = inspect_file(written("empty.exr", ""));
  EXPECT_THAT(codes(empty), ElementsAre("empty_file"));
  EXPECT_EQ(empty.complete, false);
  EXPECT_THAT(inspect_file(written("png.exr", "\x89PNG\r\n\x1a\n")).findings.at(0).message,
              HasSubstr("PNG"));
}

//! Appends to the file when it is read the first time.
class GrowingSource final : public ByteSource {
 public:
  GrowingSource(FileSource& file, std::string path) : file_(file), path_(std::move(path)) {}
  std::uint64_t size() const override { return file_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> first,
                           std::span<char> second) override {
    std::ofstream(path_, std::ios::binary | std::ios::app) << "more";
    return file_.read(offset, first, second);
  }

 private:
  FileSource& file_;
  const std::string path_;
};

TEST_F(InspectFile, AFileKnowsThatItChanged) {
  const std::string path = written("a.exr", test::file());
  auto file = FileSource::open(path);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(*(*file)->state_now(), (*file)->state());
  GrowingSource growing(**file, path);
  EXPECT_EQ(inspect(growing, path).status(), FileStatus::ok);  // as it was when it was opened
  EXPECT_NE(*(*file)->state_now(), (*file)->state());
}

TEST(Inspect, StatusIsThatOfTheWorstFinding) {
  EXPECT_EQ(inspected(test::file()).status(), FileStatus::ok);
  EXPECT_EQ(inspected(test::file(required() + attribute("a", "studio", "x"))).status(),
            FileStatus::findings);
  EXPECT_EQ(inspected(test::file(required("lineOrder"))).status(), FileStatus::error);
  EXPECT_EQ(status_name(FileStatus::findings), "findings");
}

TEST(Inspect, ABrokenHeaderHasNoShapeAndNoChunks) {
  const std::string bytes = test::file();
  const Inspection inspection = inspected(std::string_view(bytes).substr(0, 100));
  EXPECT_THAT(codes(inspection), ElementsAre("header_truncated"));
  EXPECT_FALSE(inspection.shape.has_value());
  EXPECT_TRUE(inspection.chunks.empty());
  EXPECT_EQ(inspection.complete, false);
}

TEST(Inspect, EveryTruncationOfAFileIsAnError) {
  const std::string bytes = test::file();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Inspection inspection = inspected(std::string_view(bytes).substr(0, size));
    EXPECT_EQ(inspection.status(), FileStatus::error) << size;
    EXPECT_EQ(inspection.complete, false) << size;
  }
}

TEST(Inspect, FramesOfASequenceHaveOneShape) {
  const std::string time = attribute("timeCode", "timecode", raw(1, 0));
  const Sha256Digest shape = shape_of(test::file(required() + time));
  EXPECT_EQ(shape, shape_of(test::file(required() + attribute("timeCode", "timecode", raw(2, 0)))));
  EXPECT_EQ(shape, shape_of(test::file(time + required())));
  EXPECT_EQ(
      shape,
      shape_of(test::file(
          required("dataWindow", attribute("dataWindow", "box2i", test::box(1, 0, 2, 1))) + time)));
  EXPECT_NE(shape, shape_of(test::file(required())));
  EXPECT_NE(shape,
            shape_of(test::file(
                required("compression", attribute("compression", "compression", "\x01")) + time)));
  EXPECT_NE(shape, shape_of(test::file(required("channels", attribute("channels", "chlist",
                                                                      test::channel("B") + '\0')) +
                                       time)));
}

}  // namespace
}  // namespace reel::exr
