#pragma once
//! The route table as an OpenAPI document.

#include <string>
#include <vector>

#include "api/route.h"

namespace reel::api {

struct DocumentInfo {
  std::string title;
  std::string version;
  std::string description;
  //! What requests are authenticated with, as names of kSecuritySchemes; empty: with nothing.
  std::vector<std::string> security = {};
  std::string base_path = {};  //!< before every path; empty, or "/v6.0"
};

//! OpenAPI 3.1 as JSON text: every route, a HEAD twin for every GET that has none of its own, and
//! every named shape under components/schemas. Answers of status 400 and above without a shape of
//! their own have the body of problem.h. `security` of an operation names every scheme that will
//! do, x-permission what its credential must allow.
//! REQUIRES: shapes of the same name are the same.
std::string openapi_document(const std::vector<Route>& routes, const DocumentInfo& info);

}  // namespace reel::api
