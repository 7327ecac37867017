#include "http/route_metrics_internal.h"

namespace reel::http {

void RouteMetrics::observe(api::Method method, std::string_view route, int status, double seconds) {
  auto found = routes_.find(route);
  if (found == routes_.end()) {
    if (routes_.size() >= kRoutesMax) route = "other";
    found = routes_.try_emplace(std::string(route)).first;
  }
  MethodSeries& series = found->second[static_cast<std::size_t>(method)];
  if (series.duration == nullptr) {
    series.duration = &registry_.histogram(
        "tams_http_request_duration_seconds", "From the whole head to the whole answer.",
        obs::latency_buckets_seconds(),
        {{"method", std::string(api::method_name(method))}, {"route", std::string(route)}});
  }
  series.duration->observe(seconds);
  counter(series, method, route, status).add();
}

obs::Counter& RouteMetrics::counter(MethodSeries& series, api::Method method,
                                    std::string_view route, int status) {
  for (const auto& [known, counter] : series.by_status) {
    if (known == status) return *counter;
  }
  obs::Counter& made = registry_.counter("tams_http_requests_total", "Requests answered.",
                                         {{"method", std::string(api::method_name(method))},
                                          {"route", std::string(route)},
                                          {"status", std::to_string(status)}});
  series.by_status.emplace_back(status, &made);
  return made;
}

void RouteMetrics::rejected(std::string_view reason) {
  registry_
      .counter("tams_http_rejected_total", "Requests and connections that the edge refused.",
               {{"reason", std::string(reason)}})
      .add();
}

}  // namespace reel::http
