#include "auth/api_keys.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "json/value.h"

namespace reel::auth {
namespace {

using store::TableDefinition;
using store::Type;
using store::TypeKind;

const std::string kTable = "api_keys";
//! How exactly the store knows when a key was last used: each use must not be a write.
constexpr std::int64_t kUseNotedMicros = std::int64_t{600} * 1'000'000;

TableDefinition table() {
  const auto column = [](std::string name, TypeKind kind, bool nullable, std::string doc) {
    return TableDefinition::ColumnDefinition{.name = std::move(name),
                                             .type = Type::of(kind),
                                             .nullable = nullable,
                                             .doc = std::move(doc)};
  };
  return {.name = kTable,
          .columns = {column("id", TypeKind::uuid, false, {}),
                      column("name", TypeKind::string, false, "becomes created_by of writes"),
                      column("role", TypeKind::string, false, "viewer, editor or admin"),
                      column("classes", TypeKind::string, true, "JSON array; null: all"),
                      column("sha256", TypeKind::binary, false, "of the key"),
                      column("created", TypeKind::timestamp, false, {}),
                      column("created_by", TypeKind::string, true, {}),
                      column("expires", TypeKind::timestamp, true, {}),
                      column("last_used", TypeKind::timestamp, true, "to ten minutes")},
          .partition_key = {"id"},
          .clustering_key = {},
          .indexes = {},
          .product = true};
}

store::Value classes_cell(const std::optional<std::vector<std::string>>& classes) {
  if (!classes) return {};
  json::Array items(classes->begin(), classes->end());
  return json::to_text(json::Value(std::move(items)));
}

Result<std::optional<std::vector<std::string>>> read_classes(const store::Value& cell) {
  const auto* text = cell.get_if<std::string>();
  if (text == nullptr) return std::nullopt;
  REEL_ASSIGN(const json::Value value, json::parse(*text));
  std::vector<std::string> classes;
  if (const json::Array* items = value.as_array()) {
    for (const json::Value& item : *items) {
      if (const std::string* name = item.as_string()) classes.push_back(*name);
    }
  }
  return classes;
}

std::optional<Instant> moment(const store::Value& cell) {
  const auto* value = cell.get_if<Instant>();
  return value == nullptr ? std::nullopt : std::optional(*value);
}

store::Value moment_cell(const std::optional<Instant>& moment) {
  return moment ? store::Value(*moment) : store::Value();
}

//! A row as a key and the digest of its secret.
Result<std::pair<Sha256Digest, ApiKey>> read_row(const store::RowView& row) {
  const auto cell = [&row](std::string_view name) -> const store::Value& {
    const auto& columns = row.schema.columns;
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& column) { return column.name == name; });
    REEL_CHECK(found != columns.end());
    return row[static_cast<std::size_t>(found - columns.begin())];
  };
  ApiKey key;
  key.id = KeyId{cell("id").get<Uuid>()};
  key.name = cell("name").get<std::string>();
  REEL_ASSIGN(key.role, parse_role(cell("role").get<std::string>()));
  REEL_ASSIGN(key.classes, read_classes(cell("classes")));
  key.created = cell("created").get<Instant>();
  if (const auto* by = cell("created_by").get_if<std::string>()) key.created_by = *by;
  key.expires = moment(cell("expires"));
  key.last_used = moment(cell("last_used"));
  const std::string& bytes = cell("sha256").get<store::Binary>().bytes;
  Sha256Digest digest{};
  if (bytes.size() != digest.size()) {
    return corrupt("the hash of the key {} has {} bytes", key.id.to_string(), bytes.size());
  }
  std::memcpy(digest.data(), bytes.data(), digest.size());
  return std::pair(digest, std::move(key));
}

}  // namespace

Result<std::unique_ptr<ApiKeys>> ApiKeys::open(store::Store& store, const Clock& clock,
                                               Random& random) {
  REEL_TRY(store.ensure_table(table(), "reelhouse"));
  std::unique_ptr<ApiKeys> keys(new ApiKeys(store, clock, random));
  REEL_TRY(keys->load());
  return keys;
}

Status ApiKeys::load() {
  REEL_ASSIGN(const auto snapshot, store_.snapshot());
  std::vector<std::pair<Sha256Digest, ApiKey>> rows;
  Status read;
  REEL_TRY(snapshot->scan_all(kTable, 0, 1, [&](const store::RowView& row) {
    auto found = read_row(row);
    if (found) {
      rows.push_back(*std::move(found));
    } else {
      read = Failure(std::move(found).error());
    }
    return read.has_value();
  }));
  REEL_TRY(std::move(read));
  MutexLock lock(mutex_);
  for (auto& [digest, key] : rows) add(digest, std::move(key));
  return {};
}

