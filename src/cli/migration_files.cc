#include "cli/migration_files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/hash.h"
#include "cli/json_fields.h"
#include "cli/temp_directory.h"

namespace reel::cli {
namespace {

constexpr std::string_view kBefore = "migration ";
constexpr std::string_view kBetween = " sha256:";
constexpr std::string_view kEnding = ".json";

//! The number at the beginning of "0001_cameras"; 0 when the name is not like that.
std::uint32_t number_in(std::string_view name) {
  constexpr std::ptrdiff_t kDigitsMin = 4;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const auto digits = end - name.data();
  const bool named = static_cast<std::size_t>(digits) + 1 < name.size() && *end == '_';
  return error == std::errc() && digits >= kDigitsMin && named ? number : 0;
}

Status read_document(const json::Value& document, MigrationFile& file) {
  const json::Object* members = document.as_object();
  if (members == nullptr) return invalid("is no JSON object");
  for (const json::Member& member : *members) {
    if (member.name == "create_table" || member.name == "table" || member.name == "operations") {
      continue;
    }
    return invalid("has a member '{}', which means nothing here", member.name);
  }
  const json::Value* definition = document.find("create_table");
  const json::Value* operations = document.find("operations");
  file.creates = definition != nullptr;
  file.table = string_field(file.creates ? *definition : document,
                            file.creates ? std::string_view("name") : std::string_view("table"));
  if (file.creates && members->size() == 1 && !file.table.empty()) {
    file.document = *definition;
  } else if (!file.creates && operations != nullptr && operations->as_array() != nullptr &&
             !file.table.empty()) {
    file.document = *operations;
  } else {
    return invalid(
        R"(is neither {{"create_table": {{"name": …}}}} nor {{"table": "…", "operations": […]}})");
  }
  return {};
}

Result<MigrationFile> read_migration(const std::filesystem::path& path) {
  MigrationFile file{.name = path.stem().string()};
  REEL_ASSIGN(const std::string text, read_file(path.string()));
  file.checksum = to_hex(sha256(text));
  const auto document = json::parse(text);
  if (!document) return invalid("{}: {}", path.string(), document.error().message());
  const Status read = read_document(*document, file);
  if (!read) return invalid("{}: {}", path.string(), read.error().message());
  return file;
}

}  // namespace

std::string MigrationFile::comment() const {
  return fmt::format("{}{}{}{}", kBefore, name, kBetween, checksum);
}

Result<std::vector<MigrationFile>> read_migrations(const std::string& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == kEnding) paths.push_back(entry.path());
  }
  if (error) return not_found("{}: {}", directory, error.message());
  const auto number = [](const std::filesystem::path& path) {
    return number_in(path.stem().string());
  };
  std::sort(paths.begin(), paths.end(), [&](const auto& a, const auto& b) {
    return std::pair(number(a), a) < std::pair(number(b), b);
  });
  std::vector<MigrationFile> files;
  for (const auto& path : paths) {
    const std::uint32_t expected = static_cast<std::uint32_t>(files.size()) + 1;
    if (number(path) == 0) {
      return invalid("{}: a migration is called NNNN_name.json, such as 0001_cameras.json",
                     path.string());
    }
    if (number(path) < expected) {
      return invalid("{}: the number {} is there twice", path.string(), number(path));
    }
    if (number(path) > expected) {
      return invalid("{}: the migration with the number {} is missing", path.string(), expected);
    }
    REEL_ASSIGN(MigrationFile file, read_migration(path));
    files.push_back(std::move(file));
  }
  return files;
}

void note_applied(const json::Value& history, AppliedMigrations& applied) {
  if (history.as_array() == nullptr) return;
  std::string table;  // as it was called when the version was made
  for (const json::Value& version : *history.as_array()) {
    const std::string name = string_field(version, "name");
    if (table.empty()) table = name;
    const std::string comment = string_field(version, "comment");
    const auto between = comment.find(kBetween);
    if (comment.starts_with(kBefore) && between != std::string::npos) {
      const std::string file = comment.substr(kBefore.size(), between - kBefore.size());
      applied[{file, table}] = comment.substr(between + kBetween.size());
    }
    table = name;
  }
}

Result<std::size_t> count_applied(const std::vector<MigrationFile>& files,
                                  const AppliedMigrations& applied) {
  const MigrationFile* missing = nullptr;
  std::size_t count = 0;
  for (const MigrationFile& file : files) {
    const auto found = applied.find({file.name, file.table});
    if (found == applied.end()) {
      if (missing == nullptr) missing = &file;
      continue;
    }
    if (found->second != file.checksum) {
      return conflict("{} was changed since it was applied to table '{}': write a new migration",
                      file.name, file.table);
    }
    if (missing != nullptr) {
      return conflict("{} is not applied, but {} is", missing->name, file.name);
    }
    ++count;
  }
  return count;
}

}  // namespace reel::cli
