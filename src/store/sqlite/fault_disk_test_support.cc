#include "store/sqlite/fault_disk_test_support.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace reel::store::testing {

//! What SQLite holds of an open file. It gives us the memory, zeroed.
struct DiskFile {
  sqlite3_file base;
  FaultDisk* disk;
  std::shared_ptr<FaultDisk::Node>* node;
  std::string* path;  //!< removed when closed, if it is a temporary one
  bool temporary;
  int lock;
  bool mapped;
  unsigned shared_locks;
  unsigned exclusive_locks;
};

//! The calls that SQLite makes.
struct DiskCalls {
  static DiskFile* file_of(sqlite3_file* file) { return reinterpret_cast<DiskFile*>(file); }
  static FaultDisk* disk_of(sqlite3_vfs* vfs) { return static_cast<FaultDisk*>(vfs->pAppData); }
  static sqlite3_vfs* real() { return sqlite3_vfs_find(nullptr); }

  static int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                  int* out_flags) {
    FaultDisk& disk = *disk_of(vfs);
    const std::lock_guard lock(disk.mutex_);
    file->pMethods = nullptr;
    if (const int rc = disk.due(FaultDisk::on_open); rc != SQLITE_OK) return SQLITE_CANTOPEN;
    const std::string path = name == nullptr ? "(temporary)" : name;
    auto& node = disk.files_[path];
    if (node == nullptr) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) {
        disk.files_.erase(path);
        return SQLITE_CANTOPEN;
      }
      node = std::make_shared<FaultDisk::Node>();
    }
    DiskFile& opened = *file_of(file);
    opened = DiskFile{.base = {.pMethods = &methods()},
                      .disk = &disk,
                      .node = new std::shared_ptr<FaultDisk::Node>(node),
                      .path = new std::string(path),
                      .temporary = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
                      .lock = SQLITE_LOCK_NONE,
                      .mapped = false,
                      .shared_locks = 0,
                      .exclusive_locks = 0};
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int close(sqlite3_file* file) {
    DiskFile& opened = *file_of(file);
    if (opened.mapped) shm_unmap(file, 0);
    unlock(file, SQLITE_LOCK_NONE);
    const std::lock_guard lock(opened.disk->mutex_);
    if (opened.temporary) opened.disk->files_.erase(*opened.path);
    delete opened.node;
    delete opened.path;
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
    DiskFile& opened = *file_of(file);
    const std::lock_guard lock(opened.disk->mutex_);
    if (opened.disk->power_off_) return SQLITE_IOERR_READ;
    const std::string& content = (*opened.node)->current;
    const auto from = std::min(static_cast<std::size_t>(offset), content.size());
    const auto size = std::min(static_cast<std::size_t>(count), content.size() - from);
    std::memcpy(to, content.data() + from, size);
    if (size == static_cast<std::size_t>(count)) return SQLITE_OK;
    std::memset(static_cast<char*>(to) + size, 0, static_cast<std::size_t>(count) - size);
    return SQLITE_IOERR_SHORT_READ;
  }

  static int change(DiskFile& opened, FaultDisk::Operation operation, FaultDisk::Write write) {
    FaultDisk& disk = *opened.disk;
    const std::lock_guard lock(disk.mutex_);
    const bool was_on = !disk.power_off_;
    const int rc = disk.due(operation);
    if (rc != SQLITE_OK) {
      const bool in_part = was_on && !write.truncates && disk.random_() % 2 == 0;
      if (!in_part) return rc;
      write.bytes.resize(disk.random_() % (write.bytes.size() + 1));
    }
    FaultDisk::apply((*opened.node)->current, write);
    (*opened.node)->unsynced.push_back(std::move(write));
    return rc;
  }

  static int write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
    return change(
        *file_of(file), FaultDisk::on_write,
        {.offset = static_cast<std::uint64_t>(offset),
         .bytes = std::string(static_cast<const char*>(from), static_cast<std::size_t>(count))});
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return change(*file_of(file), FaultDisk::on_truncate,
                  {.offset = static_cast<std::uint64_t>(size), .bytes = {}, .truncates = true});
  }

  static int sync(sqlite3_file* file, int) {
    DiskFile& opened = *file_of(file);
    FaultDisk& disk = *opened.disk;
    std::this_thread::sleep_for(std::chrono::microseconds(disk.sync_delay_us_.load()));
    const std::lock_guard lock(disk.mutex_);
    FaultDisk::Node& node = **opened.node;
    if (const int rc = disk.due(FaultDisk::on_sync); rc != SQLITE_OK) {
      if (disk.power_off_) return SQLITE_IOERR_FSYNC;
      for (auto& write : node.unsynced) {
        write.forgotten = write.forgotten || (!write.truncates && disk.random_() % 2 == 0);
      }
      return rc == SQLITE_FULL ? rc : SQLITE_IOERR_FSYNC;
    }
    for (const auto& write : node.unsynced) {
      if (!write.forgotten) FaultDisk::apply(node.synced, write);
    }
    node.unsynced.clear();
    node.ever_synced = true;
    disk.removed_.erase(*opened.path);
    return SQLITE_OK;
  }

  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    DiskFile& opened = *file_of(file);
    const std::lock_guard lock(opened.disk->mutex_);
    if (opened.disk->power_off_) return SQLITE_IOERR_FSTAT;
    *size = static_cast<sqlite3_int64>((*opened.node)->current.size());
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* file, int level) {
    DiskFile& opened = *file_of(file);
    const std::lock_guard guard(opened.disk->mutex_);
    FaultDisk::Node& node = **opened.node;
    if (opened.lock >= level) return SQLITE_OK;
    if (opened.lock == SQLITE_LOCK_NONE) {
      if (node.pending != nullptr && node.pending != file) return SQLITE_BUSY;
      ++node.readers;
      opened.lock = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED) {
      if (node.reserved != nullptr && node.reserved != file) return SQLITE_BUSY;
      if (level == SQLITE_LOCK_RESERVED) node.reserved = file;
    }
    if (level == SQLITE_LOCK_EXCLUSIVE) {
      if (node.pending != nullptr && node.pending != file) return SQLITE_BUSY;
      node.pending = file;
      opened.lock = SQLITE_LOCK_PENDING;
      if (node.readers > 1) return SQLITE_BUSY;
    }
    opened.lock = level;
    return SQLITE_OK;
  }

  static int unlock(sqlite3_file* file, int level) {
    DiskFile& opened = *file_of(file);
    const std::lock_guard guard(opened.disk->mutex_);
    FaultDisk::Node& node = **opened.node;
    if (opened.lock <= level) return SQLITE_OK;
    if (node.reserved == file) node.reserved = nullptr;
    if (node.pending == file) node.pending = nullptr;
    if (level == SQLITE_LOCK_NONE) --node.readers;
    opened.lock = level;
    return SQLITE_OK;
  }

  static int check_reserved_lock(sqlite3_file* file, int* reserved) {
    DiskFile& opened = *file_of(file);
    const std::lock_guard guard(opened.disk->mutex_);
    const FaultDisk::Node& node = **opened.node;
    *reserved = static_cast<int>(node.reserved != nullptr || node.pending != nullptr);
    return SQLITE_OK;
  }

  static int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
    DiskFile& opened = *file_of(file);
    const std::lock_guard guard(opened.disk->mutex_);
    FaultDisk::Node& node = **opened.node;
    if (node.memory == nullptr) node.memory = std::make_unique<FaultDisk::Shared>();
    if (!opened.mapped) ++node.memory->users;
    opened.mapped = true;
    auto& regions = node.memory->regions;
    while (regions.size() <= static_cast<std::size_t>(region)) {
      if (extend == 0) {
        *memory = nullptr;
        return SQLITE_OK;
      }
      regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
    }
    *memory = regions[static_cast<std::size_t>(region)].get();
    return SQLITE_OK;
  }

  static int shm_lock(sqlite3_file* file, int first, int count, int flags) {
    DiskFile& opened = *file_of(file);
    const std::lock_guard guard(opened.disk->mutex_);
    FaultDisk::Shared& memory = *(*opened.node)->memory;
    const bool wants_shared = (flags & SQLITE_SHM_SHARED) != 0;
    for (int i = first; i < first + count && (flags & SQLITE_SHM_LOCK) != 0; ++i) {
      const unsigned bit = 1U << i;
      if (wants_shared && (opened.shared_locks & bit) != 0) continue;
      const int others = memory.shared[i] - static_cast<int>((opened.shared_locks & bit) != 0);
      const bool taken = memory.exclusive[i] && (opened.exclusive_locks & bit) == 0;
      if (taken || (!wants_shared && others > 0)) return SQLITE_BUSY;
    }
    for (int i = first; i < first + count; ++i) {
      const unsigned bit = 1U << i;
      if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        if ((opened.shared_locks & bit) != 0) --memory.shared[i];
        if ((opened.exclusive_locks & bit) != 0) memory.exclusive[i] = false;
        opened.shared_locks &= ~bit;
        opened.exclusive_locks &= ~bit;
      } else if (wants_shared) {
        if ((opened.shared_locks & bit) == 0) ++memory.shared[i];
        opened.shared_locks |= bit;
      } else {
        memory.exclusive[i] = true;
        opened.exclusive_locks |= bit;
      }
    }
    return SQLITE_OK;
  }

  static void shm_barrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

  static int shm_unmap(sqlite3_file* file, int) {
    DiskFile& opened = *file_of(file);
    if (!opened.mapped) return SQLITE_OK;
    shm_lock(file, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
    const std::lock_guard guard(opened.disk->mutex_);
    FaultDisk::Node& node = **opened.node;
    opened.mapped = false;
    if (--node.memory->users == 0) node.memory.reset();
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    FaultDisk& disk = *disk_of(vfs);
    const std::lock_guard lock(disk.mutex_);
    if (const int rc = disk.due(FaultDisk::on_remove); rc != SQLITE_OK) return SQLITE_IOERR_DELETE;
    const auto found = disk.files_.find(path);
    if (found == disk.files_.end()) return SQLITE_IOERR_DELETE_NOENT;
    if (sync_directory == 0 && found->second->ever_synced) disk.removed_[path] = found->second;
    disk.files_.erase(found);
    return SQLITE_OK;
  }

  static int access(sqlite3_vfs* vfs, const char* path, int, int* result) {
    FaultDisk& disk = *disk_of(vfs);
    const std::lock_guard lock(disk.mutex_);
    const auto found = disk.files_.find(path);
    *result = static_cast<int>(found != disk.files_.end());
    return SQLITE_OK;
  }

  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }

  static int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 4096; }
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
  static int randomness(sqlite3_vfs*, int size, char* out) {
    return real()->xRandomness(real(), size, out);
  }
  static int sleep(sqlite3_vfs*, int micros) { return real()->xSleep(real(), micros); }
  static int time(sqlite3_vfs*, sqlite3_int64* now) {
    return real()->xCurrentTimeInt64(real(), now);
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }

  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods table = [] {
      sqlite3_io_methods m = {};
      m.iVersion = 2;
      m.xClose = close;
      m.xRead = read;
      m.xWrite = write;
      m.xTruncate = truncate;
      m.xSync = sync;
      m.xFileSize = file_size;
      m.xLock = lock;
      m.xUnlock = unlock;
      m.xCheckReservedLock = check_reserved_lock;
      m.xFileControl = file_control;
      m.xSectorSize = sector_size;
      m.xDeviceCharacteristics = characteristics;
      m.xShmMap = shm_map;
      m.xShmLock = shm_lock;
      m.xShmBarrier = shm_barrier;
      m.xShmUnmap = shm_unmap;
      return m;
    }();
    return table;
  }
};

