#include <filesystem>

#include "store/sqlite/backup_internal.h"
#include "store/sqlite/sqlite_store.h"

namespace reel::store {

Status copy_sqlite_store(const std::string& path, const std::string& directory) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return not_found("no store at {}", path);
  REEL_ASSIGN(const auto source, sqlite::Connection::open({.path = path}));
  // The transaction begins with its first read and keeps its view while a server goes on writing.
  REEL_TRY(source->run("BEGIN"));
  REEL_TRY(source->read_integer("SELECT count(*) FROM sqlite_schema"));
  return sqlite::backup_to(*source, directory, std::filesystem::path(path).filename().string());
}

}  // namespace reel::store
