#include "api/parameters.h"
#include "api/routes.h"
#include "arrow/stream_writer.h"
#include "arrow/table_schema.h"
#include "base/percent.h"
#include "store/document.h"
#include "tables/shapes.h"
#include "tables/tables.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

namespace shape = tables::shape;

Result<Response> answered(Result<json::Value> document, int status = 200) {
  if (!document) return Failure(std::move(document).error());
  return Response::json(status, json::to_text(*document));
}

std::string text_member(const json::Value& body, std::string_view name) {
  const json::Value* member = body.find(name);
  return member == nullptr ? std::string() : *member->as_string();
}

std::optional<std::uint32_t> number_member(const json::Value& body, std::string_view name) {
  const json::Value* member = body.find(name);
  std::int64_t number = 0;
  if (member == nullptr || !member->get_int64(number)) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

tables::Reason reason(const Call& call) {
  return {.by = call.identity->name, .comment = text_member(call.body, "comment")};
}

bool flag_member(const json::Value& body, std::string_view name) {
  const json::Value* member = body.find(name);
  return member != nullptr && *member->as_bool();
}

tables::Change change(const Call& call) {
  return {.table = call.path[0],
          .expected_version = number_member(call.body, "expected_version"),
          .dry_run = flag_member(call.body, "dry_run"),
          .wait = flag_member(call.body, "wait"),
          .now = call.tams.clock.now(),
          .reason = reason(call)};
}

Result<Response> list_tables(store::Store& store, const Call&) {
  return answered(tables::list_tables(store));
}

Result<Response> list_dropped(store::Store& store, const Call& call) {
  return answered(tables::list_dropped_tables(store, call.tams.limits.undrop_days));
}

Result<Response> post_table(store::Store& store, const Call& call) {
  auto created = answered(tables::create_table(store, call.body, reason(call)), 201);
  if (!created) return created;
  std::string location = call.base_url + "/tables/";
  append_percent_encoded(location, text_member(call.body, "name"));
  created->headers.set("Location", std::move(location));
  return created;
}

//! The schema in the form that the request accepts.
Result<Response> schema_answer(store::Store& store, const Call& call, tables::When when,
                               bool columns_only) {
  REEL_ASSIGN(const auto schema, tables::get_schema(store, call.path[0], when));
  Response response = Response::empty(200);
  if (accepts(call.request, arrow::kStreamType)) {
    REEL_ASSIGN(response.body, arrow::schema_stream(*schema));
    response.headers.set("Content-Type", std::string(arrow::kStreamType));
  } else {
    const json::Value document = store::schema_to_json(*schema);
    response =
        Response::json(200, json::to_text(columns_only ? *document.find("columns") : document));
  }
  response.headers.add("Vary", "Accept");
  return response;
}

Result<Response> get_table(store::Store& store, const Call& call) {
  tables::When when;
  if (const auto version = integer(call.query, "version")) {
    when.version = static_cast<std::uint32_t>(*version);
  }
  if (const auto as_of = text(call.query, "as_of")) when.as_of = *Instant::parse(*as_of);
  if (when.version && when.as_of) {
    return at("?as_of", invalid("name the state by either version or as_of"));
  }
  return schema_answer(store, call, when, false);
}

Result<Response> delete_table(store::Store& store, const Call& call) {
  return answered(
      tables::drop_table(store, call.path[0], reason(call), call.tams.limits.undrop_days));
}

Result<Response> list_columns(store::Store& store, const Call& call) {
  return schema_answer(store, call, {}, true);
}

Result<Response> get_column(store::Store& store, const Call& call) {
  return answered(tables::get_column_info(store, call.path[0], call.path[1]));
}

Result<Response> migrate(store::Store& store, const Call& call) {
  const json::Array& operations = *call.body.find("operations")->as_array();
  return answered(tables::migrate(store, change(call), operations));
}

Result<Response> roll_back(store::Store& store, const Call& call) {
  const std::uint32_t version = *number_member(call.body, "version");
  return answered(tables::rollback(store, change(call), version));
}

Result<Response> get_history(store::Store& store, const Call& call) {
  return answered(tables::history(store, call.path[0]));
}

Result<Response> get_stats(store::Store& store, const Call& call) {
  return answered(tables::get_table_stats(store, call.path[0]));
}

Result<Response> restore_table(store::Store& store, const Call& call) {
  const auto id = static_cast<store::TableId>(std::strtoul(call.path[0].c_str(), nullptr, 10));
  return answered(tables::undrop_table(store, id, text_member(call.body, "name"), reason(call)));
}

Result<Response> list_schemas(store::Store& store, const Call&) {
  return answered(tables::list_schemas(store));
}

Result<Response> post_schema(store::Store& store, const Call& call) {
  return answered(tables::create_schema(store, text_member(call.body, "name")), 201);
}

Result<Response> delete_schema(store::Store& store, const Call& call) {
  const bool cascade = flag(call.query, "cascade").value_or(false);
  return answered(tables::drop_schema(store, call.path[0], cascade, reason(call),
                                      call.tams.limits.undrop_days));
}

Handler on(store::Store& store, Result<Response> (*handle)(store::Store&, const Call&)) {
  return [&store, handle](const Call& call) { return handle(store, call); };
}

constexpr const char* kGroup = "Tables";
constexpr const char* kTable = "/tables/{table}";

Answer conflict_answer(const std::string& doc) { return {409, doc, tams::shape::error()}; }

Parameter table_parameter() {
  return {"table", json::Shape::string(),
          "The name of the table: `schema.table`, in the schema main `table` alone"};
}

//! Something to read about a table.
Route reading(const std::string& what, const std::string& summary, const json::Shape& answer,
              Handler handler) {
  return {.method = Method::get,
          .path = fmt::format("{}/{}", kTable, what),
          .id = "GET_tables-" + what,
          .group = kGroup,
          .summary = summary,
          .needs = auth::Need::read,
          .path_parameters = {table_parameter()},
          .answers = {{200, "As of now", answer}, not_found_answer()},
          .handler = std::move(handler)};
}

//! A change of a table's schema.
Route changing(const std::string& what, const std::string& summary, const json::Shape& body,
               Handler handler) {
  return {
      .method = Method::post,
      .path = fmt::format("{}/{}", kTable, what),
      .id = "POST_tables-" + what,
      .group = kGroup,
      .summary = summary,
      .needs = auth::Need::admin,
      .path_parameters = {table_parameter()},
      .body = body,
      .answers = {{200, "What was done, or would be", shape::outcome()},
                  bad_request(),
                  forbidden_answer(),
                  not_found_answer(),
                  conflict_answer("Another version than expected, or a name that is taken"),
                  {413, "More columns than one table can have in its life", tams::shape::error()}},
      .handler = std::move(handler)};
}

std::vector<Route> routes_of_all(store::Store& store) {
  return {{.method = Method::get,
           .path = "/tables",
           .id = "GET_tables",
           .group = kGroup,
           .summary = "List the tables",
           .needs = auth::Need::read,
           .answers = {{200, "All of them", json::Shape::array(shape::table_summary())}},
           .handler = on(store, list_tables)},
          {.method = Method::get,
           .path = "/dropped-tables",
           .id = "GET_dropped-tables",
           .group = kGroup,
           .summary = "List the tables that were dropped and are not purged yet",
           .needs = auth::Need::read,
           .answers = {{200, "All of them", json::Shape::array(shape::dropped_table())}},
           .handler = on(store, list_dropped)},
          {.method = Method::post,
           .path = "/tables",
           .id = "POST_tables",
           .group = kGroup,
           .summary = "Create a table",
           .needs = auth::Need::admin,
           .body = shape::table_post(),
           .answers = {{201, "Created; Location tells where", shape::schema()},
                       bad_request(),
                       forbidden_answer(),
                       not_found_answer(),
                       conflict_answer("There is a table of that name")},
           .handler = on(store, post_table)},
          {.method = Method::post,
           .path = "/dropped-tables/{tableId}/restore",
           .id = "POST_dropped-tables-restore",
           .group = kGroup,
           .summary = "Bring a dropped table back, with its rows",
           .needs = auth::Need::admin,
           .path_parameters = {{"tableId", json::Shape::integer(1, UINT32_MAX), "Its id"}},
           .body = shape::restore_post(),
           .body_required = false,
           .answers = {{200, "The table", shape::schema()},
                       bad_request(),
                       forbidden_answer(),
                       not_found_answer(),
                       conflict_answer("There is a table of that name")},
           .handler = on(store, restore_table)}};
}

std::vector<Route> routes_of_schemas(store::Store& store) {
  return {{.method = Method::get,
           .path = "/schemas",
           .id = "GET_schemas",
           .group = kGroup,
           .summary = "List the schemas that tables lie in",
           .needs = auth::Need::read,
           .answers = {{200, "All of them", json::Shape::array(shape::schema_summary())}},
           .handler = on(store, list_schemas)},
          {.method = Method::post,
           .path = "/schemas",
           .id = "POST_schemas",
           .group = kGroup,
           .summary = "Create a schema",
           .needs = auth::Need::admin,
           .body = shape::schema_post(),
           .answers = {{201, "Created", shape::schema_summary()},
                       bad_request(),
                       forbidden_answer(),
                       conflict_answer("There is a schema of that name")},
           .handler = on(store, post_schema)},
          {.method = Method::del,
           .path = "/schemas/{schema}",
           .id = "DELETE_schemas-schema",
           .group = kGroup,
           .summary = "Drop a schema; its tables can be brought back until they are purged",
           .needs = auth::Need::admin,
           .path_parameters = {{"schema", json::Shape::string(), "Its name"}},
           .query_parameters = {{"cascade", json::Shape::boolean(), "Its tables too"}},
           .answers = {{200, "The tables that were dropped with it",
                        json::Shape::array(shape::dropped_table())},
                       bad_request(),
                       forbidden_answer(),
                       not_found_answer(),
                       conflict_answer("It has tables")},
           .handler = on(store, delete_schema)}};
}

Route columns_route(store::Store& store) {
  Route route = reading("columns", "The columns of a table, in order",
                        json::Shape::array(shape::column()), on(store, list_columns));
  route.also_produces = {std::string(arrow::kStreamType)};
  return route;
}

std::vector<Route> routes_of_one(store::Store& store) {
  return {{.method = Method::get,
           .path = kTable,
           .id = "GET_tables-table",
           .group = kGroup,
           .summary = "The schema of a table, now or as it was",
           .needs = auth::Need::read,
           .path_parameters = {table_parameter()},
           .query_parameters = {{"version", json::Shape::integer(1, UINT32_MAX), "This version"},
                                {"as_of", tams::shape::date_time(),
                                 "The version in force at that moment"}},
           .answers = {{200, "The schema", shape::schema()}, bad_request(), not_found_answer()},
           .handler = on(store, get_table),
           .also_produces = {std::string(arrow::kStreamType)}},
          {.method = Method::del,
           .path = kTable,
           .id = "DELETE_tables-table",
           .group = kGroup,
           .summary = "Drop a table; until it is purged it can be brought back",
           .needs = auth::Need::admin,
           .path_parameters = {table_parameter()},
           .answers = {{200, "Dropped", shape::dropped_table()},
                       bad_request(),
                       forbidden_answer(),
                       not_found_answer()},
           .handler = on(store, delete_table)},
          columns_route(store),
          {.method = Method::get,
           .path = "/tables/{table}/columns/{column}",
           .id = "GET_tables-columns-column",
           .group = kGroup,
           .summary = "One column, and who added it when",
           .needs = auth::Need::read,
           .path_parameters = {table_parameter(),
                               {"column", json::Shape::string(), "The name of the column"}},
           .answers = {{200, "The column", shape::column_info()}, not_found_answer()},
           .handler = on(store, get_column)},
          reading("history", "Every version of a table: who changed what when, and why",
                  json::Shape::array(shape::version()), on(store, get_history)),
          reading("stats", "Rows of a table, by the hour of their insertion", shape::stats(),
                  on(store, get_stats)),
          changing("migrations", "Change the columns of a table: all operations or none",
                   shape::migration_post(), on(store, migrate)),
          changing("rollback", "Make a table's schema what it was in an earlier version",
                   shape::rollback_post(), on(store, roll_back))};
}

}  // namespace

std::vector<Route> tables_routes(store::Store& store) {
  std::vector<Route> all = routes_of_all(store);
  for (Route& route : routes_of_one(store)) all.push_back(std::move(route));
  for (Route& route : routes_of_schemas(store)) all.push_back(std::move(route));
  return all;
}

}  // namespace reel::api
