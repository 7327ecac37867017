#pragma once
//! GET, PUT and DELETE of one member of a document; several kinds have the same ones.

#include <string>
#include <vector>

#include "api/route.h"

namespace reel::api {

//! How one kind of document (sources, flows, segments) reads and writes its members.
struct MemberOwner {
  std::string path;  //!< "/flows/{flowId}"
  std::string id;    //!< "flows-flowId", part of operation ids
  std::string group;
  Confinement confinement = Confinement::closed;
  std::vector<Parameter> path_parameters;
  Result<json::Value> (*get)(const Call& call, std::string_view member);
  Status (*set)(const Call& call, std::string_view member, std::optional<json::Value> value);
  Status (*set_tag)(const Call& call, std::string_view name, std::optional<json::Value> value);
};

//! `/…/{member}`. `removable`: DELETE is offered.
std::vector<Route> member_routes(const MemberOwner& owner, const std::string& member,
                                 const json::Shape& shape, bool removable = true);
//! `/…/tags` and `/…/tags/{name}`. `whole`: tags can be set and removed all at once, which is for
//! what has no PUT of its own.
std::vector<Route> tag_routes(const MemberOwner& owner, bool whole = false);

}  // namespace reel::api
