#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/backend.h"
#include "media/test_folder.h"

namespace reel::media {
namespace {

namespace fs = std::filesystem;

const Instant kDay = *Instant::parse("2026-03-04T05:06:07Z");

class LocalBackendTest : public testing::Test {
 protected:
  void SetUp() override { reopen(); }

  void reopen() {
    backend_.reset();
    auto opened = open_local_backend({}, folder_.path());
    ASSERT_TRUE(opened) << opened.error().message();
    backend_ = *std::move(opened);
  }

  Result<StoredBytes> store(std::string_view key, std::string_view bytes) {
    REEL_ASSIGN(const auto upload, backend_->begin_upload(key));
    REEL_TRY(upload->append(as_bytes(bytes)));
    return upload->finish();
  }

  static std::string content(const OpenObject& object) {
    std::string bytes(object.size_bytes + 1, '\0');
    const ssize_t got = ::pread(object.descriptor, bytes.data(), bytes.size(), 0);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

  std::string content(std::string_view key) {
    const auto object = backend_->open(key);
    return object ? content(*object) : std::string(code_name(object.error().code()));
  }

  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_directory()) {
        found.push_back(fs::relative(entry.path(), folder_.path()).native());
      }
    }
    std::ranges::sort(found);
    return found;
  }

  const TestFolder folder_;
  std::unique_ptr<Backend> backend_;
};

TEST_F(LocalBackendTest, StoresAndReadsBack) {
  const std::string key = make_key("an/object", kDay);
  const auto upload = backend_->begin_upload(key);
  ASSERT_TRUE(upload);
  ASSERT_TRUE((*upload)->append(as_bytes("hello ")));
  ASSERT_TRUE((*upload)->append({}));
  ASSERT_TRUE((*upload)->append(as_bytes("world")));
  const auto stored = (*upload)->finish();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->size_bytes, 11U);
  EXPECT_EQ(stored->sha256, sha256("hello world"));
  EXPECT_EQ(content(key), "hello world");
  EXPECT_EQ(files(), std::vector<std::string>{key});
}

TEST_F(LocalBackendTest, StoresNothing) {
  const std::string key = make_key("empty", kDay);
  const auto stored = store(key, "");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->sha256, sha256(""));
  EXPECT_EQ(content(key), "");
}

TEST_F(LocalBackendTest, NothingIsVisibleBeforeFinish) {
  const std::string key = make_key("a", kDay);
  const auto upload = backend_->begin_upload(key);
  ASSERT_TRUE((*upload)->append(as_bytes("half")));
  EXPECT_EQ(content(key), "not_found");
  ASSERT_TRUE((*upload)->finish());
  EXPECT_EQ(content(key), "half");
}

TEST_F(LocalBackendTest, AbandonedUploadLeavesNothing) {
  const std::string key = make_key("a", kDay);
  ASSERT_TRUE(store(key, "old"));
  {
    const auto upload = backend_->begin_upload(key);
    ASSERT_TRUE((*upload)->append(as_bytes("new")));
    EXPECT_EQ(files().size(), 2U);
  }
  EXPECT_EQ(files(), std::vector<std::string>{key});
  EXPECT_EQ(content(key), "old");
}

TEST_F(LocalBackendTest, ReplacesWhileReadersKeepTheirBytes) {
  const std::string key = make_key("a", kDay);
  ASSERT_TRUE(store(key, "old"));
  const auto before = backend_->open(key);
  ASSERT_TRUE(store(key, "newer"));
  EXPECT_EQ(content(*before), "old");
  EXPECT_EQ(content(key), "newer");
  ASSERT_TRUE(backend_->remove(key));
  EXPECT_EQ(content(*before), "old");
}

TEST_F(LocalBackendTest, LastCopyClosesTheDescriptor) {
  const std::string key = make_key("a", kDay);
  ASSERT_TRUE(store(key, "x"));
  auto object = *backend_->open(key);
  auto copy = object;
  object = {};
  EXPECT_EQ(content(copy), "x");
  const int descriptor = copy.descriptor;
  copy = {};
  struct stat status{};
  EXPECT_EQ(::fstat(descriptor, &status), -1);
}

TEST_F(LocalBackendTest, RemoveIsIdempotent) {
  const std::string key = make_key("a", kDay);
  EXPECT_TRUE(backend_->remove(key));
  ASSERT_TRUE(store(key, "x"));
  EXPECT_TRUE(backend_->remove(key));
  EXPECT_EQ(content(key), "not_found");
  EXPECT_TRUE(backend_->remove(key));
  EXPECT_TRUE(files().empty());
}

TEST_F(LocalBackendTest, RefusesKeysThatMakeKeyCannotHaveMade) {
  std::ofstream(folder_ / "secret") << "x";
  for (const std::string& key :
       {std::string(""), std::string("media"), std::string("media/"), std::string("/media/a"),
        std::string("media//a"), std::string("media/../secret"), std::string("media/./a"),
        std::string("media/a/.."), std::string("staging/0.part"), std::string("secret"),
        std::string("../media/a"), std::string("media/a\0b", 9), std::string("mediaX/a")}) {
    EXPECT_EQ(backend_->begin_upload(key).error().code(), Code::invalid) << key;
    EXPECT_EQ(backend_->open(key).error().code(), Code::invalid) << key;
    EXPECT_EQ(backend_->remove(key).error().code(), Code::invalid) << key;
  }
  EXPECT_EQ(files(), std::vector<std::string>{"secret"});
}

