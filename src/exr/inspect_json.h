#pragma once
//! What is known of a file as JSON, from which its header can be built again
//! (docs/formats/exr-json.md).

#include <string>
#include <string_view>

#include "exr/header.h"
#include "exr/inspect.h"
#include "exr/values.h"
#include "json/writer.h"

namespace reel::exr {

//! Values of more bytes are told by their SHA-256 and their length.
inline constexpr std::size_t kValueBytesMax = std::size_t{64} << 10;

//! One line, without its end: path, status, findings, file, parts, channels, attributes.
std::string to_json(const Inspection& inspection);

//! The value of an attribute: as its type says, or {"base64url"} of bytes whose type is unknown,
//! {"malformed"} of those that are not what their type says, {"sha256", "bytes"} of more than
//! `bytes_max`.
void write_value(json::Writer& writer, const Attribute& attribute,
                 std::size_t bytes_max = kValueBytesMax);

void write_channel(json::Writer& writer, const Channel& channel);

//! {"code", "severity", "part"?, "attribute"?, "offset"?, "message"}.
void write_finding(json::Writer& writer, const Finding& finding);

//! Text as it is if it is UTF-8, else {"base64url"}.
void write_text(json::Writer& writer, std::string_view text);

}  // namespace reel::exr
