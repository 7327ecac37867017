#include "lake/durable_file.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reel::lake {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;

//! From errno: "writing a/b: No space left on device".
Failure system_failure(std::string_view doing, std::string_view path) {
  return io("{} {}: {}", doing, path, std::generic_category().message(errno));
}

std::string unfinished(const std::string& path) { return path + std::string(kUnfinished); }

Status sync_folder(const fs::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return system_failure("opening", path.native());
  Status synced = ::fsync(folder) == 0 ? Status() : system_failure("syncing", path.native());
  ::close(folder);
  return synced;
}

//! Creates what is missing of `path`, each new entry durable in its parent.
Status make_folders(const fs::path& path) {
  if (path.empty() || fs::is_directory(path)) return {};
  REEL_TRY(make_folders(path.parent_path()));
  if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return system_failure("creating", path.native());
  }
  const fs::path parent = path.parent_path();
  return sync_folder(parent.empty() ? fs::path(".") : parent);
}

}  // namespace

DurableFile::DurableFile(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

Result<std::unique_ptr<DurableFile>> DurableFile::create(const std::string& path) {
  REEL_TRY(make_folders(fs::path(path).parent_path()));
  if (::access(path.c_str(), F_OK) == 0) return conflict("{} is there already", path);
  const int descriptor =
      ::open(unfinished(path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return system_failure("creating", unfinished(path));
  return std::unique_ptr<DurableFile>(new DurableFile(path, descriptor));
}

DurableFile::~DurableFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(unfinished(path_).c_str());
}

Status DurableFile::write(std::string_view bytes) {
  hash_.update(as_bytes(bytes));
  size_bytes_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure("writing", unfinished(path_));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<Sha256Digest> DurableFile::finish() {
  if (::fsync(descriptor_) != 0) return system_failure("syncing", unfinished(path_));
  if (::rename(unfinished(path_).c_str(), path_.c_str()) != 0) {
    return system_failure("naming", path_);
  }
  ::close(std::exchange(descriptor_, -1));
  REEL_TRY(sync_folder(fs::path(path_).parent_path()));
  return hash_.finish();
}

Result<FileFacts> look_at_file(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return not_found("the file {} is not there", path);
    return system_failure("looking at", path);
  }
  constexpr std::int64_t kMicros = 1'000'000;
  return FileFacts{.size_bytes = facts.st_size,
                   .written = {facts.st_mtim.tv_sec * kMicros + facts.st_mtim.tv_nsec / 1'000}};
}

Result<Sha256Digest> hash_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return not_found("the file {} is not there", path);
  if (file < 0) return system_failure("opening", path);
  Sha256 hash;
  std::array<char, 1 << 16> piece;
  ssize_t size = 0;
  while ((size = ::read(file, piece.data(), piece.size())) != 0) {
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;
    hash.update(as_bytes({piece.data(), static_cast<std::size_t>(size)}));
  }
  Status done = size == 0 ? Status() : system_failure("reading", path);
  ::close(file);
  REEL_TRY(std::move(done));
  return hash.finish();
}

}  // namespace reel::lake
