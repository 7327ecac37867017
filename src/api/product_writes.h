#pragma once
//! SQL's way to the rules of the product's tables.

#include <memory>

#include "sql/engine.h"
#include "tams/context.h"

namespace reel::api {

//! For the statements of one caller. The context must outlive it.
std::shared_ptr<const sql::ProductWrites> product_writes(const tams::Context& context,
                                                         tams::Caller caller);

}  // namespace reel::api
