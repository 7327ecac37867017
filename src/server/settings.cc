#include "server/config.h"

namespace reel::server {
namespace {

Setting text(std::string key, std::string doc, std::string Config::* member) {
  return {.key = std::move(key),
          .doc = std::move(doc),
          .set = [member](Config& config, const SettingValue& value) -> Status {
            config.*member = std::get<std::string>(value);
            return {};
          },
          .get = [member](const Config& config) -> SettingValue { return config.*member; }};
}

Setting toggle(std::string key, std::string doc, bool Config::* member) {
  return {.key = std::move(key),
          .doc = std::move(doc),
          .set = [member](Config& config, const SettingValue& value) -> Status {
            config.*member = std::get<bool>(value);
            return {};
          },
          .get = [member](const Config& config) -> SettingValue { return config.*member; }};
}

Setting list(std::string key, std::string doc, std::vector<std::string> Config::* member) {
  return {.key = std::move(key),
          .doc = std::move(doc),
          .set = [member](Config& config, const SettingValue& value) -> Status {
            config.*member = std::get<std::vector<std::string>>(value);
            return {};
          },
          .get = [member](const Config& config) -> SettingValue { return config.*member; }};
}

struct Bounds {
  std::int64_t minimum;
  std::int64_t maximum;
};

//! `member` finds the number in a configuration.
template <class Member>
Setting number(const std::string& key, const std::string& doc, Bounds bounds, Member member) {
  return {.key = key,
          .doc = doc,
          .set = [=](Config& config, const SettingValue& value) -> Status {
            const std::int64_t given = std::get<std::int64_t>(value);
            if (given < bounds.minimum || given > bounds.maximum) {
              return invalid("must be in the range {} to {}, not {}", bounds.minimum,
                             bounds.maximum, given);
            }
            auto& place = member(config);
            place = static_cast<std::remove_reference_t<decltype(place)>>(given);
            return {};
          },
          .get = [=](const Config& config) -> SettingValue {
            Config copy = config;  // `member` wants to write
            return static_cast<std::int64_t>(member(copy));
          }};
}

//! A text that must be one of a few words.
template <class Enum>
Setting choice(const std::string& key, const std::string& doc, Enum Config::* member,
               const std::vector<std::pair<std::string, Enum>>& words) {
  return {.key = key,
          .doc = doc,
          .set = [=](Config& config, const SettingValue& value) -> Status {
            std::string known;
            for (const auto& [word, meaning] : words) {
              if (word == std::get<std::string>(value)) {
                config.*member = meaning;
                return {};
              }
              known += (known.empty() ? "" : ", ") + word;
            }
            return invalid("must be one of {}, not '{}'", known, std::get<std::string>(value));
          },
          .get = [=](const Config& config) -> SettingValue {
            for (const auto& [word, meaning] : words) {
              if (meaning == config.*member) return word;
            }
            return std::string();
          }};
}

//! A further check of a text.
Setting checked(Setting setting, Status (*check)(const std::string&)) {
  setting.set = [inner = setting.set, check](Config& config, const SettingValue& value) -> Status {
    REEL_TRY(check(std::get<std::string>(value)));
    return inner(config, value);
  };
  return setting;
}

Status check_address(const std::string& value) {
  REEL_TRY(parse_address(value));
  return {};
}

Status check_base_url(const std::string& value) {
  const bool http = value.starts_with("http://") || value.starts_with("https://");
  if (value.empty() ||
      (http && !value.ends_with('/') && value.find_first_of("?#, ") == std::string::npos)) {
    return {};
  }
  return invalid(
      "must be like https://media.example.com/tams, without a slash at the end, not '{}'", value);
}

Status check_not_empty(const std::string& value) {
  if (value.empty()) return invalid("must not be empty");
  return {};
}

std::vector<Setting> general_settings() {
  return {
      checked(
          text("data_dir", "Directory of the store, the keys and the media.", &Config::data_dir),
          check_not_empty),
      checked(text("public_url",
                   "Where clients see this server; empty: what they ask for (Host header).",
                   &Config::public_url),
              check_base_url),
      toggle("trust_forwarded",
             "Believe X-Forwarded-Proto, -Host and -Prefix; only behind a proxy that sets them.",
             &Config::trust_forwarded),
      checked(text("http.address", "Numeric address and port to listen on; port 0: any free one.",
                   &Config::http_address),
              check_address),
      number("http.io_threads", "Threads that read and write sockets.", {1, 256},
             [](Config& c) -> std::size_t& { return c.http_io_threads; }),
      number("http.worker_threads", "Threads that run requests.", {1, 1024},
             [](Config& c) -> std::size_t& { return c.http_worker_threads; }),
      choice("log.level", "debug, info, warning or error. Read again on SIGHUP.",
             &Config::log_level,
             {{"debug", obs::Level::debug},
              {"info", obs::Level::info},
              {"warning", obs::Level::warning},
              {"error", obs::Level::error}}),
      choice("log.format", "human or json (one object per line).", &Config::log_format,
             {{"human", obs::LogFormat::human}, {"json", obs::LogFormat::json}}),
      text("tls.certificate", "PEM file, the leaf first; empty: plain HTTP. Read again on SIGHUP.",
           &Config::tls_certificate),
      text("tls.key", "PEM file of the certificate's key.", &Config::tls_key),
      list("cors.origins", "Origins that browsers may call from; \"*\": all; none: no CORS.",
           &Config::cors_origins),
      text("service.name", "Name in GET /service until a client sets another.",
           &Config::service_name),
      text("service.description", "Description in GET /service until a client sets another.",
           &Config::service_description),
  };
}

//! A list of words that must be among some.
Status check_modes(const std::vector<std::string>& modes) {
  for (const std::string& mode : modes) {
    if (mode != "api_key" && mode != "basic" && mode != "jwt") {
      return invalid("must name api_key, basic and jwt only, not '{}'", mode);
    }
  }
  return {};
}

Setting auth_modes() {
  Setting setting =
      list("auth.modes", "Credentials that are accepted: api_key, basic, jwt; none: anonymous.",
           &Config::auth_modes);
  setting.set = [inner = setting.set](Config& config, const SettingValue& value) -> Status {
    REEL_TRY(check_modes(std::get<std::vector<std::string>>(value)));
    return inner(config, value);
  };
  return setting;
}

std::vector<Setting> auth_settings() {
  return {
      auth_modes(),
      toggle("auth.allow_anonymous", "Serve without credentials on an address others can reach.",
             &Config::auth_allow_anonymous),
      text("auth.users_file", "For basic: lines of `reelhouse password`. Read again on SIGHUP.",
           &Config::auth_users_file),
      text("auth.jwt_issuer", "For jwt: what `iss` must be.", &Config::auth_jwt_issuer),
      text("auth.jwt_audience", "For jwt: what `aud` must contain; empty: it is not looked at.",
           &Config::auth_jwt_audience),
      text("auth.jwt_keys", "For jwt: JWKS of the issuer, a file or an https URL.",
           &Config::auth_jwt_keys),
      number("auth.jwt_keys_keep_s", "The JWKS is read again after it.", {1, 86'400},
             [](Config& c) -> std::int64_t& { return c.auth_jwt_keys_keep_s; }),
      number("auth.jwt_keys_pause_s", "It is read at most this often, whatever keys tokens name.",
             {0, 3'600}, [](Config& c) -> std::int64_t& { return c.auth_jwt_keys_pause_s; }),
      number("auth.jwt_leeway_s", "How far the issuer's clock may be off.", {0, 600},
             [](Config& c) -> std::int64_t& { return c.auth_jwt_leeway_s; }),
      list("auth.jwt_grant_claims", "Claims whose words grant; a dot goes one object deeper.",
           &Config::auth_jwt_grant_claims),
      list("auth.jwt_grants",
           "What words grant: word=read, write, delete, viewer, editor or admin.",
           &Config::auth_jwt_grants),
      text("auth.jwt_classes_claim", "Claim that restricts a token to these auth classes.",
           &Config::auth_jwt_classes_claim),
  };
}

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kYearSeconds = 366LL * 86'400;
constexpr std::int64_t kTebibyte = std::int64_t{1} << 40;

std::vector<Setting> http_limits() {
  return {
      number("limits.connections_max", "Open connections; more are closed with 503.", {1, kMillion},
             [](Config& c) -> std::size_t& { return c.limits.http.connections_max; }),
      number("limits.connections_per_peer_max", "Open connections of one address.", {1, kMillion},
             [](Config& c) -> std::size_t& { return c.limits.http.connections_per_peer_max; }),
      number("limits.in_flight_max", "Requests being read or handled; more get 503.", {1, kMillion},
             [](Config& c) -> std::size_t& { return c.limits.http.in_flight_max; }),
      number("limits.header_bytes_max", "Request line and fields; more is 431.", {1024, kMillion},
             [](Config& c) -> std::size_t& { return c.limits.http.header_bytes_max; }),
      number("limits.header_fields_max", "Fields of one request; more is 431.", {8, 10'000},
             [](Config& c) -> std::size_t& { return c.limits.http.header_fields_max; }),
      number("limits.url_bytes_max", "Path and query; more is 414.", {256, kMillion},
             [](Config& c) -> std::size_t& { return c.limits.http.url_bytes_max; }),
      number("limits.header_timeout_ms", "First to last byte of a head; slower is 408.",
             {100, kDayMs},
             [](Config& c) -> std::uint32_t& { return c.limits.http.header_timeout_ms; }),
      number("limits.idle_timeout_ms", "A connection without a request is closed after it.",
             {100, kDayMs},
             [](Config& c) -> std::uint32_t& { return c.limits.http.idle_timeout_ms; }),
      number("limits.body_min_bytes_per_second", "Average rate of a body; slower is 408.",
             {0, kTebibyte},
             [](Config& c) -> std::uint64_t& { return c.limits.http.body_min_bytes_per_second; }),
      number("limits.request_timeout_ms", "One request's work; longer is 504.", {100, kDayMs},
             [](Config& c) -> std::uint32_t& { return c.limits.http.request_timeout_ms; }),
      number("limits.peer_requests_per_second", "Of one address; more get 429. 0: no limit.",
             {0, kMillion},
             [](Config& c) -> std::uint32_t& { return c.limits.peer_requests_per_second; }),
      number("limits.identity_requests_per_second", "Of one identity; more get 429. 0: no limit.",
             {0, kMillion},
             [](Config& c) -> std::uint32_t& { return c.limits.identity_requests_per_second; }),
      number("limits.auth_failures_per_second", "Wrong credentials of one address; 0: no limit.",
             {0, kMillion},
             [](Config& c) -> std::uint32_t& { return c.limits.auth_failures_per_second; }),
      number("limits.drain_ms_max", "How long requests may take to end after SIGTERM.", {0, kDayMs},
             [](Config& c) -> std::uint32_t& { return c.limits.drain_ms_max; }),
  };
}

std::vector<Setting> domain_limits() {
  return {
      number("limits.page_default", "Items of a listing when no limit is asked for.", {1, 100'000},
             [](Config& c) -> std::size_t& { return c.limits.tams.page_default; }),
      number("limits.page_max", "Items of a listing at most; a higher limit is lowered to it.",
             {1, 100'000}, [](Config& c) -> std::size_t& { return c.limits.tams.page_max; }),
      number("limits.allocate_default", "Objects of a storage request without a limit.",
             {1, 100'000},
             [](Config& c) -> std::size_t& { return c.limits.tams.allocate_default; }),
      number("limits.change_log_days", "How long events and the audit trail reach back.",
             {1, 36'500}, [](Config& c) -> std::int64_t& { return c.limits.tams.change_log_days; }),
      number("limits.allocate_max", "Objects of a storage request at most.", {1, 100'000},
             [](Config& c) -> std::size_t& { return c.limits.tams.allocate_max; }),
      number("limits.bulk_segments_max", "Segments of one request at most.", {1, 100'000},
             [](Config& c) -> std::size_t& { return c.limits.tams.bulk_segments_max; }),
      number("limits.trash_days", "How long what was deleted softly can be restored.", {1, 36'500},
             [](Config& c) -> std::int64_t& { return c.limits.tams.trash_days; }),
      number("limits.undrop_days", "How long dropped columns and tables can be brought back.",
             {0, 36'500}, [](Config& c) -> std::int64_t& { return c.limits.tams.undrop_days; }),
      number("limits.convert_rows_max",
             "Rows of a table whose columns are converted while writers wait; of more, only with "
             "\"wait\": true.",
             {0, INT64_MAX}, [](Config& c) -> std::int64_t& { return c.limits.convert_rows_max; }),
      number("limits.delete_segments_max",
             "Segments that one request deletes before it is answered; of more, all are deleted "
             "after it.",
             {1, 10'000},
             [](Config& c) -> std::size_t& { return c.limits.tams.delete_segments_max; }),
      number("limits.instances_max", "Instances of one object at most.", {1, 100'000},
             [](Config& c) -> std::size_t& { return c.limits.tams.instances_max; }),
      number("limits.collection_max", "Members of one flow collection at most.", {1, 100'000},
             [](Config& c) -> std::size_t& { return c.limits.tams.collection_max; }),
      number("limits.min_object_timeout_s", "How long an unregistered object lives at least.",
             {300, kYearSeconds},
             [](Config& c) -> std::int64_t& { return c.limits.tams.min_object_timeout_s; }),
      number("limits.min_presigned_url_timeout_s", "How long a signed URL is valid at least.",
             {30, kYearSeconds},
             [](Config& c) -> std::int64_t& { return c.limits.tams.min_presigned_url_timeout_s; }),
      number("limits.disk_free_bytes_min", "With less free disk, /health and /readyz complain.",
             {0, 1024 * kTebibyte},
             [](Config& c) -> std::uint64_t& { return c.limits.disk_free_bytes_min; }),
  };
}

Setting networks() {
  return {.key = "webhooks.allowed_networks",
          .doc = "Where webhooks may go beside public addresses, such as [\"10.0.0.0/8\"].",
          .set = [](Config& config, const SettingValue& value) -> Status {
            std::vector<Network> networks;
            for (const std::string& text : std::get<std::vector<std::string>>(value)) {
              REEL_ASSIGN(const Network network, Network::parse(text));
              networks.push_back(network);
            }
            config.limits.tams.webhook_networks = std::move(networks);
            return {};
          },
          .get = [](const Config& config) -> SettingValue {
            std::vector<std::string> texts;
            for (const Network& network : config.limits.tams.webhook_networks) {
              texts.push_back(network.to_string());
            }
            return texts;
          }};
}

std::vector<Setting> webhook_settings() {
  return {
      networks(),
      number("webhooks.threads", "Deliveries at the same time.", {2, 1024},
             [](Config& c) -> std::size_t& { return c.webhooks.threads; }),
      number("webhooks.timeout_ms", "How long one delivery may take.", {100, kDayMs},
             [](Config& c) -> std::uint32_t& { return c.webhooks.timeout_ms; }),
      number("webhooks.retry_ms_min", "Pause after the first failure; it doubles with each.",
             {10, kDayMs}, [](Config& c) -> std::uint32_t& { return c.webhooks.retry_ms_min; }),
      number("webhooks.retry_ms_max", "Pause between two attempts at most.", {10, kDayMs},
             [](Config& c) -> std::uint32_t& { return c.webhooks.retry_ms_max; }),
      number("webhooks.give_up_after_s", "Without a success for so long a webhook becomes error.",
             {1, kYearSeconds},
             [](Config& c) -> std::int64_t& { return c.webhooks.give_up_after_s; }),
  };
}

Setting tracing_text(const std::string& key, const std::string& doc,
                     std::string TracingOptions::* member) {
  return {.key = key,
          .doc = doc,
          .set = [=](Config& config, const SettingValue& value) -> Status {
            config.tracing.*member = std::get<std::string>(value);
            return {};
          },
          .get = [=](const Config& config) -> SettingValue { return config.tracing.*member; }};
}

Setting sample_ratio() {
  return {.key = "tracing.sample_ratio",
          .doc = "Share of the requests that are traced when the client does not decide, 0 to 1.",
          .set = [](Config& config, const SettingValue& value) -> Status {
            const double ratio = std::get<double>(value);
            if (!(ratio >= 0 && ratio <= 1)) {
              return invalid("must be in the range 0 to 1, not {}", ratio);
            }
            config.tracing.sample_ratio = ratio;
            return {};
          },
          .get = [](const Config& config) -> SettingValue { return config.tracing.sample_ratio; }};
}

std::vector<Setting> tracing_settings() {
  return {
      checked(tracing_text("tracing.endpoint",
                           "OTLP/HTTP collector such as http://127.0.0.1:4318; empty: no traces.",
                           &TracingOptions::endpoint),
              check_base_url),
      sample_ratio(),
      checked(tracing_text("tracing.service_name", "Name of this server in traces.",
                           &TracingOptions::service_name),
              check_not_empty),
      tracing_text("tracing.headers_file",
                   "File of lines 'Name: value' that are sent to the collector.",
                   &TracingOptions::headers_file),
  };
}

std::vector<Setting> sql_settings() {
  return {
      number("sql.rows_max", "Rows of an answer of POST /sql.", {1, 100'000'000},
             [](Config& c) -> std::size_t& { return c.sql.rows_max; }),
      number("sql.seconds_max", "How long a request to POST /sql may take.", {1, 86'400},
             [](Config& c) -> std::uint32_t& { return c.sql.seconds_max; }),
      number("sql.memory_mb", "Memory of all SQL statements together.", {64, 1 << 20},
             [](Config& c) -> std::uint32_t& { return c.sql.memory_mb; }),
      number("sql.threads", "Threads that work on SQL statements.", {1, 256},
             [](Config& c) -> std::uint32_t& { return c.sql.threads; }),
      {.key = "sql.directories",
       .doc = "Folders whose files SQL statements may read and write; empty: none.",
       .set = [](Config& config, const SettingValue& value) -> Status {
         config.sql.directories = std::get<std::vector<std::string>>(value);
         return {};
       },
       .get = [](const Config& config) -> SettingValue { return config.sql.directories; }},
  };
}

std::vector<Setting> all_settings() {
  std::vector<Setting> all = general_settings();
  for (Setting& setting : auth_settings()) all.push_back(std::move(setting));
  for (Setting& setting : http_limits()) all.push_back(std::move(setting));
  for (Setting& setting : domain_limits()) all.push_back(std::move(setting));
  for (Setting& setting : webhook_settings()) all.push_back(std::move(setting));
  for (Setting& setting : tracing_settings()) all.push_back(std::move(setting));
  for (Setting& setting : sql_settings()) all.push_back(std::move(setting));
  return all;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = all_settings();
  return all;
}

}  // namespace reel::server
