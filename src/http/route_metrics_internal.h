#pragma once
//! Per-request metrics without a lock or a map of labels per request.

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/message.h"
#include "obs/metrics.h"

namespace reel::http {

//! Remembers the series of each route, method and status. One per I/O thread, for that thread only.
class RouteMetrics {
 public:
  explicit RouteMetrics(obs::Registry& registry) : registry_(registry) {}

  void observe(api::Method method, std::string_view route, int status, double seconds);
  //! Rare, so it goes through the registry.
  void rejected(std::string_view reason);

 private:
  //! Beyond these, routes are counted as "other": an application that mistakes paths for
  //! templates must not fill the memory.
  static constexpr std::size_t kRoutesMax = 1'024;

  struct MethodSeries {
    obs::Histogram* duration = nullptr;
    std::vector<std::pair<int, obs::Counter*>> by_status;
  };
  using Route = std::array<MethodSeries, api::kMethodCount>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  obs::Counter& counter(MethodSeries& series, api::Method method, std::string_view route,
                        int status);

  obs::Registry& registry_;
  std::unordered_map<std::string, Route, Hash, std::equal_to<>> routes_;
};

}  // namespace reel::http
