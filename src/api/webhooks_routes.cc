#include "api/parameters.h"
#include "api/routes.h"
#include "tams/shapes.h"
#include "tams/webhooks.h"

namespace reel::api {
namespace {

namespace shape = tams::shape;

WebhookId webhook_id(const Call& call) { return *WebhookId::parse(call.path[0]); }

Result<Response> list_webhooks(const Call& call) {
  const auto page = page_request(call);
  REEL_ASSIGN(auto webhooks, tams::list_webhooks(call.tams, tag_filter(call.query, "tag"), page));
  return paged(call, std::move(webhooks));
}

Result<Response> post_webhook(const Call& call) {
  REEL_ASSIGN(std::string text, tams::create_webhook(call.tams, caller(call), call.body));
  return Response::json(201, std::move(text));
}

Result<Response> get_webhook(const Call& call) {
  REEL_ASSIGN(std::string text, tams::get_webhook(call.tams, webhook_id(call)));
  return Response::json(200, std::move(text));
}

Result<Response> put_webhook(const Call& call) {
  REEL_ASSIGN(std::string text,
              tams::replace_webhook(call.tams, caller(call), webhook_id(call), call.body));
  return Response::json(201, std::move(text));
}

Result<Response> delete_webhook(const Call& call) {
  REEL_TRY(tams::delete_webhook(call.tams, caller(call), webhook_id(call)));
  return Response::empty(204);
}

}  // namespace

std::vector<Route> webhook_routes() {
  const std::string group = "Webhooks";
  const std::string path = "/service/webhooks";
  const std::string one = path + "/{webhookId}";
  const std::string one_id = "webhooks-webhookId";
  const std::vector<Parameter> id = {{"webhookId", shape::uuid(), "The webhook"}};
  return {
      {.method = Method::get,
       .path = path,
       .id = "GET_webhooks",
       .group = group,
       .summary = "List webhooks",
       .needs = auth::Need::admin,
       .query_parameters =
           join({tag_parameters("tag", "webhooks"), {reverse_parameter()}, page_parameters()}),
       .answers = {{200, "Webhooks, by URL", json::Shape::array(shape::webhook())}, bad_request()},
       .handler = list_webhooks,
       .inline_read = true},
      {.method = Method::post,
       .path = path,
       .id = "POST_webhooks",
       .group = group,
       .summary = "Register a webhook: it is told what happens from now on",
       .needs = auth::Need::admin,
       .body = shape::webhook_post(),
       .answers = {{201, "Registered", shape::webhook()}, bad_request()},
       .handler = post_webhook},
      {.method = Method::get,
       .path = one,
       .id = "GET_" + one_id,
       .group = group,
       .summary = "One webhook",
       .needs = auth::Need::admin,
       .path_parameters = id,
       .answers = {{200, "The webhook", shape::webhook()}, not_found_answer()},
       .handler = get_webhook,
       .inline_read = true},
      {.method = Method::put,
       .path = one,
       .id = "PUT_webhooks",
       .group = group,
       .summary = "Replace a webhook, disable it, or let it begin again",
       .needs = auth::Need::admin,
       .path_parameters = id,
       .header_parameters = condition_parameters(),
       .body = shape::webhook_put(),
       .answers = {{201, "Replaced", shape::webhook()},
                   bad_request(),
                   not_found_answer(),
                   condition_answer()},
       .handler = put_webhook},
      {.method = Method::del,
       .path = one,
       .id = "DELETE_" + one_id,
       .group = group,
       .summary = "Delete a webhook",
       .needs = auth::Need::admin,
       .path_parameters = id,
       .header_parameters = condition_parameters(),
       .answers = {{204, "Deleted"}, not_found_answer(), condition_answer()},
       .handler = delete_webhook}};
}

}  // namespace reel::api
