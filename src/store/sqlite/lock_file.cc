#include "store/sqlite/lock_file_internal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace reel::store::sqlite {

Result<std::unique_ptr<LockFile>> LockFile::take(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return io("cannot write {}: {}", path, std::strerror(errno));
  std::unique_ptr<LockFile> lock(new LockFile(descriptor));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io("cannot lock {}: {}", path, std::strerror(errno));
    char pid[32] = {};
    const ssize_t size = ::pread(descriptor, pid, sizeof pid - 1, 0);
    const std::string_view owner(pid, size > 0 ? static_cast<std::size_t>(size) : 0);
    return conflict("data directory belongs to a running server (pid {}): {} is locked",
                    owner.empty() ? "unknown" : owner.substr(0, owner.find('\n')), path);
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return io("cannot write {}: {}", path, std::strerror(errno));
  }
  return lock;
}

LockFile::~LockFile() { ::close(descriptor_); }

}  // namespace reel::store::sqlite