TEST_F(LocalBackendTest, AnyObjectIdStaysInsideTheRoot) {
  for (const std::string& id :
       {std::string(".."), std::string("."), std::string(""), std::string("/etc/passwd"),
        std::string("../../../x"), std::string("a\0b", 3), std::string(10'000, '%'),
        std::string(5'000, '/'), std::string(255, 'x')}) {
    const std::string key = make_key(id, kDay);
    ASSERT_TRUE(store(key, id)) << key;
    EXPECT_EQ(content(key), id);
    EXPECT_TRUE(fs::is_regular_file(folder_ / key));
  }
}

TEST_F(LocalBackendTest, AFolderIsNoObject) {
  ASSERT_TRUE(store("media/a/b", "x"));
  EXPECT_EQ(content("media/a"), "not_found");
  EXPECT_EQ(content("media/a/b/c"), "not_found");
  EXPECT_TRUE(backend_->remove("media/a/b/c"));
  EXPECT_FALSE(store("media/a", "x"));
  EXPECT_EQ(files(), std::vector<std::string>{"media/a/b"});
}

TEST_F(LocalBackendTest, RecreatesFoldersThatSomebodyRemoved) {
  const std::string key = make_key("a", kDay);
  ASSERT_TRUE(store(key, "x"));
  fs::remove_all(folder_ / "media");
  ASSERT_TRUE(store(key, "y"));
  EXPECT_EQ(content(key), "y");
}

TEST_F(LocalBackendTest, RemovesLeftOverStagedFilesAtStart) {
  const std::string key = make_key("a", kDay);
  ASSERT_TRUE(store(key, "x"));
  backend_.reset();
  std::ofstream(folder_ / "staging/0.part") << "left over";
  std::ofstream(folder_ / "staging/17.part") << "left over";
  reopen();
  EXPECT_EQ(files(), std::vector<std::string>{key});
  EXPECT_EQ(content(key), "x");
}

TEST_F(LocalBackendTest, OneProcessAtATime) {
  const auto second = open_local_backend({}, folder_.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::conflict);
}

TEST_F(LocalBackendTest, CreatesNestedRoots) {
  const auto nested = open_local_backend({}, folder_ / "a/b/c/");
  ASSERT_TRUE(nested) << nested.error().message();
  EXPECT_TRUE(fs::is_directory(folder_ / "a/b/c/staging"));
}

TEST_F(LocalBackendTest, NamesTheRootThatItCannotCreate) {
  std::ofstream(folder_ / "file") << "x";
  const auto failed = open_local_backend({}, folder_ / "file/root");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::io);
  EXPECT_NE(failed.error().message().find("file/root"), std::string::npos);
}

//! A full disk, as a process can make one for itself.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(LocalBackendTest, AFullDiskIsAnErrorThatNamesTheFileAndLeavesNothing) {
  const std::string key = make_key("big", kDay);
  {
    auto upload = backend_->begin_upload(key);
    ASSERT_TRUE(upload);
    const FileSizeLimit limit(1000);
    ASSERT_TRUE((*upload)->append(as_bytes(std::string(900, 'x'))));
    const auto full = (*upload)->append(as_bytes(std::string(900, 'x')));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code(), Code::io);
    EXPECT_NE(full.error().message().find(folder_ / key), std::string::npos);
    EXPECT_EQ((*upload)->append(as_bytes("x")).error().code(), Code::io);
    EXPECT_EQ((*upload)->finish().error().code(), Code::io);
  }
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(content(key), "not_found");
}

TEST_F(LocalBackendTest, CopiesMoreThanOneBuffer) {
  std::string bytes;
  while (bytes.size() < 700'000) bytes += std::to_string(bytes.size());
  ASSERT_TRUE(store("media/from", bytes));
  const auto source = backend_->open("media/from");
  ASSERT_TRUE(source);
  const auto copied = copy_object(*source, *backend_, "media/to");
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->size_bytes, bytes.size());
  EXPECT_EQ(copied->sha256, sha256(bytes));
  EXPECT_EQ(content("media/to"), bytes);
}

TEST_F(LocalBackendTest, CopyNoticesATruncatedSource) {
  ASSERT_TRUE(store("media/from", "0123456789"));
  const auto source = backend_->open("media/from");
  ASSERT_TRUE(source);
  fs::resize_file(folder_ / "media/from", 5);
  EXPECT_EQ(copy_object(*source, *backend_, "media/to").error().code(), Code::corrupt);
  EXPECT_EQ(content("media/to"), "not_found");
}

TEST_F(LocalBackendTest, ManyThreadsStoreAtOnce) {
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 25; ++i) {
        const std::string id = fmt::format("{}-{}", thread, i);
        EXPECT_TRUE(store(make_key(id, kDay), id));
        EXPECT_TRUE(store("media/shared/key", id));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(files().size(), 101U);
  EXPECT_EQ(content("media/shared/key").substr(1), "-24");
}

}  // namespace
}  // namespace reel::media