FaultDisk::FaultDisk(std::uint64_t seed) : random_(seed) {
  static std::atomic<int> count{0};
  name_ = "fault-disk-" + std::to_string(count++);
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(DiskFile);
  vfs_.mxPathname = 1024;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = DiskCalls::open;
  vfs_.xDelete = DiskCalls::remove;
  vfs_.xAccess = DiskCalls::access;
  vfs_.xFullPathname = DiskCalls::full_path;
  vfs_.xRandomness = DiskCalls::randomness;
  vfs_.xSleep = DiskCalls::sleep;
  vfs_.xCurrentTimeInt64 = DiskCalls::time;
  vfs_.xGetLastError = DiskCalls::last_error;
  sqlite3_vfs_register(&vfs_, 0);
}

FaultDisk::~FaultDisk() { sqlite3_vfs_unregister(&vfs_); }

void FaultDisk::fail(unsigned kinds, std::uint64_t skip, std::uint64_t times, int rc) {
  const std::lock_guard lock(mutex_);
  failing_ = kinds;
  fail_skip_ = skip;
  fail_times_ = times;
  fail_rc_ = rc;
}

void FaultDisk::heal() { fail(0, 0, 0, SQLITE_OK); }

void FaultDisk::cut_power_after(std::uint64_t skip) {
  const std::lock_guard lock(mutex_);
  cut_planned_ = true;
  cut_skip_ = skip;
}

