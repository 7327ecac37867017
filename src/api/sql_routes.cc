#include "api/sql_routes.h"

#include "api/parameters.h"
#include "api/product_writes.h"
#include "sql/present.h"
#include "sql/statement.h"
#include "store/document.h"
#include "tams/shapes.h"
#include "tams/tables.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

//! The result of the last statement as the body of the answer. A request may have several, of which
//! the earlier ones prepare the last.
class Body : public sql::ResultSink {
 public:
  explicit Body(std::size_t rows_max) : rows_max_(rows_max) {}

  Status begin(sql::ResultKind, const std::vector<sql::ResultColumn>& columns) override {
    columns_ = columns;
    rows_ = 0;
    text_.clear();
    open();
    return {};
  }
  Status row(const store::Row& cells) override {
    if (++rows_ > rows_max_) return too_large("the answer has more than {} rows", rows_max_);
    json::Array shown;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      shown.push_back(store::value_to_json(columns_[i].shown, cells[i]));
    }
    add(std::move(shown));
    if (text_.size() > kAnswerBytesMax) {
      return too_large("the answer has more than {} bytes", kAnswerBytesMax);
    }
    return {};
  }
  Status end() override {
    close();
    return {};
  }

  virtual std::string_view content_type() const = 0;
  std::string take() { return std::move(text_); }

 protected:
  virtual void open() = 0;
  virtual void add(json::Array cells) = 0;
  virtual void close() {}

  std::vector<sql::ResultColumn> columns_;
  std::size_t rows_ = 0;
  std::string text_;

 private:
  const std::size_t rows_max_;
};

//! {"columns": [{"name", "type"}], "rows": [[…]], "row_count"}
class JsonBody final : public Body {
 public:
  using Body::Body;
  std::string_view content_type() const override { return "application/json"; }

 private:
  void open() override {
    json::Array columns;
    for (const sql::ResultColumn& column : columns_) {
      columns.emplace_back(json::Object{{"name", column.name}, {"type", column.type}});
    }
    text_ = R"({"columns":)" + json::to_text(columns) + R"(,"rows":[)";
  }
  void add(json::Array cells) override {
    if (rows_ > 1) text_ += ',';
    text_ += json::to_text(cells);
  }
  void close() override { text_ += fmt::format(R"(],"row_count":{}}})", rows_); }
};

//! One object a line.
class LinesBody final : public Body {
 public:
  using Body::Body;
  std::string_view content_type() const override { return "application/x-ndjson"; }

 private:
  void open() override {}
  void add(json::Array cells) override {
    json::Object object;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      object.push_back({columns_[i].name, std::move(cells[i])});
    }
    text_ += json::to_text(object) + '\n';
  }
};

class CsvBody final : public Body {
 public:
  using Body::Body;
  std::string_view content_type() const override { return "text/csv; charset=utf-8"; }

 private:
  void open() override {
    json::Array names;
    for (const sql::ResultColumn& column : columns_) names.emplace_back(column.name);
    sql::append_csv(text_, names);
  }
  void add(json::Array cells) override { sql::append_csv(text_, cells); }
};

std::unique_ptr<Body> body_for(const Request& request, std::size_t rows_max) {
  const std::string accepted = request.head.headers.list("Accept").value_or("");
  if (accepted.find("text/csv") != std::string::npos) return std::make_unique<CsvBody>(rows_max);
  if (accepted.find("application/x-ndjson") != std::string::npos) {
    return std::make_unique<LinesBody>(rows_max);
  }
  return std::make_unique<JsonBody>(rows_max);
}

//! Others than administrators see what they can read by the API as well: nothing of keys, secrets
//! of webhooks, other people's requests.
sql::ConnectOptions visible_tables(const auth::Identity& identity) {
  using namespace tams::table;
  if (identity.permissions.is_admin()) return {};
  std::set<std::string, std::less<>> names;
  for (const std::string_view name :
       {kSources, kFlows, kProfiles, kCollectedBy, kSegments, kObjects, kObjectUses}) {
    names.emplace(name);
  }
  return {.product_tables = std::move(names)};
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
  sql::ExecuteOptions options{.time_max = std::chrono::seconds(limits.seconds_max)};
  if (const json::Value* values = call.body.find("parameters")) {
    for (const json::Value& value : *values->as_array()) {
      REEL_ASSIGN(store::Value given, parameter(value, options.parameters.size()));
      options.parameters.push_back(std::move(given));
    }
  }
  const auto body = body_for(call.request, limits.rows_max);
  sql::ConnectOptions connection = visible_tables(*call.identity);
  connection.product_writes = product_writes(call.tams, caller(call));
  const auto session = engine.connect(std::move(connection));
  if (Status done = session->execute(text, *body, options); !done) {
    return Failure(std::move(done).error().at("/sql"));
  }
  Response response{.status = 200, .headers = {}, .body = body->take()};
  response.headers.add("Content-Type", std::string(body->content_type()));
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
              json::required("row_count", json::Shape::integer(0))})
      .named("SqlResult");
}

}  // namespace

std::vector<Route> sql_routes(sql::Engine& engine, SqlLimits limits) {
  return {
      {.method = Method::post,
       .path = "/sql",
       .id = "POST_sql",
       .group = "SQL",
       .summary = "Execute SQL statements; the answer is the result of the last one, as JSON, "
                  "or as CSV or NDJSON where Accept names them",
       .needs = auth::Need::read,
       .body = request_shape(),
       .answers = {{200, "The result", result_shape()},
                   bad_request(),
                   forbidden_answer(),
                   {409, "A key that is there already, or another writer was faster",
                    shape::error()},
                   {413, "More rows, bytes or memory than a statement may have", shape::error()},
                   {501, "Not offered", shape::error()},
                   {503, "It took too long", shape::error()}},
       .handler = [&engine, limits](const Call& call) { return post_sql(engine, limits, call); }}};
}

}  // namespace reel::api
