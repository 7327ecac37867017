#include "http/client/client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>

#include <curl/curl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/thread_annotations.h"

namespace reel::http {
namespace {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

struct FileDeleter {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileDeleter>;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

//! What messages may show of a URL: no query, no credentials.
std::string public_part(std::string_view url) {
  std::string shown(url.substr(0, url.find_first_of("?#")));
  const auto scheme = shown.find("://");
  if (scheme == shown.npos) return shown;
  const auto host = scheme + 3;
  const auto at = shown.find('@', host);
  if (at != shown.npos && at < shown.find('/', host)) shown.erase(host, at + 1 - host);
  return shown;
}

//! One running exchange: what libcurl's callbacks read and write.
struct Exchange {
  const ClientRequest& request;
  const ClientOptions& options;
  CURL* easy;
  ClientResponse response;
  File upload;
  File download;
  std::optional<Error> failure;  // set by a callback that made libcurl give up
  std::string refused;           // the last address that was not permitted

  void fail_with(Failure failed) { failure = std::move(failed).value(); }

  std::string what() const { return request.method + " " + public_part(request.url); }
};

std::size_t on_header(char* text, std::size_t, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(text, count);
  // A status line opens a new head: what came before was a 1xx answer.
  if (line.starts_with("HTTP/")) exchange.response.headers.clear();
  const auto colon = line.find(':');
  if (colon != line.npos) {
    exchange.response.headers.emplace_back(trimmed(line.substr(0, colon)),
                                           trimmed(line.substr(colon + 1)));
  }
  return count;
}

bool to_file(Exchange& exchange, const char* data, std::size_t count) {
  const std::string& path = exchange.request.answer_file;
  if (!exchange.download) exchange.download.reset(std::fopen(path.c_str(), "wb"));
  if (exchange.download && std::fwrite(data, 1, count, exchange.download.get()) == count) {
    return true;
  }
  exchange.fail_with(io("cannot write {}: {}", path, std::strerror(errno)));
  return false;
}

std::size_t on_body(char* data, std::size_t, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  if (!exchange.request.answer_file.empty() && status >= 200 && status < 300) {
    return to_file(exchange, data, count) ? count : 0;
  }
  if (exchange.response.body.size() + count > exchange.request.answer_bytes_max) {
    exchange.fail_with(too_large("{}: the answer is longer than {} bytes", exchange.what(),
                                 exchange.request.answer_bytes_max));
    return 0;
  }
  exchange.response.body.append(data, count);
  return count;
}

std::size_t on_upload(char* buffer, std::size_t, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::size_t got = std::fread(buffer, 1, count, exchange.upload.get());
  if (got == 0 && std::ferror(exchange.upload.get()) != 0) {
    exchange.fail_with(io("cannot read {}: {}", exchange.request.body_file, std::strerror(errno)));
    return CURL_READFUNC_ABORT;
  }
  return got;
}

//! libcurl starts the body again when a kept connection turns out to be closed.
int on_seek(void* context, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(context);
  const bool done = fseeko(exchange.upload.get(), static_cast<off_t>(offset), origin) == 0;
  return done ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(context)->request.stop.stop_requested() ? 1 : 0;
}

//! The address of a socket; nullopt for what is neither IPv4 nor IPv6.
std::optional<IpAddress> address_of(const curl_sockaddr& target) {
  if (target.family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &target.addr, sizeof(v4));
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  if (target.family != AF_INET6 || target.addrlen > sizeof(sockaddr_in6)) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &target.addr, target.addrlen);
  IpAddress address;
  std::memcpy(address.bytes.data(), &v6.sin6_addr, address.bytes.size());
  return address;
}

//! libcurl connects to exactly the address that it shows here, so no answer of a name server can
//! come between the check and the connection.
curl_socket_t on_open_socket(void* context, curlsocktype, curl_sockaddr* target) {
  auto& exchange = *static_cast<Exchange*>(context);
  const auto address = address_of(*target);
  if (!address || !is_permitted(*address, *exchange.options.only_public_and)) {
    exchange.refused = address ? address->to_string() : "of unknown kind";
    return CURL_SOCKET_BAD;
  }
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

void guard(Exchange& exchange) {
  if (!exchange.options.only_public_and) return;
  curl_easy_setopt(exchange.easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(exchange.easy, CURLOPT_OPENSOCKETDATA, &exchange);
  curl_easy_setopt(exchange.easy, CURLOPT_PROXY, "");  // one would connect for us, unchecked
}

Status open_upload(Exchange& exchange) {
  const std::string& path = exchange.request.body_file;
  exchange.upload.reset(std::fopen(path.c_str(), "rb"));
  if (!exchange.upload || fseeko(exchange.upload.get(), 0, SEEK_END) != 0) {
    return io("cannot read {}: {}", path, std::strerror(errno));
  }
  const off_t size = ftello(exchange.upload.get());
  if (size < 0 || fseeko(exchange.upload.get(), 0, SEEK_SET) != 0) {
    return io("cannot read {}: {}", path, std::strerror(errno));
  }
  curl_easy_setopt(exchange.easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(exchange.easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
  curl_easy_setopt(exchange.easy, CURLOPT_READFUNCTION, on_upload);
  curl_easy_setopt(exchange.easy, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(exchange.easy, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt(exchange.easy, CURLOPT_SEEKDATA, &exchange);
  return {};
}

//! Method and body.
Status set_method(Exchange& exchange) {
  const ClientRequest& request = exchange.request;
  if (request.method == "GET") return {};
  if (request.method == "HEAD") {
    curl_easy_setopt(exchange.easy, CURLOPT_NOBODY, 1L);
    return {};
  }
  if (!request.body_file.empty()) {
    REEL_TRY(open_upload(exchange));
  } else if (request.method != "DELETE" || !request.body.empty()) {
    curl_easy_setopt(exchange.easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(exchange.easy, CURLOPT_POSTFIELDS,
                     request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(exchange.easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return {};
}

List header_list(const ClientRequest& request) {
  List list;
  const auto append = [&list](const std::string& line) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
  };
  bool has_type = false;
  for (const auto& [name, value] : request.headers) {
    has_type = has_type || same_field_name(name, "content-type");
    append(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
  }
  // libcurl would call a body a form, and wait a second for "100 Continue".
  if (!has_type) append("Content-Type:");
  append("Expect:");
  return list;
}

void set_limits(Exchange& exchange) {
  const ClientRequest& request = exchange.request;
  CURL* easy = exchange.easy;
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &exchange);
}

Failure curl_failure(const Exchange& exchange, CURLcode code, const char* detail) {
  if (!exchange.refused.empty() && code == CURLE_COULDNT_CONNECT) {
    return forbidden("{}: connections to the address {} are not allowed", exchange.what(),
                     exchange.refused);
  }
  const char* text = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return invalid("{}: {}", exchange.what(), text);
    case CURLE_OPERATION_TIMEDOUT: return timeout("{}: {}", exchange.what(), text);
    case CURLE_ABORTED_BY_CALLBACK: return cancelled("{}: cancelled", exchange.what());
    default: return io("{}: {}", exchange.what(), text);
  }
}

Result<ClientResponse> finish(Exchange& exchange, CURLcode code, const char* detail) {
  if (exchange.failure) return Failure(std::move(*exchange.failure));
  if (code != CURLE_OK) return curl_failure(exchange, code, detail);
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  if (!exchange.request.answer_file.empty() && exchange.response.ok()) {
    // An empty body never reached on_body, and buffered bytes may still meet a full disk.
    if (!to_file(exchange, "", 0) || std::fflush(exchange.download.get()) != 0) {
      return io("cannot write {}: {}", exchange.request.answer_file, std::strerror(errno));
    }
  }
  return std::move(exchange.response);
}

}  // namespace

struct Client::Pool {
  Mutex mutex;
  std::vector<Easy> idle GUARDED_BY(mutex);

  Easy take() {
    const MutexLock lock(mutex);
    if (idle.empty()) return Easy(curl_easy_init());
    Easy easy = std::move(idle.back());
    idle.pop_back();
    return easy;
  }

  void give_back(Easy easy) {
    curl_easy_reset(easy.get());  // forgets the options, keeps the connection
    const MutexLock lock(mutex);
    idle.push_back(std::move(easy));
  }
};

const std::string* ClientResponse::find_header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (same_field_name(field, name)) return &value;
  }
  return nullptr;
}

Client::Client(ClientOptions options)
    : options_(std::move(options)), pool_(std::make_unique<Pool>()) {}

Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(ClientOptions options) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) {
    return internal("libcurl does not start: {}", curl_easy_strerror(started));
  }
  return std::unique_ptr<Client>(new Client(std::move(options)));
}

Result<ClientResponse> Client::send(const ClientRequest& request) {
  Easy easy = pool_->take();
  if (!easy) return internal("libcurl gives no handle");
  Exchange exchange{request, options_, easy.get(), {}, {}, {}, {}, {}};
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(easy.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_USERAGENT, options_.user_agent.c_str());
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(easy.get(), CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  set_limits(exchange);
  REEL_TRY(set_method(exchange));
  guard(exchange);
  const List headers = header_list(request);
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &exchange);

  const CURLcode code = curl_easy_perform(easy.get());
  auto result = finish(exchange, code, detail);
  pool_->give_back(std::move(easy));
  return result;
}

bool same_field_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string link_next(std::string_view link_field) {
  while (!link_field.empty()) {
    const auto open = link_field.find('<');
    const auto close = link_field.find('>', open);
    if (open == link_field.npos || close == link_field.npos) return {};
    const std::string_view target = link_field.substr(open + 1, close - open - 1);
    link_field.remove_prefix(close + 1);
    const std::string_view parameters = link_field.substr(0, link_field.find('<'));
    if (parameters.find("rel=\"next\"") != parameters.npos ||
        parameters.find("rel=next") != parameters.npos) {
      return std::string(target);
    }
  }
  return {};
}

std::string url_origin(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return {};
  const std::string_view head = url.substr(0, url.find_first_of("/?#", scheme + 3));
  const auto at = head.find('@');
  std::string origin(head.substr(0, scheme + 3));
  origin += at == head.npos ? head.substr(scheme + 3) : head.substr(at + 1);
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return origin;
}

std::pair<std::string_view, std::uint16_t> split_authority(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  std::uint16_t port = 0;
  if (colon != authority.npos && authority.find(']', colon) == authority.npos) {
    const std::string_view digits = authority.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  return {authority, port};
}

}  // namespace reel::http
