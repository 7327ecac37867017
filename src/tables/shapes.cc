#include "tables/shapes.h"

#include "json/forms.h"
#include "store/document.h"

namespace reel::tables::shape {

using json::optional;
using json::required;
using json::Shape;

namespace {

constexpr std::size_t kCommentCharactersMax = 4096;

Shape positive() { return Shape::integer(1, UINT32_MAX); }
Shape count() { return Shape::integer(0); }
Shape::MemberShape comment() { return optional("comment", Shape::string(kCommentCharactersMax)); }
Shape::MemberShape dry_run() { return optional("dry_run", Shape::boolean()); }
Shape::MemberShape expected_version() { return optional("expected_version", positive()); }

//! As they are kept: a table is also created, dropped and brought back.
Shape noted_operations() { return Shape::array(Shape::object({required("op", Shape::string())})); }

std::vector<Shape::MemberShape> column_members() {
  return {required("id", positive()),
          required("name", Shape::string()),
          required("type", Shape::string()),
          required("nullable", Shape::boolean()),
          optional("default", Shape::any()),
          required("doc", Shape::string()),
          required("since_version", positive()),
          required("key", Shape::boolean()),
          required("product", Shape::boolean())};
}

}  // namespace

Shape table_summary() {
  return Shape::object({required("schema", Shape::string()), required("id", positive()),
                        required("name", Shape::string()), required("version", positive()),
                        required("product", Shape::boolean()), required("columns", count()),
                        required("rows", count())})
      .named("TableSummary");
}

Shape schema_summary() {
  return Shape::object({required("name", Shape::string()), required("product", Shape::boolean()),
                        required("tables", count())})
      .named("SchemaSummary");
}

Shape dropped_table() {
  return Shape::object({required("id", positive()), required("name", Shape::string()),
                        required("version", positive()), required("dropped", json::date_time()),
                        required("expires", json::date_time()),
                        required("purging", Shape::boolean())})
      .named("DroppedTable");
}

Shape column() { return Shape::object(column_members()).named("Column"); }

Shape column_info() {
  auto members = column_members();
  members.push_back(required("created", json::date_time()));
  members.push_back(required("created_by", Shape::string()));
  return Shape::object(std::move(members)).named("ColumnInfo");
}

Shape schema() {
  const Shape dropped =
      Shape::object({required("id", positive()), required("name", Shape::string()),
                     required("type", Shape::string()), required("dropped", json::date_time()),
                     required("purging", Shape::boolean())});
  const Shape index = Shape::object({required("name", Shape::string()),
                                     required("columns", Shape::array(Shape::string())),
                                     required("kind", Shape::choice({"sorted", "search"}))});
  return Shape::object({required("id", positive()), required("name", Shape::string()),
                        required("version", positive()), required("product", Shape::boolean()),
                        required("primary_key", Shape::array(Shape::string())),
                        required("columns", Shape::array(column())),
                        required("dropped_columns", Shape::array(dropped)),
                        required("indexes", Shape::array(index))})
      .named("TableSchema");
}

Shape stats() {
  const Shape hour =
      Shape::object({required("hour", json::date_time()), required("rows", count())});
  return Shape::object({required("id", positive()), required("name", Shape::string()),
                        required("version", positive()), required("columns", count()),
                        required("dropped_columns", count()), required("rows", count()),
                        required("hours", Shape::array(hour))})
      .named("TableStats");
}

Shape version() {
  return Shape::object({required("version", positive()), required("name", Shape::string()),
                        required("at", json::date_time()), required("by", Shape::string()),
                        required("comment", Shape::string()),
                        required("operations", noted_operations())})
      .named("TableVersion");
}

Shape outcome() {
  return Shape::object({required("dry_run", Shape::boolean()),
                        required("operations", noted_operations()),
                        required("rows_to_read", count()), required("schema", schema()),
                        required("not_restored", Shape::array(Shape::string()))})
      .named("MigrationOutcome");
}

Shape table_post() { return store::definition_shape({comment()}).named("TablePost"); }

Shape migration_post() {
  return Shape::object({required("operations", store::operations_shape()), expected_version(),
                        comment(), dry_run(), optional("wait", Shape::boolean())},
                       Shape::Extra::forbid)
      .named("MigrationPost");
}

Shape rollback_post() {
  return Shape::object({required("version", positive()), expected_version(), comment(), dry_run()},
                       Shape::Extra::forbid)
      .named("RollbackPost");
}

Shape schema_post() {
  return Shape::object({required("name", Shape::string())}, Shape::Extra::forbid)
      .named("SchemaPost");
}

Shape restore_post() {
  return Shape::object({optional("name", Shape::string())}, Shape::Extra::forbid)
      .named("TableRestorePost");
}

}  // namespace reel::tables::shape
