#include "server/data_directory.h"

#include <cerrno>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json/value.h"

namespace reel::server {
namespace {

//! Closes a descriptor.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  const int descriptor_;
};

Failure system_error(std::string_view doing, const std::string& path) {
  return io("{} {}: {}", doing, path, std::strerror(errno));
}

Status write_all(int descriptor, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(descriptor, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("writing", path);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(descriptor) != 0) return system_error("syncing", path);
  return {};
}

Status sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::fsync(opened.get()) != 0) return system_error("syncing", folder);
  return {};
}

}  // namespace

std::string data_path(const Config& config, std::string_view name) {
  return fmt::format("{}/{}", config.data_dir, name);
}

Status write_file(const std::string& path, std::string_view content) {
  const std::string staged = path + ".new";
  {
    const File file(::open(staged.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    if (!file.is_open()) return system_error("creating", staged);
    REEL_TRY(write_all(file.get(), content, staged));
  }
  if (::rename(staged.c_str(), path.c_str()) != 0) return system_error("renaming", staged);
  return sync_folder_of(path);
}

Result<std::string> read_file(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return not_found("there is no file {}", path);
    return system_error("opening", path);
  }
  std::string content;
  char buffer[4096];
  while (true) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("reading", path);
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
  }
}

Result<std::map<std::string, StorageId>> read_storage_ids(const Config& config) {
  const std::string path = data_path(config, kStorageFile);
  std::map<std::string, StorageId> ids;
  auto text = read_file(path);
  if (!text) {
    if (text.error().code() == Code::not_found) return ids;
    return Failure(std::move(text).error());
  }
  const auto file = json::parse(*text);
  if (!file || file->as_object() == nullptr) return corrupt("{} is not a JSON object", path);
  for (const json::Member& entry : *file->as_object()) {
    const std::string* id_text = entry.value.as_string();
    const auto id = StorageId::parse(id_text == nullptr ? "" : *id_text);
    if (!id) return corrupt("{}: '{}' has no identifier", path, entry.name);
    ids.emplace(entry.name, *id);
  }
  return ids;
}

Result<std::vector<StorageConfig>> assign_storage_ids(const Config& config) {
  REEL_ASSIGN(auto ids, read_storage_ids(config));
  const std::string path = data_path(config, kStorageFile);
  const std::size_t known = ids.size();
  std::vector<StorageConfig> storages = config.storage;
  std::set<StorageId> used;
  for (StorageConfig& storage : storages) {
    const StorageId wanted = storage.id ? *storage.id : StorageId::random();
    const StorageId id = ids.try_emplace(storage.label, wanted).first->second;
    if (storage.id && *storage.id != id) {
      return invalid("storage '{}' is configured as {}, but {} knows it as {}", storage.label,
                     storage.id->to_string(), path, id.to_string());
    }
    if (!used.insert(id).second) {
      return invalid("two storages have the identifier {}", id.to_string());
    }
    storage.id = id;
  }
  if (ids.size() == known) return storages;
  json::Value file{json::Object{}};
  for (const auto& [label, id] : ids) file.set(label, id.to_string());
  REEL_TRY(write_file(path, json::to_text(file) + "\n"));
  return storages;
}

std::unique_ptr<sql::Engine> make_sql(const Config& config, store::Store& store) {
  return sql::Engine::make(store, {.memory_bytes_max = std::uint64_t{config.sql.memory_mb} << 20,
                                   .threads = config.sql.threads,
                                   .directories = config.sql.directories});
}

Result<tams::Storage> open_storage(const Config& config) {
  tams::Storage storage;
  REEL_ASSIGN(const auto entries, assign_storage_ids(config));
  for (const StorageConfig& entry : entries) {
    const media::BackendInfo info{.id = *entry.id,
                                  .label = entry.label,
                                  .provider = entry.provider,
                                  .region = entry.region,
                                  .availability_zone = entry.availability_zone,
                                  .store_product = entry.store_product,
                                  .tags = entry.tags,
                                  .default_storage = entry.is_default};
    REEL_ASSIGN(auto backend, media::open_local_backend(info, entry.path));
    storage.backends.emplace(*entry.id, std::move(backend));
  }
  REEL_ASSIGN(storage.signer, media::UrlSigner::open(data_path(config, kUrlKeyFile)));
  return storage;
}

}  // namespace reel::server
