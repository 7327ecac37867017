#pragma once
//! What a client is told when something failed: the one table from Code to HTTP status, and the
//! one body that every error answer has.

#include <string>
#include <string_view>

#include "api/message.h"
#include "base/clock.h"
#include "base/result.h"
#include "json/shape.h"
#include "json/writer.h"

namespace reel::api {

//! The HTTP status of a code.
int http_status(Code code);

//! The answer for an error:
//!   {"type", "summary", "time", "message", "request_id", "pointer"?}
//! `type` is the code's name, `summary` a few words, `message` a sentence about this very case.
//! What failed inside the server (corrupt, io, internal) is written to the log with its origin and
//! not told to the client, who gets the request id to ask with. REQUIRES: an obs::TraceScope of the
//! request on this thread, so that the log line carries that id.
Response problem(const Error& error, std::string_view request_id, const Clock& clock);

//! The body alone, as a part of a larger answer, for an error of that time; without a request_id.
//! The same rules for the log.
void write_problem(json::Writer& out, const Error& error, Instant at);

//! The same body for a refusal that has a status but no Code (405, 408, 415, 431, …).
Response problem(int status, std::string_view message, std::string_view request_id,
                 const Clock& clock);

//! The shape of those bodies, named "Problem".
json::Shape problem_shape();

}  // namespace reel::api