void ApiKeys::add(const Sha256Digest& digest, ApiKey key) {
  Entry entry;
  entry.identity = std::make_shared<const Identity>(Identity{
      .name = key.name, .permissions = role_permissions(key.role), .classes = key.classes});
  entry.used = key.last_used;
  entry.key = std::move(key);
  by_digest_.insert_or_assign(digest, std::move(entry));
}

Result<ApiKeys::Created> ApiKeys::create(const NewApiKey& wanted, std::string_view by) {
  const Instant now = clock_.now();
  if (wanted.name.empty()) return at("/name", invalid("a key needs a name"));
  if (wanted.expires && *wanted.expires <= now) {
    return at("/expires", invalid("the key would have expired already"));
  }
  std::array<unsigned char, 32> bytes{};
  random_.fill(bytes.data(), bytes.size());
  Created created;
  created.secret = std::string(kKeyPrefix) + to_base64url(bytes);
  created.key = {.id = KeyId::random(random_),
                 .name = wanted.name,
                 .role = wanted.role,
                 .classes = wanted.classes,
                 .created = now,
                 .created_by = std::string(by),
                 .expires = wanted.expires,
                 .last_used = {}};
  const ApiKey& key = created.key;
  const Sha256Digest digest = sha256(created.secret);
  store::Batch batch;
  batch.insert(
      kTable, {key.id},
      {{"name", key.name},
       {"role", role_name(key.role)},
       {"classes", classes_cell(key.classes)},
       {"sha256", store::Binary{{reinterpret_cast<const char*>(digest.data()), digest.size()}}},
       {"created", key.created},
       {"created_by", key.created_by},
       {"expires", moment_cell(key.expires)}});
  REEL_TRY(store_.commit(std::move(batch)));
  MutexLock lock(mutex_);
  add(digest, key);
  return created;
}

Status ApiKeys::revoke(KeyId id) {
  store::Batch batch;
  batch.require_present(kTable, {id}, fmt::format("there is no key {}", id.to_string()));
  batch.erase(kTable, {id});
  // Out of memory first: a revoked key must not work because the commit's outcome is unknown.
  {
    MutexLock lock(mutex_);
    std::erase_if(by_digest_, [&](const auto& entry) { return entry.second.key.id == id; });
  }
  return store_.commit(std::move(batch));
}

std::vector<ApiKey> ApiKeys::list() const {
  std::vector<ApiKey> keys;
  {
    MutexLock lock(mutex_);
    for (const auto& [digest, entry] : by_digest_) {
      keys.push_back(entry.key);
      keys.back().last_used = entry.used;
    }
  }
  std::sort(keys.begin(), keys.end(), [](const ApiKey& a, const ApiKey& b) {
    return std::tie(a.created, a.id) < std::tie(b.created, b.id);
  });
  return keys;
}

IdentityPtr ApiKeys::find(std::string_view secret) {
  const Sha256Digest digest = sha256(secret);
  const Instant now = clock_.now();
  MutexLock lock(mutex_);
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return nullptr;
  Entry& entry = found->second;
  if (entry.key.expires && *entry.key.expires <= now) return nullptr;
  entry.used = now;
  return entry.identity;
}

Status ApiKeys::save_uses() {
  store::Batch batch;
  std::vector<std::pair<Sha256Digest, Instant>> saved;
  {
    MutexLock lock(mutex_);
    for (const auto& [digest, entry] : by_digest_) {
      if (!entry.used) continue;
      const std::int64_t known = entry.key.last_used ? entry.key.last_used->micros : 0;
      if (entry.used->micros - known < kUseNotedMicros) continue;
      batch.update(kTable, {entry.key.id}, {{"last_used", *entry.used}});
      saved.emplace_back(digest, *entry.used);
    }
  }
  if (saved.empty()) return {};
  Status status = store_.commit(std::move(batch));
  // A key that was revoked in between fails the batch; the next call goes without it.
  if (!status && status.error().code() == Code::not_found) return {};
  REEL_TRY(std::move(status));
  MutexLock lock(mutex_);
  for (const auto& [digest, used] : saved) {
    const auto found = by_digest_.find(digest);
    if (found != by_digest_.end()) found->second.key.last_used = used;
  }
  return {};
}

}  // namespace reel::auth
