#include "server/backup.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/version.h"
#include "json/value.h"
#include "server/data_directory.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/instances.h"
#include "tams/record.h"
#include "tams/tables.h"

namespace reel::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifestFile = "manifest.json";
constexpr std::string_view kDatabaseFolder = "database";
constexpr std::string_view kMediaFolder = "media";
constexpr std::int64_t kFormat = 1;
//! A running server removes objects while they are copied; each time the tables are copied again.
constexpr int kAttemptsMax = 20;

Failure refused(std::string_view doing, const fs::path& path, const std::error_code& error) {
  return io("{} {}: {}", doing, path.string(), error.message());
}

Status make_empty_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return refused("creating", path, error);
  const bool empty = fs::is_empty(path, error);
  if (error) return refused("reading", path, error);
  if (!empty) return conflict("the directory {} is not empty", path.string());
  return {};
}

//! Makes everything on the file system of `path` durable, which is quicker than file by file.
Status sync_disk_of(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::syncfs(descriptor) == 0;
  const std::error_code error(errno, std::generic_category());
  if (descriptor >= 0) ::close(descriptor);
  return synced ? Status() : refused("syncing", path, error);
}

Status copy_over(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (!error) fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  return error ? refused("copying", from, error) : Status();
}

//! Where the bytes of one object are, below the folder of its storage.
struct StoredObject {
  std::string label;
  std::string key;
};

//! Adds where the bytes of an object are. Code::invalid when a storage has no label.
Status add_places(const tams::Record& object, const std::map<StorageId, std::string>& labels,
                  std::vector<StoredObject>& places) {
  if (object["size_bytes"].is_null()) return {};
  for (const tams::Instance& instance : tams::instances_in(object["instances"])) {
    if (!instance.storage_id || instance.copying) continue;
    const auto label = labels.find(*instance.storage_id);
    if (label == labels.end()) {
      return invalid("object '{}' is on storage {}, which is not configured", object.text("id"),
                     instance.storage_id->to_string());
    }
    places.push_back({label->second, instance.storage_key});
  }
  return {};
}

//! Every object with bytes that a copy of the tables knows.
Result<std::vector<StoredObject>> objects_of(const fs::path& database,
                                             const std::map<StorageId, std::string>& labels) {
  REEL_ASSIGN(const auto store, store::open_sqlite_store({.path = database.string()}));
  std::vector<StoredObject> objects;
  Status unknown;
  {
    REEL_ASSIGN(const auto snapshot, store->snapshot());
    REEL_ASSIGN(const auto schema, snapshot->catalog().table(tams::table::kObjects));
    REEL_TRY(snapshot->scan_all(tams::table::kObjects, 0, 1, [&](const store::RowView& row) {
      unknown = add_places(tams::Record(schema, row.cells), labels, objects);
      return unknown.has_value();
    }));
  }
  store->stop();
  if (!unknown) return Failure(std::move(unknown).error());
  return objects;
}

//! One backup on its way.
class Backup {
 public:
  Backup(const Config& config, fs::path directory)
      : config_(config), directory_(std::move(directory)) {}

  Result<CopyReport> run() {
    REEL_TRY(make_empty_folder(directory_));
    REEL_TRY(learn_storages());
    REEL_TRY(copy_tables_and_media());
    REEL_TRY(remove_superfluous());
    for (const std::string_view name : {kUrlKeyFile, kStorageFile}) {
      REEL_TRY(copy_over(data_path(config_, name), directory_ / name));
    }
    REEL_TRY(sync_disk_of(directory_));
    REEL_TRY(write_file((directory_ / kManifestFile).string(), manifest()));
    return report_;
  }

 private:
  Status learn_storages() {
    REEL_ASSIGN(const auto ids, read_storage_ids(config_));
    for (const StorageConfig& storage : config_.storage) {
      const auto id = ids.find(storage.label);
      if (id == ids.end()) continue;
      labels_.emplace(id->second, storage.label);
      roots_.emplace(storage.label, storage.path);
    }
    return {};
  }

