#pragma once
//! The documents of the TAMS API 8.2, as shapes: from these come the checks of request bodies and
//! the schemas in /openapi.json.

#include <array>
#include <string_view>

#include "json/shape.h"

namespace reel::tams::shape {

json::Shape uuid();
json::Shape timerange();
json::Shape timestamp();
json::Shape date_time();
json::Shape mime_type();
json::Shape content_format();
json::Shape flow_status();
json::Shape tag_value();
json::Shape tags();
json::Shape bit_rate();  //!< 1000 bit/s
json::Shape error();

json::Shape service();
json::Shape service_update();
json::Shape storage_backends();

json::Shape source();
//! A source as a client creates it, and as a client replaces it.
json::Shape source_post();
json::Shape source_put();
json::Shape flow_collection();
//! A flow as a client writes it: with its technical metadata, or with the profile that has it.
json::Shape flow_put();
json::Shape flow();
//! A flow in the form that flat_flow.h turns into flow_put().
json::Shape flow_post();
//! Technical metadata for flows to share.
json::Shape profile();

//! The members of a flow that a profile fixes.
inline constexpr std::array<std::string_view, 7> kTechnicalMembers = {"format",
                                                                      "codec",
                                                                      "container",
                                                                      "avg_bit_rate",
                                                                      "segment_duration",
                                                                      "container_mapping",
                                                                      "essence_parameters"};

//! One segment as a client registers it.
json::Shape segment_post();
//! One segment or an array of them.
json::Shape segments_post();
json::Shape segment();
json::Shape failed_segments();

json::Shape deletion_request();
//! A deletion as a client asks for it.
json::Shape deletion_post();
json::Shape trash_item();
//! What came back from the trash.
json::Shape restored();

json::Shape storage_request();
json::Shape storage_allocation();
//! One object to be uploaded, with or without the flow that will use it first.
json::Shape object_post();
json::Shape object_allocation();
json::Shape object();
json::Shape instance_post();

//! One entry of the change log.
json::Shape change();

json::Shape search_hits();
json::Shape webhook();
json::Shape webhook_post();
json::Shape webhook_put();
json::Shape event_type();
//! The type that a webhook's body means by a name: its own, or the product's ("flow.updated").
std::string_view event_type_of(std::string_view name);

//! The URNs of content formats.
inline constexpr std::string_view kVideo = "urn:x-nmos:format:video";
inline constexpr std::string_view kImage = "urn:x-tam:format:image";
inline constexpr std::string_view kAudio = "urn:x-nmos:format:audio";
inline constexpr std::string_view kData = "urn:x-nmos:format:data";
inline constexpr std::string_view kMulti = "urn:x-nmos:format:multi";

//! schemas/mime-type.json: a registered top-level type and a token.
Status check_mime_type(std::string_view text);

}  // namespace reel::tams::shape
