#include "api/auth_routes.h"

#include "api/parameters.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

using json::Shape;

Shape role() { return Shape::choice({"viewer", "editor", "admin"}); }
Shape classes() { return Shape::array(Shape::string(256)); }

Shape new_key_shape() {
  return Shape::object({json::required("name", Shape::nonempty_string(256)),
                        json::required("role", role()), json::optional("auth_classes", classes()),
                        json::optional("expires", tams::shape::date_time())},
                       Shape::Extra::forbid)
      .named("NewApiKey");
}

Shape key_shape() {
  return Shape::object({json::required("id", tams::shape::uuid()),
                        json::required("name", Shape::string()), json::required("role", role()),
                        json::optional("auth_classes", classes()),
                        json::required("created", tams::shape::date_time()),
                        json::optional("created_by", Shape::string()),
                        json::optional("expires", tams::shape::date_time()),
                        json::optional("last_used", tams::shape::date_time())})
      .named("ApiKey");
}

Shape created_key_shape() {
  return Shape::both(key_shape(), Shape::object({json::required("key", Shape::string())}))
      .named("CreatedApiKey");
}

void write_classes(json::Writer& out, const std::optional<std::vector<std::string>>& classes) {
  if (!classes) return;
  out.key("auth_classes");
  out.begin_array();
  for (const std::string& name : *classes) out.string(name);
  out.end_array();
}

//! `secret`: only in the answer that creates the key.
void write_key(json::Writer& out, const auth::ApiKey& key, std::string_view secret = {}) {
  out.begin_object();
  out.field("id", std::string_view(key.id.to_string()));
  out.field("name", std::string_view(key.name));
  out.field("role", auth::role_name(key.role));
  write_classes(out, key.classes);
  out.field("created", std::string_view(key.created.to_string()));
  if (!key.created_by.empty()) out.field("created_by", std::string_view(key.created_by));
  if (key.expires) out.field("expires", std::string_view(key.expires->to_string()));
  if (key.last_used) out.field("last_used", std::string_view(key.last_used->to_string()));
  if (!secret.empty()) out.field("key", secret);
  out.end_object();
}

Result<Response> list_keys(const auth::ApiKeys& keys) {
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const auth::ApiKey& key : keys.list()) write_key(out, key);
  out.end_array();
  return Response::json(200, std::move(text));
}

Result<Response> create_key(auth::ApiKeys& keys, const Call& call) {
  auth::NewApiKey wanted;
  wanted.name = *call.body.find("name")->as_string();
  REEL_ASSIGN(wanted.role, auth::parse_role(*call.body.find("role")->as_string()));
  if (const json::Value* expires = call.body.find("expires")) {
    REEL_ASSIGN(wanted.expires, Instant::parse(*expires->as_string()));
  }
  if (const json::Value* names = call.body.find("auth_classes")) {
    wanted.classes.emplace();
    for (const json::Value& name : *names->as_array()) {
      wanted.classes->push_back(*name.as_string());
    }
  }
  REEL_ASSIGN(const auto created, keys.create(wanted, call.identity->name));
  std::string text;
  json::Writer out(text);
  write_key(out, created.key, created.secret);
  Response response = Response::json(201, std::move(text));
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Location", call.base_url + "/auth/keys/" + created.key.id.to_string());
  return response;
}

Result<Response> revoke_key(auth::ApiKeys& keys, const Call& call) {
  REEL_TRY(keys.revoke(*auth::KeyId::parse(call.path[0])));
  return Response::empty(204);
}

//! What the server thinks of a credential, for those who wonder why they get 403.
Result<Response> get_identity(const Call& call) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  out.field("name", std::string_view(call.identity->name));
  out.key("permissions");
  out.begin_array();
  for (const auth::Need need :
       {auth::Need::read, auth::Need::write, auth::Need::erase, auth::Need::admin}) {
    if (auth::satisfies(*call.identity, need)) out.string(auth::need_name(need));
  }
  out.end_array();
  write_classes(out, call.identity->classes);
  out.end_object();
  return Response::json(200, std::move(text));
}

Shape identity_shape() {
  return Shape::object({json::required("name", Shape::string()),
                        json::required("permissions", Shape::array(Shape::choice(
                                                          {"read", "write", "delete", "admin"}))),
                        json::optional("auth_classes", classes())})
      .named("Identity");
}

}  // namespace

std::vector<Route> auth_routes(auth::ApiKeys& keys) {
  const std::string group = "Authentication";
  return {{.method = Method::get,
           .path = "/auth/identity",
           .id = "GET_auth-identity",
           .group = group,
           .summary = "Who you are to this server, and what you may do",
           .needs = auth::Need::identity,
           .confinement = Confinement::harmless,
           .answers = {{200, "You", identity_shape()}},
           .handler = get_identity,
           .inline_read = true},
          {.method = Method::get,
           .path = "/auth/keys",
           .id = "GET_auth-keys",
           .group = group,
           .summary = "All API keys, without the keys themselves",
           .needs = auth::Need::admin,
           .answers = {{200, "Keys, oldest first", Shape::array(key_shape())}},
           .handler = [&keys](const Call&) { return list_keys(keys); }},
          {.method = Method::post,
           .path = "/auth/keys",
           .id = "POST_auth-keys",
           .group = group,
           .summary = "Create an API key; it is shown this once",
           .needs = auth::Need::admin,
           .body = new_key_shape(),
           .answers = {{201, "Created", created_key_shape()}, bad_request()},
           .handler = [&keys](const Call& call) { return create_key(keys, call); }},
          {.method = Method::del,
           .path = "/auth/keys/{keyId}",
           .id = "DELETE_auth-keys-keyId",
           .group = group,
           .summary = "Revoke an API key, at once",
           .needs = auth::Need::admin,
           .path_parameters = {{"keyId", tams::shape::uuid(), "The key"}},
           .answers = {{204, "Revoked"}, not_found_answer()},
           .handler = [&keys](const Call& call) { return revoke_key(keys, call); }}};
}

}  // namespace reel::api