  Status copy_tables_and_media() {
    const fs::path database = directory_ / kDatabaseFolder;
    std::string missing;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      std::error_code ignored;
      fs::remove_all(database, ignored);
      REEL_TRY(store::copy_sqlite_store(data_path(config_, kStoreFile), database.string()));
      REEL_ASSIGN(const auto objects, objects_of(database / kStoreFile, labels_));
      REEL_ASSIGN(missing, copy_media(objects));
      if (missing.empty()) return {};
    }
    return corrupt("the tables refer to {}, but there is no such file", missing);
  }

  //! The path of bytes that are not there; empty when all were copied.
  Result<std::string> copy_media(const std::vector<StoredObject>& objects) {
    report_ = {};
    wanted_.clear();
    for (const StoredObject& object : objects) {
      const fs::path from = fs::path(roots_.at(object.label)) / object.key;
      const fs::path to = directory_ / kMediaFolder / object.label / object.key;
      REEL_ASSIGN(const bool found, link_or_copy(from, to));
      if (!found) return from.string();
      wanted_.insert(to.string());
      report_.objects += 1;
      std::error_code ignored;
      report_.bytes += fs::file_size(to, ignored);
    }
    return std::string();
  }

  //! False when there is nothing to copy.
  static Result<bool> link_or_copy(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_directories(to.parent_path(), error);
    if (error) return refused("creating", to.parent_path(), error);
    fs::remove(to, error);  // of an earlier attempt
    fs::create_hard_link(from, to, error);
    if (!error) return true;
    if (error == std::errc::no_such_file_or_directory) return false;
    fs::copy_file(from, to, error);
    if (error == std::errc::no_such_file_or_directory) return false;
    if (error) return refused("copying", from, error);
    return true;
  }

  //! Media of an earlier attempt that the tables do not know any more.
  Status remove_superfluous() {
    std::error_code error;
    const fs::path media = directory_ / kMediaFolder;
    if (!fs::exists(media, error)) return {};
    std::vector<fs::path> superfluous;
    for (const auto& entry : fs::recursive_directory_iterator(media, error)) {
      if (entry.is_regular_file() && !wanted_.contains(entry.path().string())) {
        superfluous.push_back(entry.path());
      }
    }
    for (const fs::path& path : superfluous) fs::remove(path, error);
    return error ? refused("reading", media, error) : Status();
  }

  std::string manifest() const {
    json::Value manifest;
    manifest.set("format", kFormat);
    manifest.set("program", fmt::format("reelhouse {}", kVersion));
    manifest.set("created", system_clock().now().to_string());
    manifest.set("objects", report_.objects);
    manifest.set("bytes", report_.bytes);
    return json::to_text(manifest) + "\n";
  }

  const Config& config_;
  const fs::path directory_;
  std::map<StorageId, std::string> labels_;
  std::map<std::string, std::string> roots_;
  std::set<std::string> wanted_;
  CopyReport report_;
};

Status check_manifest(const fs::path& directory) {
  const std::string path = (directory / kManifestFile).string();
  const auto text = read_file(path);
  if (!text)
    return invalid("{} is no complete backup: {}", directory.string(), text.error().message());
  const auto manifest = json::parse(*text);
  const json::Value* format = manifest ? manifest->find("format") : nullptr;
  std::int64_t number = 0;
  if (format == nullptr || !format->get_int64(number)) return corrupt("{} is broken", path);
  if (number > kFormat) {
    return unsupported("{} has format {}; this program knows formats up to {}", path, number,
                       kFormat);
  }
  return {};
}

//! Copies the media of one storage to where it is configured.
Status restore_media(const fs::path& from, const StorageConfig& to, CopyReport& report) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(from, error)) {
    if (!entry.is_regular_file()) continue;
    REEL_TRY(copy_over(entry.path(), fs::path(to.path) / entry.path().lexically_relative(from)));
    report.objects += 1;
    report.bytes += entry.file_size();
  }
  if (error) return refused("reading", from, error);
  return sync_disk_of(to.path);
}

Result<const StorageConfig*> storage_of(const Config& config, const std::string& label) {
  for (const StorageConfig& storage : config.storage) {
    if (storage.label == label) return &storage;
  }
  return invalid("the backup has media of a storage '{}'; configure a [[storage]] of this label",
                 label);
}

}  // namespace

Result<CopyReport> backup(const Config& config, const std::string& directory) {
  return Backup(config, fs::path(directory)).run();
}

Result<CopyReport> restore(const Config& config, const std::string& directory) {
  const fs::path from(directory);
  REEL_TRY(check_manifest(from));
  REEL_TRY(make_empty_folder(config.data_dir));
  CopyReport report;
  std::error_code error;
  if (const fs::path media = from / kMediaFolder; fs::exists(media, error)) {
    for (const auto& entry : fs::directory_iterator(media, error)) {
      REEL_ASSIGN(const auto storage, storage_of(config, entry.path().filename().string()));
      REEL_TRY(restore_media(entry.path(), *storage, report));
    }
    if (error) return refused("reading", media, error);
  }
  for (const std::string_view name : {kUrlKeyFile, kStorageFile}) {
    REEL_TRY(copy_over(from / name, data_path(config, name)));
  }
  const fs::path store = data_path(config, kStoreFile);
  const fs::path partial = store.string() + ".partial";
  REEL_TRY(copy_over(from / kDatabaseFolder / kStoreFile, partial));
  REEL_TRY(sync_disk_of(config.data_dir));
  fs::rename(partial, store, error);
  if (error) return refused("renaming", partial, error);
  REEL_TRY(sync_disk_of(config.data_dir));
  return report;
}

}  // namespace reel::server
