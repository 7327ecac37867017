#pragma once
//! An HTTP client: one request, one answer, over connections that are kept alive.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/network.h"
#include "base/result.h"

namespace reel::http {

using ClientHeaders = std::vector<std::pair<std::string, std::string>>;

struct ClientRequest {
  std::string method = "GET";
  std::string url = {};
  ClientHeaders headers = {};

  //! What is sent with any method but GET and HEAD: the file if one is named, else the text.
  //! Borrowed until send() returns.
  std::string_view body = {};
  std::string body_file = {};

  //! Where the body of a 2xx answer goes. Empty: into memory. Created or cut to zero length.
  //! Other answers always go to memory, for they explain an error.
  std::string answer_file = {};
  //! A longer answer in memory is Code::too_large.
  std::size_t answer_bytes_max = std::size_t{64} << 20;

  std::chrono::milliseconds connect_timeout{10'000};
  //! Gives up when nothing moved for this long.
  std::chrono::seconds stall_timeout{30};
  //! For the whole exchange; zero means no limit.
  std::chrono::milliseconds total_timeout{0};
  //! Ends the exchange early with Code::cancelled.
  std::stop_token stop = {};
};

struct ClientResponse {
  int status = 0;
  ClientHeaders headers;
  std::string body;  //!< empty when it went to a file

  bool ok() const { return status >= 200 && status < 300; }
  //! The first field of that name (case does not matter), nullptr when there is none.
  const std::string* find_header(std::string_view name) const;
};

struct ClientOptions {
  std::string user_agent = "reelhouse";
  //! PEM file of certificate authorities; empty: the system's. Certificates are always verified.
  std::string ca_file = {};
  //! Set, for URLs that strangers choose: connections go to public addresses and to these networks
  //! only, whatever a name resolves to, and never through a proxy. Anything else is
  //! Code::forbidden.
  std::optional<std::vector<Network>> only_public_and = std::nullopt;
};

//! Thread-safe. Each exchange borrows a connection from a pool and gives it back, so consecutive
//! requests to one host use one connection per thread. Redirects are not followed and nothing is
//! retried: both are decisions of the caller.
class Client {
 public:
  static Result<std::unique_ptr<Client>> make(ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  //! An answer of any status is a success here. Failures: invalid (the URL), io (network, file),
  //! timeout, cancelled, too_large, forbidden (the address). Messages name the method and the URL
  //! without its query, which may hold a signature.
  Result<ClientResponse> send(const ClientRequest& request);

 private:
  struct Pool;
  explicit Client(ClientOptions options);

  const ClientOptions options_;
  std::unique_ptr<Pool> pool_;
};

//! Field names are equal whatever their case.
bool same_field_name(std::string_view a, std::string_view b);

//! The target of `<url>; rel="next"` in a Link field; empty when there is none.
std::string link_next(std::string_view link_field);

//! "https://host:port" in lower case, for same-origin decisions; empty when `url` has no scheme.
std::string url_origin(std::string_view url);

//! "media.example.com:8000" or "[::1]:8000" as address and port; 0: no port, or none that is one.
std::pair<std::string_view, std::uint16_t> split_authority(std::string_view authority);

}  // namespace reel::http
