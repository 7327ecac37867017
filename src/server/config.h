#pragma once
//! What an operator can set: one list of settings, read from flags, environment and a TOML file.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "http/server.h"
#include "obs/log.h"
#include "server/limits.h"
#include "server/trace_exporter.h"
#include "server/webhook_courier.h"

namespace reel::server {

//! One place where objects may be put: an entry of [[storage]].
struct StorageConfig {
  std::string label;
  std::string path;             //!< directory; created when missing
  std::optional<StorageId> id;  //!< unset: chosen at the first start and kept
  std::string provider = "reelhouse";
  std::string region = {};
  std::string availability_zone = {};
  std::string store_product = "local-disk";
  std::string tags = {};  //!< JSON object; empty = none
  bool is_default = false;
};

//! Where a configuration comes from. Flags go before environment, environment before the file.
struct ConfigSources {
  std::string file = {};  //!< a TOML file; empty = none
  //! Variables of the process whose names begin with REELHOUSE_. Those that no setting has are
  //! reported as warnings, not errors: Kubernetes adds such names by itself.
  std::map<std::string, std::string> environment = {};
  std::vector<std::pair<std::string, std::string>> flags = {};  //!< key and value

  //! The environment of this process.
  static std::map<std::string, std::string> process_environment();
};

//! What statements of SQL may take.
struct SqlConfig {
  std::size_t rows_max = 100'000;  //!< of an answer of POST /sql
  std::uint32_t seconds_max = 60;  //!< of a request to POST /sql
  std::uint32_t memory_mb = 512;   //!< of all statements together
  std::uint32_t threads = 2;
  std::vector<std::string> directories;  //!< whose files they may read and write
};

struct Config {
  std::string data_dir = "./reelhouse-data";
  std::string http_address = "127.0.0.1:8000";  //!< numeric; port 0 = any free one
  std::size_t http_io_threads = 2;
  //! Many: a worker that commits waits for the disk, and one write of the disk serves all of them.
  std::size_t http_worker_threads = 64;
  obs::Level log_level = obs::Level::info;
  obs::LogFormat log_format = obs::LogFormat::human;
  std::string public_url;
  bool trust_forwarded = false;
  std::string tls_certificate;
  std::string tls_key;
  std::vector<std::string> cors_origins = {"*"};
  std::vector<std::string> auth_modes;  //!< api_key, basic, jwt; none: no credential is asked for
  bool auth_allow_anonymous = false;    //!< also on an address that others can reach
  std::string auth_users_file;
  std::string auth_jwt_issuer;
  std::string auth_jwt_audience;
  std::string auth_jwt_keys;
  std::int64_t auth_jwt_keys_keep_s = 300;
  std::int64_t auth_jwt_keys_pause_s = 10;
  std::int64_t auth_jwt_leeway_s = 60;
  std::vector<std::string> auth_jwt_grant_claims = {"scope", "roles"};
  std::vector<std::string> auth_jwt_grants = {
      "tams-api/read=read",   "tams-api/write=write", "tams-api/delete=delete",
      "tams-api/admin=admin", "viewer=viewer",        "editor=editor",
      "admin=admin"};
  std::string auth_jwt_classes_claim = "auth_classes";
  std::string service_name = "Reelhouse";
  std::string service_description;
  Limits limits;
  CourierOptions webhooks;  //!< without its networks, which limits.tams has
  TracingOptions tracing;
  SqlConfig sql;
  std::vector<StorageConfig> storage;  //!< never empty after load_config()

  ConfigSources sources;  //!< what it was read from, to read it again
  //! Where each setting that is not its default was set: "reelhouse.toml:7", "environment", "flag".
  std::map<std::string, std::string> origins;
  std::vector<std::string> warnings;
};

//! Text, whole number, switch, list of texts or number; the alternative of a setting never changes.
using SettingValue =
    std::variant<std::string, std::int64_t, bool, std::vector<std::string>, double>;

struct Setting {
  std::string key;  //!< "http.address"; the variable is REELHOUSE_HTTP_ADDRESS
  std::string doc;
  //! Code::invalid when the value is not allowed.
  std::function<Status(Config&, const SettingValue&)> set;
  std::function<SettingValue(const Config&)> get;
};

//! All settings but [[storage]], in the order of the documentation.
const std::vector<Setting>& settings();

//! Reads all sources. Code::invalid names the key and, for the file, the line: "reelhouse.toml:3:
//! unknown key 'htp.address'"; Code::not_found when the file is missing.
Result<Config> load_config(ConfigSources sources);

//! The configuration in force as a TOML file, each setting below its documentation.
std::string to_toml(const Config& config);

//! The same in one line, for the log.
std::string to_line(const Config& config);

//! "127.0.0.1:8000" or "[::1]:8000" as address and port.
Result<std::pair<std::string, std::uint16_t>> parse_address(std::string_view text);

}  // namespace reel::server
