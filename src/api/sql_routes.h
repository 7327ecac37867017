#pragma once
//! POST /sql.

#include <cstdint>
#include <vector>

#include "api/route.h"
#include "sql/engine.h"

namespace reel::api {

struct SqlLimits {
  std::size_t rows_max = 100'000;  //!< of an answer
  std::uint32_t seconds_max = 60;  //!< of all statements of a request
};

//! REQUIRES: the engine outlives the routes.
std::vector<Route> sql_routes(sql::Engine& engine, SqlLimits limits);

}  // namespace reel::api
