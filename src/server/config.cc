#include "server/config.h"

#include <array>
#include <charconv>
#include <set>
#include <sstream>

#include <arpa/inet.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "json/value.h"
#include "json/writer.h"

namespace reel::server {
namespace {

constexpr std::string_view kVariablePrefix = "REELHOUSE_";

// Variables that are not settings but ours: what tests and the command line use.
const std::set<std::string, std::less<>> kOtherVariables = {"REELHOUSE_BIN",   "REELHOUSE_CONFIG",
                                                            "REELHOUSE_SEED",  "REELHOUSE_SPEC",
                                                            "REELHOUSE_TOKEN", "REELHOUSE_URL"};

std::string variable_name(std::string_view key) {
  std::string name(kVariablePrefix);
  for (const char c : key) {
    name.push_back(c == '.' ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c));
  }
  return name;
}

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : settings()) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

std::string_view type_phrase(const SettingValue& value) {
  switch (value.index()) {
    case 0: return "a string";
    case 1: return "an integer";
    case 2: return "true or false";
    case 3: return "a list of strings";
    default: return "a number";
  }
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (comma > 0) items.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return items;
}

template <class Number>
std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

//! A value from a flag or a variable, read as the setting's type. Lists are separated by commas.
Result<SettingValue> read_text(const Setting& setting, const std::string& text) {
  const SettingValue model = setting.get(Config());
  if (std::holds_alternative<std::string>(model)) return text;
  if (std::holds_alternative<std::vector<std::string>>(model)) return split_list(text);
  if (std::holds_alternative<bool>(model)) {
    if (text == "true" || text == "false") return text == "true";
  } else if (std::holds_alternative<double>(model)) {
    if (const auto number = read_number<double>(text)) return *number;
  } else {
    if (const auto number = read_number<std::int64_t>(text)) return *number;
  }
  return invalid("'{}' must be {}, not '{}'", setting.key, type_phrase(model), text);
}

Status assign(Config& config, const Setting& setting, const SettingValue& value,
              std::string origin) {
  if (Status status = setting.set(config, value); !status) {
    return invalid("{}: '{}' {}", origin, setting.key, status.error().message());
  }
  config.origins[setting.key] = std::move(origin);
  return {};
}

Status assign_text(Config& config, const Setting& setting, const std::string& text,
                   std::string origin) {
  auto value = read_text(setting, text);
  if (!value) return invalid("{}: {}", origin, value.error().message());
  return assign(config, setting, *value, std::move(origin));
}

//! Reads one file into a configuration.
class FileReader {
 public:
  FileReader(std::string file, Config& config) : file_(std::move(file)), config_(config) {}

  Status read() {
    if (::access(file_.c_str(), R_OK) != 0) {
      return not_found("the configuration file {} cannot be read", file_);
    }
    toml::table document;
    try {
      document = toml::parse_file(file_);
    } catch (const toml::parse_error& error) {
      return invalid("{}:{}: {}", file_, error.source().begin.line, error.description());
    }
    return read_table(document, "");
  }

 private:
  std::string place(const toml::node& node) const {
    return fmt::format("{}:{}", file_, node.source().begin.line);
  }

