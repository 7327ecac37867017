#pragma once
//! Spans as OTLP/JSON: the body of a POST to /v1/traces (OpenTelemetry Protocol 1.3).

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "obs/span.h"

namespace reel::obs {

//! Who sends: attributes of OpenTelemetry's resource conventions, such as service.name.
using ResourceAttributes = std::vector<std::pair<std::string_view, AttributeValue>>;

//! An ExportTraceServiceRequest.
std::string otlp_request(const ResourceAttributes& resource, std::span<const FinishedSpan> spans);

//! How many spans an ExportTraceServiceResponse says were refused; 0 for what is none.
std::uint64_t otlp_rejected(std::string_view answer);

}  // namespace reel::obs