bool FaultDisk::power_is_off() const {
  const std::lock_guard lock(mutex_);
  return power_off_;
}

std::uint64_t FaultDisk::operations(unsigned kinds) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : counts_) sum += (kind & kinds) != 0 ? count : 0;
  return sum;
}

std::string FaultDisk::content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  return found == files_.end() ? std::string() : found->second->current;
}

void FaultDisk::put(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  auto& node = files_[path];
  node = std::make_shared<Node>();
  node->current = content;
  node->synced = std::move(content);
  node->ever_synced = true;
}

int FaultDisk::due(Operation operation) {
  if (!power_off_ && cut_planned_ && operation != on_open && cut_skip_-- == 0) power_off_ = true;
  if (power_off_) return SQLITE_IOERR;
  ++counts_[operation];
  if ((failing_ & operation) == 0 || fail_times_ == 0) return SQLITE_OK;
  if (fail_skip_ > 0) {
    --fail_skip_;
    return SQLITE_OK;
  }
  --fail_times_;
  return fail_rc_;
}

void FaultDisk::apply(std::string& content, const Write& write) {
  if (write.truncates) {
    if (content.size() > write.offset) content.resize(write.offset);
    return;
  }
  if (content.size() < write.offset + write.bytes.size()) {
    content.resize(write.offset + write.bytes.size());
  }
  content.replace(write.offset, write.bytes.size(), write.bytes);
}

