#pragma once
//! The directory that holds everything a server must keep:
//!   store.db (-wal, -shm, .lock)  the tables
//!   url.key                       the key of signed URLs, mode 0600
//!   storage.json                  label and identifier of every storage backend
//!   media/, staging/              bytes, unless [[storage]] puts them elsewhere
//! docs/formats/data-directory.md describes it.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/backend.h"
#include "server/config.h"
#include "sql/engine.h"
#include "tams/context.h"

namespace reel::server {

inline constexpr std::string_view kStoreFile = "store.db";
inline constexpr std::string_view kUrlKeyFile = "url.key";
inline constexpr std::string_view kStorageFile = "storage.json";

//! "<data_dir>/<name>".
std::string data_path(const Config& config, std::string_view name);

//! Replaces a small file so that after a crash either the old or the new content is there.
Status write_file(const std::string& path, std::string_view content);
//! Code::not_found when there is no such file.
Result<std::string> read_file(const std::string& path);

//! Label and identifier of every backend that an earlier start had; empty for a new directory.
Result<std::map<std::string, StorageId>> read_storage_ids(const Config& config);

//! Gives every backend of the configuration its permanent identifier: the configured one, the one
//! of an earlier start (by label), or a new one, which is then kept in storage.json. Backends that
//! were there once and are not configured now stay in the file. Code::invalid when a configured
//! identifier contradicts the file. REQUIRES: the store of the directory is open, which keeps other
//! processes out.
Result<std::vector<StorageConfig>> assign_storage_ids(const Config& config);

//! SQL over the tables of the store, as far as the configuration lets it go.
std::unique_ptr<sql::Engine> make_sql(const Config& config, store::Store& store);

//! Opens the backends and the signer. REQUIRES: as above.
Result<tams::Storage> open_storage(const Config& config);

}  // namespace reel::server
