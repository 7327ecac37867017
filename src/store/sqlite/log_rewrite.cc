#include "store/sqlite/log_rewrite_internal.h"

#include <memory>
#include <vector>

#include <sqlite3.h>

namespace reel::store::sqlite {
namespace {

//! Less than 128 KiB: SQLite's VFS for Unix keeps 17 bits of a write's size, and calls a write of a
//! multiple of that a full disk.
constexpr int kPieceBytes = 1 << 16;

//! A file opened through an SQLite VFS.
class File {
 public:
  File(sqlite3_vfs* vfs, const char* path, int flags)
      : memory_(std::make_unique<std::byte[]>(static_cast<std::size_t>(vfs->szOsFile))) {
    int opened_as = 0;
    result_ = vfs->xOpen(vfs, path, get(), flags, &opened_as);
  }
  ~File() {
    if (get()->pMethods != nullptr) get()->pMethods->xClose(get());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int result() const { return result_; }

  int write_again() {
    const sqlite3_io_methods& file = *get()->pMethods;
    sqlite3_int64 size = 0;
    if (const int rc = file.xFileSize(get(), &size); rc != SQLITE_OK) return rc;
    if (size == 0) return SQLITE_OK;
    std::vector<char> piece(kPieceBytes);
    for (sqlite3_int64 offset = 0; offset < size; offset += kPieceBytes) {
      const int count = static_cast<int>(std::min<sqlite3_int64>(kPieceBytes, size - offset));
      if (const int rc = file.xRead(get(), piece.data(), count, offset); rc != SQLITE_OK) return rc;
      if (const int rc = file.xWrite(get(), piece.data(), count, offset); rc != SQLITE_OK) {
        return rc;
      }
    }
    return file.xSync(get(), SQLITE_SYNC_NORMAL);
  }

 private:
  sqlite3_file* get() { return reinterpret_cast<sqlite3_file*>(memory_.get()); }

  std::unique_ptr<std::byte[]> memory_;
  int result_ = SQLITE_OK;
};

}  // namespace

Status rewrite_log(const std::string& database, const std::string& vfs_name) {
  sqlite3_vfs* const vfs = sqlite3_vfs_find(vfs_name.empty() ? nullptr : vfs_name.c_str());
  REEL_CHECK(vfs != nullptr);
  const std::string log = database + "-wal";
  const std::string journal = database + "-journal";
  // A VFS may look for parameters behind the name, so it must come from here.
  const std::unique_ptr<const char, void (*)(const char*)> name(
      sqlite3_create_filename(database.c_str(), journal.c_str(), log.c_str(), 0, nullptr),
      [](const char* owned) { sqlite3_free_filename(owned); });
  int exists = 0;
  int rc = vfs->xAccess(vfs, log.c_str(), SQLITE_ACCESS_EXISTS, &exists);
  if (rc == SQLITE_OK && exists == 0) return {};
  if (rc == SQLITE_OK) {
    File file(vfs, sqlite3_filename_wal(name.get()), SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL);
    rc = file.result() != SQLITE_OK ? file.result() : file.write_again();
  }
  if (rc == SQLITE_OK) return {};
  return io("writing {} again: {}", log, sqlite3_errstr(rc));
}

}  // namespace reel::store::sqlite
