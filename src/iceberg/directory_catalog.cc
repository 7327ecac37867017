#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include "iceberg/catalog.h"
#include "iceberg/file.h"

namespace reel::iceberg {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".metadata.json";

//! The number in "v12.metadata.json", 0 when it is another file.
std::int64_t version_in(std::string_view file) {
  if (!file.starts_with('v') || !file.ends_with(kEnding)) return 0;
  const std::string_view digits = file.substr(1, file.size() - 1 - kEnding.size());
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && version > 0 && digits.front() != '0' ? version : 0;
}

//! The highest version in the folder, 0 when there is none.
Result<std::int64_t> newest_version(const std::string& metadata_folder) {
  std::error_code error;
  std::int64_t newest = 0;
  fs::directory_iterator entries(metadata_folder, error);
  if (error == std::errc::no_such_file_or_directory) return 0;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    newest = std::max(newest, version_in(entries->path().filename().native()));
  }
  if (error) return io("listing {}: {}", metadata_folder, error.message());
  return newest;
}

class DirectoryCatalog final : public Catalog {
 public:
  explicit DirectoryCatalog(std::string root) : root_(std::move(root)) {}

  Result<std::string> default_location(const TableName& table) const override {
    REEL_TRY(check_table_name(table));
    return location_of(folder_of(table));
  }

  Result<std::string> current(const TableName& table) override {
    REEL_TRY(check_table_name(table));
    REEL_ASSIGN(const std::int64_t version, newest_version(folder_of(table) + "/metadata"));
    if (version == 0) return not_found("there is no table {}", table.to_string());
    return location_of(file_of(table, version));
  }

  Result<std::string> replace(const TableName& table, const TableMetadata& next,
                              const std::string& base) override {
    REEL_ASSIGN(const std::string location, default_location(table));
    if (next.location != location) {
      return invalid("a table of this catalog is kept in {}, not in {}", location, next.location);
    }
    REEL_ASSIGN(const std::int64_t version, newest_version(folder_of(table) + "/metadata"));
    std::string newest;
    if (version > 0) {
      REEL_ASSIGN(newest, location_of(file_of(table, version)));
    }
    if (newest != base) return conflict("table {} has changed meanwhile", table.to_string());
    REEL_ASSIGN(std::string target, location_of(file_of(table, version + 1)));
    REEL_TRY(publish(next, table, version + 1));
    // A reader that believes an old hint sees an older state, and another commit mends it.
    (void)write_version_hint(next.location, std::to_string(version + 1));
    return target;
  }

 private:
  std::string folder_of(const TableName& table) const {
    return fmt::format("{}/{}/{}", root_, table.space, table.name);
  }
  std::string file_of(const TableName& table, std::int64_t version) const {
    return fmt::format("{}/metadata/v{}{}", folder_of(table), version, kEnding);
  }

  //! Writes the file under another name and links it to its own, which fails if there is one.
  Status publish(const TableMetadata& next, const TableName& table, std::int64_t version) {
    const std::string target = file_of(table, version);
    const std::string staged =
        fmt::format("{}/metadata/{}.staged", folder_of(table), Uuid::random().to_string());
    REEL_TRY(write_new_file(staged, next.to_text()));
    const int linked = ::link(staged.c_str(), target.c_str());
    const int reason = errno;
    ::unlink(staged.c_str());
    if (linked != 0 && reason == EEXIST) {
      return conflict("table {} has changed meanwhile", table.to_string());
    }
    if (linked != 0) {
      return io("linking {}: {}", target, std::generic_category().message(reason));
    }
    if (const Status synced = sync_folder_of(target); !synced) {
      return unknown_outcome("{}", synced.error().message());
    }
    return {};
  }

  const std::string root_;
};

}  // namespace

Status check_table_name(const TableName& table) {
  for (const std::string* part : {&table.space, &table.name}) {
    bool fits = !part->empty() && part->size() <= 255 && part->front() != '.';
    for (const char c : *part) fits = fits && c != '/' && static_cast<unsigned char>(c) >= 0x20;
    if (!fits) return invalid("'{}' is no name of a table or a namespace", *part);
  }
  return {};
}

Result<std::unique_ptr<Catalog>> open_directory_catalog(const std::string& root) {
  REEL_TRY(location_of(root));
  std::string path = root;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return std::make_unique<DirectoryCatalog>(std::move(path));
}

Status write_version_hint(const std::string& table_location, std::string_view hint) {
  REEL_ASSIGN(const std::string folder, path_of(table_location + "/metadata"));
  const std::string staged = fmt::format("{}/{}.staged", folder, Uuid::random().to_string());
  REEL_TRY(write_new_file(staged, hint));
  const std::string target = folder + "/version-hint.text";
  if (::rename(staged.c_str(), target.c_str()) != 0) {
    const int reason = errno;
    ::unlink(staged.c_str());
    return io("renaming {}: {}", target, std::generic_category().message(reason));
  }
  return sync_folder_of(target);
}

}  // namespace reel::iceberg
