//! Layout of the folder, and what survives a crash: docs/formats/media.md.

#include <atomic>
#include <filesystem>
#include <unordered_set>

#include <sys/file.h>
#include <sys/stat.h>

#include "base/thread_annotations.h"
#include "media/backend.h"
#include "media/file_internal.h"
#include "obs/span.h"

namespace reel::media {
namespace {

namespace fs = std::filesystem;

constexpr char kStagingFolder[] = "staging";
constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;
constexpr std::size_t kDurableFoldersMax = 4096;

Descriptor open_folder(int parent, const char* name) {
  return Descriptor(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

//! Keys come from the store, which other programs may have filled: a key that make_key() cannot
//! have made must not reach a file outside the folder of keys.
Status check_key(std::string_view key) {
  std::size_t parts = 0;
  for (std::string_view rest = key;; ++parts) {
    const auto slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    const bool first = parts == 0;
    if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos ||
        (first && (part != kKeyFolder || slash == rest.npos))) {
      return invalid("'{}' is not a key of a stored object", key.substr(0, 256));
    }
    if (slash == rest.npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

//! Creates what is missing of `path`, each new entry durable in its parent.
Status create_root(const fs::path& path) {
  fs::path current;
  for (const auto& part : path) {
    const fs::path parent = current.empty() ? fs::path(".") : current;
    current /= part;
    if (::mkdir(current.c_str(), kFolderMode) != 0) {
      if (errno == EEXIST) continue;
      return system_failure("creating", current.native());
    }
    const Descriptor folder = open_folder(AT_FDCWD, parent.c_str());
    if (!folder || ::fsync(folder.get()) != 0) return system_failure("syncing", parent.native());
  }
  return {};
}

class LocalBackend final : public Backend {
 public:
  static Result<std::unique_ptr<Backend>> make(BackendInfo info, const std::string& root);

  const BackendInfo& info() const override { return info_; }
  Result<std::unique_ptr<Upload>> begin_upload(std::string_view key) override;
  Result<OpenObject> open(std::string_view key) override;
  Result<std::uint64_t> remove(std::string_view key) override;

  std::string path_of(std::string_view name) const { return fmt::format("{}/{}", path_, name); }
  int staging() const { return staging_.get(); }
  //! Moves a complete, synced staged file to its key; durable on return.
  Status publish(const std::string& staged_name, std::string_view key);

 private:
  LocalBackend(BackendInfo info, std::string path)
      : info_(std::move(info)), path_(std::move(path)) {}

  Status clear_staging();
  Result<Descriptor> durable_folder(const std::string& folder);
  bool is_durable(const std::string& folder);
  void remember_durable(const std::string& folder);

  const BackendInfo info_;
  const std::string path_;
  Descriptor root_;
  Descriptor staging_;  //!< locked: two processes would delete each other's staged files
  std::atomic<std::uint64_t> next_staged_ = 0;
  Mutex mutex_;
  //! Folders known to survive a crash, so that an upload need not sync every level.
  std::unordered_set<std::string> durable_folders_ GUARDED_BY(mutex_);
};

class LocalUpload final : public Upload {
 public:
  LocalUpload(LocalBackend& backend, std::string key, std::string staged_name, Descriptor file)
      : backend_(backend),
        key_(std::move(key)),
        staged_name_(std::move(staged_name)),
        file_(std::move(file)) {}

  ~LocalUpload() override {
    if (!published_) ::unlinkat(backend_.staging(), staged_name_.c_str(), 0);
  }

  Status append(ByteSpan bytes) override {
    REEL_CHECK(!finished_);
    if (failed_) return earlier_failure();
    std::size_t written = 0;
    while (written < bytes.size()) {
      const ssize_t count = ::write(file_.get(), bytes.data() + written, bytes.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        failed_ = true;
        return system_failure("writing", backend_.path_of(key_));
      }
      written += static_cast<std::size_t>(count);
    }
    hash_.update(bytes);
    size_bytes_ += bytes.size();
    return {};
  }

  Result<StoredBytes> finish() override {
    REEL_CHECK(!finished_);
    finished_ = true;
    if (failed_) return earlier_failure();
    obs::Span span("media sync");
    span.set("reelhouse.media.bytes", static_cast<std::int64_t>(size_bytes_));
    if (::fsync(file_.get()) != 0) return system_failure("syncing", backend_.path_of(key_));
    file_.reset();
    REEL_TRY(backend_.publish(staged_name_, key_));
    published_ = true;
    return StoredBytes{size_bytes_, hash_.finish()};
  }

 private:
  Failure earlier_failure() const {
    return io("writing {}: an earlier piece failed", backend_.path_of(key_));
  }

  LocalBackend& backend_;
  const std::string key_;
  const std::string staged_name_;
  Descriptor file_;
  Sha256 hash_;
  std::uint64_t size_bytes_ = 0;
  bool failed_ = false;
  bool finished_ = false;
  bool published_ = false;
};

Result<std::unique_ptr<Backend>> LocalBackend::make(BackendInfo info, const std::string& root) {
  REEL_TRY(create_root(root));
  std::unique_ptr<LocalBackend> backend(new LocalBackend(std::move(info), root));
  backend->root_ = open_folder(AT_FDCWD, root.c_str());
  if (!backend->root_) return system_failure("opening", root);
  if (::mkdirat(backend->root_.get(), kStagingFolder, kFolderMode) != 0 && errno != EEXIST) {
    return system_failure("creating", backend->path_of(kStagingFolder));
  }
  backend->staging_ = open_folder(backend->root_.get(), kStagingFolder);
  if (!backend->staging_) return system_failure("opening", backend->path_of(kStagingFolder));
  if (::flock(backend->staging_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return conflict("another process uses the media folder {}", root);
    return system_failure("locking", backend->path_of(kStagingFolder));
  }
  REEL_TRY(backend->clear_staging());
  return std::unique_ptr<Backend>(std::move(backend));
}

Status LocalBackend::clear_staging() {
  std::error_code error;
  for (fs::directory_iterator entry(path_of(kStagingFolder), error), end; !error && entry != end;
       entry.increment(error)) {
    if (::unlinkat(staging_.get(), entry->path().filename().c_str(), 0) != 0) {
      return system_failure("removing", entry->path().native());
    }
  }
  if (error) return io("listing {}: {}", path_of(kStagingFolder), error.message());
  return {};
}

Result<std::unique_ptr<Upload>> LocalBackend::begin_upload(std::string_view key) {
  REEL_TRY(check_key(key));
  std::string name = fmt::format("{}.part", next_staged_++);
  Descriptor file(
      ::openat(staging_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!file) return system_failure("creating a staged file for", path_of(key));
  return std::make_unique<LocalUpload>(*this, std::string(key), std::move(name), std::move(file));
}

Result<OpenObject> LocalBackend::open(std::string_view key) {
  REEL_TRY(check_key(key));
  Descriptor file(
      ::openat(root_.get(), std::string(key).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR)
      return not_found("no stored bytes at {}", path_of(key));
    return system_failure("opening", path_of(key));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_failure("reading", path_of(key));
  if (!S_ISREG(status.st_mode)) return not_found("no stored bytes at {}", path_of(key));
  OpenObject object;
  object.descriptor = file.get();
  object.size_bytes = static_cast<std::uint64_t>(status.st_size);
  object.keep_alive = std::make_shared<const Descriptor>(std::move(file));
  return object;
}

Result<std::uint64_t> LocalBackend::remove(std::string_view key) {
  REEL_TRY(check_key(key));
  const std::string folder(key.substr(0, key.rfind('/')));
  const std::string name(key.substr(folder.size() + 1));
  const Descriptor opened = open_folder(root_.get(), folder.c_str());
  struct stat status{};
  if (opened && ::fstatat(opened.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      ::unlinkat(opened.get(), name.c_str(), 0) == 0) {
    if (::fsync(opened.get()) == 0) return static_cast<std::uint64_t>(status.st_size);
    return system_failure("syncing the removal of", path_of(key));
  }
  if (errno == ENOENT || errno == ENOTDIR) return 0;
  return system_failure("removing", path_of(key));
}

Status LocalBackend::publish(const std::string& staged_name, std::string_view key) {
  const std::string folder(key.substr(0, key.rfind('/')));
  const std::string name(key.substr(folder.size() + 1));
  REEL_ASSIGN(const Descriptor opened, durable_folder(folder));
  if (::renameat(staging_.get(), staged_name.c_str(), opened.get(), name.c_str()) != 0) {
    return system_failure("moving a staged file to", path_of(key));
  }
  if (::fsync(opened.get()) != 0) return system_failure("syncing the folder of", path_of(key));
  return {};
}

//! Opens a folder below the root. Unless it is known to be durable, every level is created if it
//! is missing and synced into its parent, also when another thread has just created it: that
//! thread may not have synced yet.
Result<Descriptor> LocalBackend::durable_folder(const std::string& folder) {
  if (is_durable(folder)) {
    Descriptor known = open_folder(root_.get(), folder.c_str());
    if (known) return known;
  }
  Descriptor parent = open_folder(root_.get(), ".");
  for (const auto& part : fs::path(folder)) {
    if (!parent || (::mkdirat(parent.get(), part.c_str(), kFolderMode) != 0 && errno != EEXIST) ||
        ::fsync(parent.get()) != 0) {
      return system_failure("creating", path_of(folder));
    }
    parent = open_folder(parent.get(), part.c_str());
  }
  if (!parent) return system_failure("opening", path_of(folder));
  remember_durable(folder);
  return parent;
}

bool LocalBackend::is_durable(const std::string& folder) {
  const MutexLock lock(mutex_);
  return durable_folders_.contains(folder);
}

void LocalBackend::remember_durable(const std::string& folder) {
  const MutexLock lock(mutex_);
  if (durable_folders_.size() >= kDurableFoldersMax) durable_folders_.clear();
  durable_folders_.insert(folder);
}

}  // namespace

Result<std::unique_ptr<Backend>> open_local_backend(BackendInfo info, const std::string& root) {
  return LocalBackend::make(std::move(info), root);
}

}  // namespace reel::media
