#include "store/sqlite/backup_internal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace reel::store::sqlite {
namespace {

namespace fs = std::filesystem;

Status sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return io("cannot open {}: {}", path, std::strerror(errno));
  const int failed = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (failed != 0) return io("cannot sync {}: {}", path, std::strerror(failed));
  return {};
}

Status copy_pages(const Connection& source, Connection& target) {
  sqlite3_backup* const backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
  if (backup == nullptr) return target.failure(sqlite3_errcode(target.get()), "copying to");
  sqlite3_backup_step(backup, -1);  // in one go: the source's transaction holds its view anyway
  const int rc = sqlite3_backup_finish(backup);
  if (rc != SQLITE_OK) return target.failure(rc, "copying to");
  return {};
}

}  // namespace

Status make_directory(const std::string& path) {
  std::error_code failed;
  const fs::path directory = path.empty() ? fs::path(".") : fs::path(path);
  const bool created = fs::create_directories(directory, failed);
  if (failed) return io("cannot create directory {}: {}", directory.string(), failed.message());
  if (!created) return {};
  const fs::path parent = fs::absolute(directory, failed).lexically_normal().parent_path();
  return sync_path(parent.string());
}

Status backup_to(const Connection& source, const std::string& directory,
                 const std::string& file_name) {
  REEL_TRY(make_directory(directory));
  std::error_code failed;
  const bool empty = fs::is_empty(directory, failed);
  if (failed) return io("cannot read directory {}: {}", directory, failed.message());
  if (!empty) return conflict("backup directory {} is not empty", directory);
  const std::string finished = directory + "/" + file_name;
  const std::string partial = finished + ".partial";
  {
    REEL_ASSIGN(const auto target, Connection::open({.path = partial, .write = true}));
    // The copy is synced as a whole below; until then nobody trusts it.
    REEL_TRY(target->run("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"));
    REEL_TRY(copy_pages(source, *target));
  }
  REEL_TRY(sync_path(partial));
  fs::rename(partial, finished, failed);
  if (failed) return io("cannot rename {}: {}", partial, failed.message());
  return sync_path(directory);
}

}  // namespace reel::store::sqlite
