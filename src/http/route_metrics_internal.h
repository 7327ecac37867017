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

  //! `problem`: the type of error that the answer tells, empty when it tells none.
  void observe(api::Method method, std::string_view route, int status, std::string_view problem,
               double seconds);
  //! Rare, so it goes through the registry.
  void rejected(std::string_view reason);

 private:
  //! Beyond these, routes are counted as "other": an application that mistakes paths for
  //! templates must not fill the memory.
  static constexpr std::size_t kRoutesMax = 1'024;

  struct StatusSeries {
    int status;
    obs::Counter* requests;
    obs::Counter* operations;  //!< null: the route is no operation on flows, segments or sources
  };
  struct MethodSeries {
    obs::Histogram* duration = nullptr;
    std::vector<StatusSeries> by_status;
  };
  using Route = std::array<MethodSeries, api::kMethodCount>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  const StatusSeries& with_status(MethodSeries& series, api::Method method, std::string_view route,
                                  int status);
  obs::Counter& errors(std::string_view problem);

  obs::Registry& registry_;
  std::unordered_map<std::string, Route, Hash, std::equal_to<>> routes_;
  std::vector<std::pair<std::string_view, obs::Counter*>> errors_;
};

}  // namespace reel::http
