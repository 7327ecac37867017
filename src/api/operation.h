#pragma once
//! What a route does to what: the words by which metrics count operations.

#include <optional>
#include <string_view>

#include "api/message.h"

namespace reel::api {

struct Operation {
  std::string_view subject;  //!< "flow", "segment" or "source"
  std::string_view action;   //!< "create", "read", "update" or "delete"
};

//! nullopt for routes about anything else. Properties of a flow or source (tags, label …) belong
//! to it. A PUT counts as an update when it was not answered with 201.
std::optional<Operation> operation_of(Method method, std::string_view route, int status);

}  // namespace reel::api
