#include "http/route_metrics_internal.h"

#include "api/operation.h"

namespace reel::http {
namespace {

//! nullptr when the route is about something else.
obs::Counter* operation_counter(obs::Registry& registry, api::Method method, std::string_view route,
                                int status) {
  const auto operation = api::operation_of(method, route, status);
  if (!operation) return nullptr;
  return &registry.counter(fmt::format("tams_{}_operations_total", operation->subject),
                           fmt::format("Requests about a {}.", operation->subject),
                           {{"operation", std::string(operation->action)},
                            {"result", status < 400 ? "success" : "failure"}});
}

}  // namespace

void RouteMetrics::observe(api::Method method, std::string_view route, int status,
                           std::string_view problem, double seconds) {
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
  const StatusSeries& counters = with_status(series, method, route, status);
  counters.requests->add();
  if (counters.operations != nullptr) counters.operations->add();
  if (!problem.empty()) errors(problem).add();
}

const RouteMetrics::StatusSeries& RouteMetrics::with_status(MethodSeries& series,
                                                            api::Method method,
                                                            std::string_view route, int status) {
  for (const StatusSeries& known : series.by_status) {
    if (known.status == status) return known;
  }
  obs::Counter& requests = registry_.counter("tams_http_requests_total", "Requests answered.",
                                             {{"method", std::string(api::method_name(method))},
                                              {"route", std::string(route)},
                                              {"status", std::to_string(status)}});
  series.by_status.push_back({.status = status,
                              .requests = &requests,
                              .operations = operation_counter(registry_, method, route, status)});
  return series.by_status.back();
}

obs::Counter& RouteMetrics::errors(std::string_view problem) {
  for (const auto& [known, counter] : errors_) {
    if (known == problem) return *counter;
  }
  obs::Counter& made =
      registry_.counter("tams_errors_total", "Requests answered with an error, by its type.",
                        {{"type", std::string(problem)}});
  errors_.emplace_back(problem, &made);
  return made;
}

void RouteMetrics::rejected(std::string_view reason) {
  registry_
      .counter("tams_http_rejected_total", "Requests and connections that the edge refused.",
               {{"reason", std::string(reason)}})
      .add();
}

}  // namespace reel::http
