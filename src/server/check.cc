#include "server/check.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <unistd.h>

#include "server/data_directory.h"
#include "store/sqlite/sqlite_store.h"
#include "tams/instances.h"
#include "tams/record.h"
#include "tams/tables.h"

namespace reel::server {
namespace {

using store::LedgerEntry;

//! Hours without rows may or may not have an entry.
std::vector<LedgerEntry> without_empty(std::vector<LedgerEntry> entries) {
  std::erase_if(entries, [](const LedgerEntry& entry) {
    return entry.rows == 0 && entry.fingerprint == Hash128{};
  });
  return entries;
}

Status check_table(store::Store& store, const std::string& name, CheckReport& report) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  REEL_ASSIGN(auto ledger, snapshot->ledger(name));
  REEL_ASSIGN(auto counted, store.recount(name));
  CheckReport::Table table{.name = name};
  for (const LedgerEntry& entry : counted) table.rows += entry.rows;
  table.ledger_agrees = without_empty(std::move(ledger)) == without_empty(std::move(counted));
  if (!table.ledger_agrees) {
    report.findings.push_back(fmt::format("the ledger of table {} differs from its rows", name));
  }
  report.tables.push_back(std::move(table));
  return {};
}

//! SHA-256 of an open file.
Result<Sha256Digest> digest_of(const media::OpenObject& file) {
  Sha256 hash;
  std::vector<std::byte> buffer(256 << 10);
  std::uint64_t offset = 0;
  while (offset < file.size_bytes) {
    const ssize_t count =
        ::pread(file.descriptor, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return io("it cannot be read");
    hash.update(ByteSpan(buffer).first(static_cast<std::size_t>(count)));
    offset += static_cast<std::uint64_t>(count);
  }
  return hash.finish();
}

//! What is wrong with the bytes of one instance of an object; empty when nothing is.
std::string instance_finding(const tams::Record& object, const tams::Instance& instance,
                             const tams::Storage& storage, bool read_bytes) {
  media::Backend* backend = storage.find(*instance.storage_id);
  if (backend == nullptr) return "its storage is not configured";
  const auto file = backend->open(instance.storage_key);
  if (!file) return file.error().message();
  const auto noted = static_cast<std::uint64_t>(object.integer("size_bytes"));
  if (file->size_bytes != noted) {
    return fmt::format("it has {} bytes instead of {}", file->size_bytes, noted);
  }
  if (!read_bytes) return {};
  const auto digest = digest_of(*file);
  if (!digest) return digest.error().message();
  const auto* bytes = reinterpret_cast<const char*>(digest->data());
  const bool same = object["sha256"] == store::Value(store::Binary{{bytes, digest->size()}});
  return same ? "" : "its bytes have changed";
}

Status check_objects(store::Store& store, const tams::Storage& storage, bool read_bytes,
                     CheckReport& report) {
  REEL_ASSIGN(const auto snapshot, store.snapshot());
  REEL_ASSIGN(const auto schema, snapshot->catalog().table(tams::table::kObjects));
  return snapshot->scan_all(tams::table::kObjects, 0, 1, [&](const store::RowView& row) {
    const tams::Record object(schema, row.cells);
    if (object["size_bytes"].is_null()) return true;
    bool counted = false;
    for (const tams::Instance& instance : tams::instances_in(object["instances"])) {
      if (!instance.storage_id || instance.copying) continue;
      if (!std::exchange(counted, true)) report.objects += 1;
      report.bytes += static_cast<std::uint64_t>(object.integer("size_bytes"));
      const std::string finding = instance_finding(object, instance, storage, read_bytes);
      if (!finding.empty()) {
        report.findings.push_back(fmt::format("object '{}': {}", object.text("id"), finding));
      }
    }
    return true;
  });
}

}  // namespace

Result<CheckReport> check(const Config& config, bool read_bytes) {
  const std::string path = data_path(config, kStoreFile);
  if (::access(path.c_str(), F_OK) != 0) return not_found("there is no store at {}", path);
  REEL_ASSIGN(const auto store, store::open_sqlite_store({.path = path}));
  REEL_ASSIGN(const tams::Storage storage, open_storage(config));
  CheckReport report;
  for (const auto& [name, schema] : store->catalog()->tables) {
    REEL_TRY(check_table(*store, name, report));
  }
  if (store->catalog()->tables.contains(tams::table::kObjects)) {
    REEL_TRY(check_objects(*store, storage, read_bytes, report));
  }
  return report;
}

}  // namespace reel::server