void FaultDisk::keep_any_part(Node& node) {
  // Which writes made it: none, all, the first ones, or any of them; each possibly torn.
  const std::uint64_t manner = random_() % 4;
  const std::size_t first = node.unsynced.empty() ? 0 : random_() % (node.unsynced.size() + 1);
  for (std::size_t i = 0; i < node.unsynced.size(); ++i) {
    Write& write = node.unsynced[i];
    const bool kept =
        manner == 1 || (manner == 2 && i < first) || (manner == 3 && random_() % 2 == 0);
    if (!kept || write.forgotten) continue;
    if (!write.truncates && manner != 1 && random_() % 3 == 0) {
      const std::size_t from = random_() % (write.bytes.size() + 1);
      const bool head = random_() % 2 == 0;
      write = head ? Write{.offset = write.offset, .bytes = write.bytes.substr(0, from)}
                   : Write{.offset = write.offset + from, .bytes = write.bytes.substr(from)};
    }
    apply(node.synced, write);
  }
  node.unsynced.clear();
  node.current = node.synced;
}

void FaultDisk::restart() {
  const std::lock_guard lock(mutex_);
  for (auto& [path, node] : removed_) {
    if (!files_.contains(path) && random_() % 2 == 0) files_[path] = node;
  }
  removed_.clear();
  for (auto it = files_.begin(); it != files_.end();) {
    Node& node = *it->second;
    const bool lost = !node.ever_synced && random_() % 2 == 0;
    keep_any_part(node);
    it = lost ? files_.erase(it) : std::next(it);
  }
  power_off_ = false;
  cut_planned_ = false;
  failing_ = 0;
}

}  // namespace reel::store::testing
