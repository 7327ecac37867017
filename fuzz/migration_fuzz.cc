// links: store
//! Any bytes as the operations of a migration: what is taken makes a schema that its own bytes
//! bring back, and the operations come back from the text that the history keeps.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/document.h"
#include "store/schema_codec.h"

namespace {

using namespace reel::store;

const TableSchema& table() {
  static const TableSchema schema = [] {
    auto made = make_schema(
        1, {.name = "t",
            .columns = {{.name = "key", .type = Type::of(TypeKind::int64), .nullable = false},
                        {.name = "a", .type = Type::of(TypeKind::int8)},
                        {.name = "b", .type = Type::list(Type::of(TypeKind::string))},
                        {.name = "c", .type = Type::decimal(10, 2)}},
            .partition_key = {"key"},
            .indexes = {{.name = "by_a", .columns = {"a"}}}});
    REEL_CHECK(made.has_value());
    auto plan = plan_migration(*made, {DropColumn{"c"}}, {});
    REEL_CHECK(plan.has_value());
    return std::move(plan->schema);
  }();
  return schema;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const reel::json::Shape shape = operations_shape();
  const auto document =
      reel::json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!document || !shape.check(*document)) return 0;
  const auto operations = operations_from_json(table(), *document->as_array());
  if (!operations) return 0;
  const auto plan = plan_migration(table(), *operations, {});
  if (!plan) return 0;
  const std::string bytes = encode_schema(plan->schema);
  const auto again = decode_schema(bytes);
  REEL_CHECK(again.has_value() && encode_schema(*again) == bytes);
  const reel::json::Value kept = operations_to_json(table(), *operations);
  const auto read = operations_from_json(table(), *kept.as_array());
  REEL_CHECK(read.has_value() && operations_to_json(table(), *read) == kept);
  const Rollback rollback = plan_rollback(plan->schema, table());
  REEL_CHECK(rollback.operations.empty() ||
             plan_migration(plan->schema, rollback.operations, {}).has_value());
  return 0;
}