  Status read_table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      if (key == "storage") {
        REEL_TRY(read_storages(node));
      } else if (const Setting* setting = find_setting(key)) {
        REEL_TRY(read_setting(*setting, node));
      } else if (node.is_table()) {
        REEL_TRY(read_table(*node.as_table(), key + "."));
      } else {
        return invalid("{}:{}: unknown key '{}'", file_, name.source().begin.line, key);
      }
    }
    return {};
  }

  Status read_setting(const Setting& setting, const toml::node& node) {
    const SettingValue model = setting.get(Config());
    std::optional<SettingValue> value;
    if (std::holds_alternative<std::string>(model)) {
      if (const auto text = node.value_exact<std::string>()) value = *text;
    } else if (std::holds_alternative<std::int64_t>(model)) {
      if (const auto number = node.value_exact<std::int64_t>()) value = *number;
    } else if (std::holds_alternative<bool>(model)) {
      if (const auto flag = node.value_exact<bool>()) value = *flag;
    } else if (std::holds_alternative<double>(model)) {
      if (node.is_number()) value = *node.value<double>();
    } else if (node.is_array()) {
      if (auto texts = read_texts(*node.as_array())) value = *std::move(texts);
    }
    if (!value) {
      return invalid("{}: '{}' must be {}", place(node), setting.key, type_phrase(model));
    }
    return assign(config_, setting, *value, place(node));
  }

  static std::optional<std::vector<std::string>> read_texts(const toml::array& array) {
    std::vector<std::string> items;
    for (const toml::node& item : array) {
      const auto text = item.value_exact<std::string>();
      if (!text) return std::nullopt;
      items.push_back(*text);
    }
    return items;
  }

  Status read_storages(const toml::node& node) {
    const toml::array* entries = node.as_array();
    if (entries == nullptr) return invalid("{}: write [[storage]]", place(node));
    for (const toml::node& entry : *entries) {
      if (!entry.is_table()) return invalid("{}: write [[storage]]", place(entry));
      REEL_TRY(read_storage(*entry.as_table()));
    }
    return {};
  }

  //! A table of texts and lists of texts, as JSON.
  Result<std::string> read_tags(const toml::node& node) const {
    if (!node.is_table()) return invalid("{}: 'tags' must be a table", place(node));
    json::Value tags{json::Object{}};
    for (const auto& [name, value] : *node.as_table()) {
      const auto text = value.value_exact<std::string>();
      const auto texts = value.is_array() ? read_texts(*value.as_array()) : std::nullopt;
      if (!text && !texts) {
        return invalid("{}: the tag '{}' must be a string or a list of strings", place(value),
                       name.str());
      }
      if (text) {
        tags.set(name.str(), *text);
      } else {
        tags.set(name.str(), json::Array(texts->begin(), texts->end()));
      }
    }
    return json::to_text(tags);
  }

  Status read_storage(const toml::table& table) {
    StorageConfig storage;
    const std::map<std::string, std::string*, std::less<>> texts = {
        {"label", &storage.label},
        {"path", &storage.path},
        {"provider", &storage.provider},
        {"region", &storage.region},
        {"availability_zone", &storage.availability_zone},
        {"store_product", &storage.store_product}};
    for (const auto& [name, node] : table) {
      const auto text = texts.find(name.str());
      if (text != texts.end()) {
        const auto value = node.value_exact<std::string>();
        if (!value) return invalid("{}: '{}' must be a string", place(node), name.str());
        *text->second = *value;
      } else if (name == "default_storage") {
        const auto value = node.value_exact<bool>();
        if (!value) return invalid("{}: 'default_storage' must be true or false", place(node));
        storage.is_default = *value;
      } else if (name == "tags") {
        REEL_ASSIGN(storage.tags, read_tags(node));
      } else if (name == "id") {
        auto id = StorageId::parse(node.value_or(std::string()));
        if (!id) return invalid("{}: 'id' {}", place(node), id.error().message());
        storage.id = *id;
      } else {
        return invalid("{}:{}: unknown key 'storage.{}'", file_, name.source().begin.line,
                       name.str());
      }
    }
    if (storage.label.empty() || storage.path.empty()) {
      return invalid("{}: a [[storage]] needs 'label' and 'path'", place(table));
    }
    config_.storage.push_back(std::move(storage));
    return {};
  }

  const std::string file_;
  Config& config_;
};

Status read_environment(Config& config) {
  std::set<std::string> known;
  for (const Setting& setting : settings()) {
    const std::string name = variable_name(setting.key);
    known.insert(name);
    const auto found = config.sources.environment.find(name);
    if (found == config.sources.environment.end()) continue;
    REEL_TRY(assign_text(config, setting, found->second, "environment"));
  }
  for (const auto& [name, value] : config.sources.environment) {
    if (!known.contains(name) && !kOtherVariables.contains(name)) {
      config.warnings.push_back(fmt::format("the variable {} is no setting", name));
    }
  }
  return {};
}

Status read_flags(Config& config) {
  const auto flags = config.sources.flags;
  for (const auto& [key, text] : flags) {
    const Setting* setting = find_setting(key);
    if (setting == nullptr) return invalid("flag: unknown key '{}'", key);
    REEL_TRY(assign_text(config, *setting, text, "flag"));
  }
  return {};
}

