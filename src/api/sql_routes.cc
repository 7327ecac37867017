#include "api/sql_routes.h"

#include "api/parameters.h"
#include "api/problem.h"
#include "api/product_writes.h"
#include "api/sql_answer.h"
#include "exr/tables/tables.h"
#include "sql/statement.h"
#include "tams/shapes.h"
#include "tams/tables.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

//! Others than administrators see what they can read by the API as well, and what is in OpenEXR
//! files: nothing of keys, secrets of webhooks, other people's requests.
Result<sql::ConnectOptions> visible_tables(const Call& call) {
  using namespace tams::table;
  if (call.identity->permissions.is_admin()) return sql::ConnectOptions();
  std::set<std::string, std::less<>> names;
  for (const std::string_view name :
       {kSources, kFlows, kProfiles, kCollectedBy, kSegments, kObjects, kObjectUses}) {
    names.emplace(name);
  }
  REEL_ASSIGN(const auto snapshot, call.tams.store.snapshot());
  for (const auto& [name, schema] : snapshot->catalog().tables) {
    if (exr::is_record_table(*schema)) names.insert(name);
  }
  return sql::ConnectOptions{.product_tables = std::move(names)};
}

//! Whether this caller may: rows are for editors, schemas for administrators.
Status check_access(const auth::Identity& identity, sql::Access access) {
  const auth::Permissions& may = identity.permissions;
  if (access == sql::Access::change_schema && !may.is_admin()) {
    return forbidden("statements that change tables are for administrators");
  }
  const bool changes = may.has(auth::Permission::write) && may.has(auth::Permission::erase);
  if (access == sql::Access::change_rows && !changes) {
    return forbidden("statements that change rows are for editors");
  }
  return {};
}

Result<store::Value> parameter(const json::Value& value, std::size_t index) {
  if (value.is_null()) return store::Value();
  if (const bool* flag = value.as_bool()) return store::Value(*flag);
  if (const std::string* text = value.as_string()) return store::Value(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value.storage()))
    return store::Value(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value.storage())) {
    return store::Value(*number);
  }
  if (const auto* number = std::get_if<double>(&value.storage())) return store::Value(*number);
  return at(fmt::format("/parameters/{}", index),
            invalid("a parameter is a number, a text, true, false or null"));
}

Result<Response> post_sql(sql::Engine& engine, const SqlLimits& limits, const Call& call) {
  const std::string& text = *call.body.find("sql")->as_string();
  const auto access = sql::needed_access(text);
  if (!access) return Failure(access.error().clone().at("/sql"));
  REEL_TRY(check_access(*call.identity, *access));
  sql::ExecuteOptions options{.time_max = std::chrono::seconds(limits.seconds_max),
                              .stop = call.request.stop};
  if (const json::Value* values = call.body.find("parameters")) {
    for (const json::Value& value : *values->as_array()) {
      REEL_ASSIGN(store::Value given, parameter(value, options.parameters.size()));
      options.parameters.push_back(std::move(given));
    }
  }
  REEL_ASSIGN(sql::ConnectOptions connection, visible_tables(call));
  connection.by = call.identity->name;
  connection.product_writes = product_writes(call.tams, caller(call));
  auto session = engine.connect(std::move(connection));
  auto cursor = session->open(text, options);
  if (!cursor) return Failure(std::move(cursor).error().at("/sql"));
  const auto answer = make_sql_answer(
      call.request,
      {.session = std::move(session), .cursor = *std::move(cursor), .rows_max = limits.rows_max});
  // An error in what is ready at once has a status yet.
  std::string piece;
  Result<bool> more = answer->fill(piece);
  if (!more) return Failure(std::move(more).error().at("/sql"));
  Response response{.status = 200, .headers = {}, .body = {}};
  response.headers.add("Content-Type", std::string(answer->content_type()));
  if (*more) {
    answer->put_back(std::move(piece));
    response.body = answer;
  } else {
    response.body = std::move(piece);
  }
  return response;
}

json::Shape request_shape() {
  return json::Shape::object({json::required("sql", json::Shape::nonempty_string()),
                              json::optional("parameters", json::Shape::array(json::Shape::any()))},
                             json::Shape::Extra::forbid)
      .named("SqlRequest");
}

json::Shape result_shape() {
  const json::Shape column = json::Shape::object({json::required("name", json::Shape::string()),
                                                  json::required("type", json::Shape::string())});
  return json::Shape::object(
             {json::required("columns", json::Shape::array(column)),
              json::required("rows", json::Shape::array(json::Shape::array(json::Shape::any()))),
              json::optional("row_count", json::Shape::integer(0)),
              json::optional("error", problem_shape())})
      .named("SqlResult");
}

}  // namespace

std::vector<Route> sql_routes(sql::Engine& engine, SqlLimits limits) {
  return {
      {.method = Method::post,
       .path = "/sql",
       .id = "POST_sql",
       .group = "SQL",
       .summary = "Execute SQL statements; the answer is the result of the last one, as JSON "
                  "unless Accept names another form",
       .needs = auth::Need::read,
       .body = request_shape(),
       .answers = {{200,
                    "The result, sent while the statement runs; one that fails on its way has "
                    "`error` instead of `row_count`",
                    result_shape()},
                   bad_request(),
                   forbidden_answer(),
                   {409, "A key that is there already, or another writer was faster",
                    shape::error()},
                   {413, "More rows or memory than a statement may have", shape::error()},
                   {501, "Not offered", shape::error()},
                   {503, "It took too long", shape::error()}},
       .handler = [&engine, limits](const Call& call) { return post_sql(engine, limits, call); },
       .stoppable = true,
       .also_produces = sql_answer_types()}};
}

}  // namespace reel::api
