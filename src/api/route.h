#pragma once
//! The route table: one declarative list of operations, from which requests are routed, parameters
//! and bodies are checked, and /openapi.json is generated.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/message.h"
#include "auth/identity.h"
#include "json/shape.h"
#include "json/value.h"
#include "tams/context.h"

namespace reel::api {

//! Decoded query parameters in order. Names and values are percent-decoded ('+' is a space).
class Query {
 public:
  //! Code::invalid on bad percent escapes, bad UTF-8 or more than 200 parameters.
  static Result<Query> parse(std::string_view raw);

  //! The value of the first parameter of that name; present but empty is "".
  const std::string* find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return parameters_; }
  //! The rest of every name that starts with `prefix`, with its value: `tag.` gives the tags.
  std::vector<std::pair<std::string, std::string>> with_prefix(std::string_view prefix) const;
  void add(std::string name, std::string value);

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

//! One request on its way through a handler; everything in it was checked against the route.
struct Call {
  const tams::Context& tams;
  const Request& request;
  //! The request's path without a version prefix, still percent-encoded.
  std::string_view raw_path;
  //! Decoded path parameters in the order of the template.
  std::vector<std::string> path;
  Query query;
  //! The JSON body, checked against the route's shape; null when the route takes none.
  json::Value body;
  //! Scheme, authority, base path and version prefix under which clients see this server, without a
  //! slash at the end: "http://127.0.0.1:8000".
  std::string base_url;
  //! Who calls; never null.
  auth::IdentityPtr identity;
  //! If-Match and If-None-Match of a write, as far as the route declares them.
  tams::Condition condition = {};
  //! Idempotency-Key, if the route declares it.
  std::optional<tams::IdempotencyKey> once = {};
};

//! A parameter of an operation. A name that ends in "{name}" stands for a family ("tag.{name}").
struct Parameter {
  std::string name;
  json::Shape shape;  //!< boolean and integer shapes are read from their text form
  std::string doc = {};
  bool required = false;  //!< of a query parameter; path parameters always are
};

struct Answer {
  int status;
  std::string doc = {};
  std::optional<json::Shape> shape = std::nullopt;
};

using Handler = std::function<Result<Response>(const Call& call)>;

//! Decides from the head alone whether a streamed body is welcome, and where it goes. The call has
//! no body and ends before the first byte is taken; the sink must not refer to it.
using UploadHandler = std::function<Result<std::unique_ptr<BodySink>>(const Call& call)>;

//! What a caller that is confined to auth classes (tams/access.h) reaches by a route.
enum class Confinement : std::uint8_t {
  closed,    //!< nothing: the route does not know classes
  harmless,  //!< everything: nothing of flows and sources is shown
  filtered,  //!< what the handler lets through
  flow,      //!< the flow that the first path parameter names, if they may
  source,    //!< likewise
  object,    //!< the object that the last path parameter names
};

//! A body as multipart/form-data; the shape tells readers of the document, the sink checks.
struct Form {
  json::Shape shape;
  UploadHandler open;
};

//! The size of one object, and of a form that contains one.
inline constexpr std::uint64_t kUploadBytesMax = std::uint64_t{1} << 40;

struct Route {
  Method method = Method::get;
  std::string path = {};  //!< template: "/flows/{flowId}/tags/{name}"
  std::string id = {};    //!< operationId
  std::string group = {};
  std::string summary = {};
  //! What the caller must be allowed. A route that does not say it is closed to all but admins.
  auth::Need needs = auth::Need::admin;
  //! A signature in the query, which the handler verifies, does instead of a credential.
  bool takes_signed_url = false;
  Confinement confinement = Confinement::closed;
  std::vector<Parameter> path_parameters = {};
  std::vector<Parameter> query_parameters = {};
  std::vector<Parameter> header_parameters = {};
  std::optional<json::Shape> body = std::nullopt;
  bool body_required = true;  //!< if not, none means {}
  std::vector<Answer> answers = {};
  Handler handler = nullptr;
  bool inline_read = false;  //!< a short point read: may run on an I/O thread
  bool stoppable = false;    //!< may take long, and ends early when Request::stop asks
  std::uint64_t body_bytes_max = 1 << 20;
  //! Instead of `handler`: the body is bytes of any type, streamed into a sink.
  UploadHandler upload = nullptr;
  //! Beside `handler`: takes the body when it is multipart/form-data.
  std::optional<Form> form = std::nullopt;
  //! Content type of the answers' bodies.
  std::string produces = "application/json";
  //! Others that the field Accept of a request may name instead, of answers with 200.
  std::vector<std::string> also_produces = {};
};

//! The declaration of a query parameter, nullptr when the route has none of that name: "tag.{name}"
//! declares "tag.x". `family` is set to what stands before "{name}" then.
const Parameter* declared_parameter(const Route& route, std::string_view name,
                                    std::string_view* family = nullptr);

}  // namespace reel::api