//! Rules across settings.
Status complete(Config& config) {
  if (config.tls_certificate.empty() != config.tls_key.empty()) {
    return invalid("'tls.certificate' and 'tls.key' go together");
  }
  if (config.storage.empty()) {
    config.storage.push_back(
        {.label = "local", .path = config.data_dir, .id = {}, .is_default = true});
  }
  std::set<std::string> labels;
  int defaults = 0;
  for (const StorageConfig& storage : config.storage) {
    if (!labels.insert(storage.label).second) {
      return invalid("two [[storage]] have the label '{}'", storage.label);
    }
    defaults += storage.is_default ? 1 : 0;
  }
  if (defaults > 1) return invalid("only one [[storage]] can be the default");
  return {};
}

std::string value_text(const SettingValue& value) {
  std::string out;
  json::Writer writer(out);  // basic strings and arrays of TOML are written like JSON's
  if (const auto* text = std::get_if<std::string>(&value)) {
    writer.string(*text);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    writer.integer(*number);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    writer.boolean(*flag);
  } else if (const auto* fraction = std::get_if<double>(&value)) {
    writer.number(*fraction);
  } else {
    writer.begin_array();
    for (const std::string& item : std::get<std::vector<std::string>>(value)) writer.string(item);
    writer.end_array();
  }
  return out;
}

//! The tags of a backend as a table of its own. Keys are quoted, which TOML does like JSON.
void write_tags(std::ostream& out, const std::string& tags) {
  const auto document = json::parse(tags);
  if (!document || document->as_object() == nullptr) return;
  out << "[storage.tags]\n";
  for (const json::Member& tag : *document->as_object()) {
    out << value_text(tag.name) << " = " << json::to_text(tag.value) << "\n";
  }
}

}  // namespace

std::map<std::string, std::string> ConfigSources::process_environment() {
  std::map<std::string, std::string> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (!text.starts_with(kVariablePrefix) || equals == std::string_view::npos) continue;
    found.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

Result<Config> load_config(ConfigSources sources) {
  Config config;
  config.sources = std::move(sources);
  if (!config.sources.file.empty()) {
    REEL_TRY(FileReader(config.sources.file, config).read());
  }
  REEL_TRY(read_environment(config));
  REEL_TRY(read_flags(config));
  REEL_TRY(complete(config));
  return config;
}

std::string to_toml(const Config& config) {
  std::ostringstream out;
  std::string section;
  for (const Setting& setting : settings()) {
    const std::size_t dot = setting.key.find('.');
    const std::string in = dot == std::string::npos ? "" : setting.key.substr(0, dot);
    if (in != section) out << "\n[" << (section = in) << "]\n";
    out << "# " << setting.doc << "\n"
        << setting.key.substr(dot == std::string::npos ? 0 : dot + 1) << " = "
        << value_text(setting.get(config)) << "\n";
  }
  for (const StorageConfig& storage : config.storage) {
    out << "\n[[storage]]\nlabel = " << value_text(storage.label)
        << "\npath = " << value_text(storage.path) << "\n";
    if (storage.id) out << "id = " << value_text(storage.id->to_string()) << "\n";
    out << "provider = " << value_text(storage.provider)
        << "\nregion = " << value_text(storage.region)
        << "\navailability_zone = " << value_text(storage.availability_zone)
        << "\nstore_product = " << value_text(storage.store_product)
        << "\ndefault_storage = " << value_text(storage.is_default) << "\n";
    write_tags(out, storage.tags);
  }
  return out.str();
}

std::string to_line(const Config& config) {
  std::string line;
  for (const Setting& setting : settings()) {
    if (!line.empty()) line.push_back(' ');
    line += setting.key + "=" + value_text(setting.get(config));
    const auto origin = config.origins.find(setting.key);
    if (origin != config.origins.end()) line += " (" + origin->second + ")";
  }
  for (const StorageConfig& storage : config.storage) {
    line += fmt::format(" storage.{}={}", storage.label, value_text(storage.path));
  }
  return line;
}

Result<std::pair<std::string, std::uint16_t>> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::array<unsigned char, sizeof(in6_addr)> numeric{};
  const bool is_address =
      ::inet_pton(bracketed ? AF_INET6 : AF_INET, std::string(host).c_str(), numeric.data()) == 1;
  if (!is_address || port_text.empty() || error != std::errc() ||
      end != port_text.data() + port_text.size()) {
    return invalid(
        "must be a numeric address and a port like 127.0.0.1:8000 or [::1]:8000, not '{}'", text);
  }
  return std::pair(std::string(host), port);
}

}  // namespace reel::server
