#include "iceberg/file.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reel::iceberg {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheme = "file:";
constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;

Failure system_failure(std::string_view doing, std::string_view path) {
  const int code = errno;
  const std::string reason = std::generic_category().message(code);
  if (code == ENOENT) return not_found("{} {}: {}", doing, path, reason);
  if (code == EEXIST) return conflict("{} {}: {}", doing, path, reason);
  return io("{} {}: {}", doing, path, reason);
}

//! An open file, closed when it goes.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Status sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return system_failure("syncing", path);
  return {};
}

//! Creates a folder and those above it that are missing, each durable in its parent.
Status create_folders(const fs::path& path) {
  std::error_code ignored;
  if (path.empty() || fs::is_directory(path, ignored)) return {};
  REEL_TRY(create_folders(path.parent_path()));
  if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return system_failure("creating", path.native());
  }
  return sync_folder(path.parent_path());
}

Status write_all(const Descriptor& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("writing", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file.get()) != 0) return system_failure("syncing", path);
  return {};
}

}  // namespace

Result<std::string> location_of(std::string_view path) {
  if (!path.starts_with('/')) return invalid("'{}' is no absolute path", path);
  for (const char c : path) {
    if (c == '?' || c == '#' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return invalid("'{}' cannot be named in a table: some reader would stop at '{}'", path, c);
    }
  }
  return fmt::format("file://{}", path);
}

Result<std::string> path_of(std::string_view location) {
  std::string_view path = location;
  if (path.starts_with(kScheme)) path.remove_prefix(kScheme.size());
  if (path.starts_with("//")) path.remove_prefix(2);
  if (!path.starts_with('/') || path.find('\0') != path.npos) {
    return unsupported("'{}' is no file of this machine", location);
  }
  return std::string(path);
}

Result<std::string> read_file(std::string_view location, std::size_t bytes_max) {
  REEL_ASSIGN(const std::string path, path_of(location));
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!file || ::fstat(file.get(), &status) != 0) return system_failure("opening", path);
  if (!S_ISREG(status.st_mode)) return invalid("'{}' is no regular file", path);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > bytes_max) {
    return too_large("'{}' has {} bytes, more than {}", path, size, bytes_max);
  }
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::read(file.get(), bytes.data() + filled, size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("reading", path);
    if (count == 0) return io("'{}' became shorter while it was read", path);
    filled += static_cast<std::size_t>(count);
  }
  return bytes;
}

Status write_new_file(std::string_view location, std::string_view bytes) {
  REEL_ASSIGN(const std::string path, path_of(location));
  REEL_TRY(create_folders(fs::path(path).parent_path()));
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!file) return system_failure("creating", path);
  Status written = write_all(file, bytes, path);
  if (!written) ::unlink(path.c_str());
  return written;
}

Status sync_folder_of(std::string_view location) {
  REEL_ASSIGN(const std::string path, path_of(location));
  return sync_folder(fs::path(path).parent_path());
}

Status remove_file(std::string_view location) {
  REEL_ASSIGN(const std::string path, path_of(location));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_failure("removing", path);
  return {};
}

}  // namespace reel::iceberg
