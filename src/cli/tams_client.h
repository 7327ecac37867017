#pragma once
//! The TAMS 8.2 API as a client sees it: requests with retries, paging, errors as Result.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client/client.h"
#include "json/value.h"
#include "time/time_range.h"

namespace reel::cli {

//! REELHOUSE_TOKEN; empty when it is not set.
std::string token_of_environment();

struct TamsClientOptions {
  std::string url = {};  //!< of the API's root, "http://127.0.0.1:8000"
  //! API key or JWT, sent to that server only, not to where its answers point. From the environment
  //! and not a flag, which every user of the machine could read.
  std::string token = token_of_environment();
  //! How long one request is tried again while the server does not answer, is overloaded or fails
  //! (5xx). nullopt: for ever, as a live recording needs it.
  std::optional<std::chrono::seconds> patience = std::chrono::seconds(60);
  std::stop_token stop = {};
  //! Told about each wait before another try.
  std::function<void(const Error&, std::chrono::milliseconds wait)> on_retry = {};
};

//! A place for one object, from POST /flows/{id}/storage.
struct Allocation {
  std::string object_id;
  std::string url;
  http::ClientHeaders headers;  //!< to be sent with the PUT
};

//! One entry of GET /flows/{id}/segments, as far as a client needs it.
struct Segment {
  std::string object_id;
  time::TimeRange timerange = time::TimeRange::never();
  time::Timestamp ts_offset;
  std::string url;      //!< first of get_urls; empty when none were asked for
  std::string init_id;  //!< empty: the object decodes by itself
  std::string init_url;
  std::int64_t key_frames = 0;
};

//! A segment that the server would not register.
struct FailedSegment {
  std::string object_id;
  std::string reason;
};

//! Thread-safe.
class TamsClient {
 public:
  //! Asks /service, so that a wrong URL is noticed at once.
  static Result<std::unique_ptr<TamsClient>> connect(TamsClientOptions options);

  //! Any GET below the root that answers JSON.
  Result<json::Value> get(const std::string& path);
  //! Follows Link: rel="next". `on_page` gets each page's array and says whether to go on.
  Status get_pages(const std::string& path, const std::function<bool(json::Array&)>& on_page);

  //! The answer of a POST with a JSON body.
  Result<json::Value> post(const std::string& path, const json::Value& body);
  //! The answer of a DELETE, null when it has none.
  Result<json::Value> remove(const std::string& path);

  //! nullopt when there is no such flow.
  Result<std::optional<json::Value>> find_flow(const std::string& id);
  Status put_flow(const json::Value& flow);
  //! Sets a property of a source or flow: "/sources/{id}/label".
  Status put_value(const std::string& path, const json::Value& value);

  //! Every segment that overlaps `range`, in order.
  Result<std::vector<Segment>> list_segments(const std::string& flow_id,
                                             const time::TimeRange& range, bool with_urls);
  //! `content_type` only for initialisation segments whose type differs from the flow's container.
  Result<std::vector<Allocation>> allocate(const std::string& flow_id, std::size_t count,
                                           const std::string& content_type = {});
  //! Sends the bytes, or the file if one is named.
  Status upload(const Allocation& place, std::string_view bytes, const std::string& file);
  //! Registers in bulk. What was already registered exactly so counts as done, hence the call may
  //! be repeated when its outcome is not known.
  Result<std::vector<FailedSegment>> register_segments(const std::string& flow_id,
                                                       const json::Array& segments);
  //! Into a file, or into memory when `file` is empty.
  Result<std::string> download(const std::string& url, const std::string& file);

  //! How long an upload URL may be kept before it is used.
  std::chrono::seconds upload_url_lifetime() const { return upload_url_lifetime_; }
  const std::string& url() const { return options_.url; }

 private:
  TamsClient(TamsClientOptions options, std::unique_ptr<http::Client> http)
      : options_(std::move(options)), http_(std::move(http)) {}

  Result<http::ClientResponse> send(http::ClientRequest request);
  Result<http::ClientResponse> send_json(std::string method, const std::string& path,
                                         const json::Value& body);
  std::string absolute(const std::string& path) const;
  void add_token(http::ClientRequest& request) const;

  const TamsClientOptions options_;
  const std::unique_ptr<http::Client> http_;
  std::chrono::seconds upload_url_lifetime_{30};
};

//! Reads one entry of a segment listing.
Result<Segment> parse_segment(const json::Value& entry);

//! Reads the answer of POST /flows/{id}/storage.
Result<std::vector<Allocation>> parse_allocations(const json::Value& answer);

//! What an error answer says, one line.
std::string error_text(const http::ClientResponse& response);

}  // namespace reel::cli
