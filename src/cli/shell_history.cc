#include "cli/shell_history.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/process.h"
#include "json/value.h"
#include "server/data_directory.h"

namespace reel::cli {
namespace {

//! An absolute path from the environment; the XDG specification tells to ignore others.
std::string folder_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

std::string line_of(const std::string& entry) { return json::to_text(json::Value(entry)) + "\n"; }

//! In one piece, so that what several shells add does not mix.
Status write_private(const std::string& path, int flags, const std::string& text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600));
  if (!file || ::fchmod(file.get(), 0600) != 0 ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return io("cannot write {}: {}", path, std::strerror(errno));
  }
  return {};
}

}  // namespace

std::string shell_history_path() {
  std::string folder = folder_of("XDG_STATE_HOME");
  if (folder.empty()) {
    folder = folder_of("HOME");
    if (folder.empty()) return "";
    folder += "/.local/state";
  }
  return folder + "/reelhouse/sql_history";
}

Result<std::vector<std::string>> ShellHistory::load() const {
  std::vector<std::string> entries;
  const auto text = server::read_file(path_);
  if (!text && text.error().code() == Code::not_found) return entries;
  if (!text) return Failure(text.error().clone());
  std::string_view left = *text;
  while (!left.empty()) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    const auto entry = json::parse(line);
    if (entry && entry->as_string() != nullptr) entries.push_back(*entry->as_string());
  }
  if (entries.size() <= 2 * kEntriesMax) return entries;
  entries.erase(entries.begin(), entries.end() - kEntriesMax);
  std::string kept;
  for (const std::string& entry : entries) kept += line_of(entry);
  const std::string staged = path_ + ".new";
  REEL_TRY(write_private(staged, O_TRUNC, kept));
  if (::rename(staged.c_str(), path_.c_str()) != 0) {
    return io("cannot replace {}: {}", path_, std::strerror(errno));
  }
  return entries;
}

Status ShellHistory::add(const std::string& entry) const {
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(folder.parent_path(), failed);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return io("cannot create {}: {}", folder.string(), std::strerror(errno));
  }
  return write_private(path_, O_APPEND, line_of(entry));
}

}  // namespace reel::cli
