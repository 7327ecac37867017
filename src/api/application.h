#pragma once
//! Requests in, answers out: everything that happens to a request around its handler.

#include <string>
#include <string_view>
#include <vector>

#include "api/message.h"
#include "api/openapi.h"
#include "api/problem.h"
#include "api/router.h"
#include "auth/authenticator.h"
#include "auth/rate_limiter.h"
#include "base/clock.h"

namespace reel::api {

//! Serves a route table. Before a handler runs, the request has been matched, it is known who asks
//! and that they may, its content type, path and query parameters and body have been checked
//! against the route, and the address under which the client sees this server is known. Errors
//! become the answers of problem.h; an exception that reaches this edge is logged and becomes a
//! 500. Paths below "/v8.2" are the same as without; those below "/v6.0" are the operations of
//! v6.h. URLs in answers keep the client's prefix. Thread-safe.
class TamsApplication final : public Application {
 public:
  struct Options {
    //! Where clients see this server ("https://media.example.com/tams", no slash at the end).
    //! Empty: taken from each request.
    std::string public_url = {};
    //! Believe X-Forwarded-Proto, -Host, -Prefix and the last address of X-Forwarded-For. Only for
    //! a server that nobody reaches except through a proxy which sets them.
    bool trust_forwarded = false;
    //! Who asks. nullptr: everybody is anonymous and may do everything. Must outlive the
    //! application.
    auth::Authenticator* authenticator = nullptr;
    //! Requests of one address, of one identity; beyond it 429.
    auth::RateLimit peer_rate = {};
    auth::RateLimit identity_rate = {};
    DocumentInfo document = {};
    const Clock* clock = &system_clock();
  };

  //! Adds GET /openapi.json, which describes all routes and itself. REQUIRES: `context`
  //! outlives the application; every route names its path parameters in the order of its template.
  TamsApplication(std::vector<Route> routes, const tams::Context& context, Options options);

  tl::expected<Admission, Response> admit(const RequestHead& head,
                                          auth::Patience patience) override;
  Response handle(const Admission& admission, Request& request) override;
  Response refuse(int status, std::string_view message, std::string_view request_id) override;

  const std::vector<Route>& routes() const { return router_.routes(); }

 private:
  struct Edition {
    std::string_view prefix;
    const Router* router;
  };
  Edition edition_of(std::string_view path) const;
  //! The route below the edition's prefix.
  Result<Router::Match> match(const RequestHead& head, Method method) const;

  //! Who asks, if they may; nullptr: that needs more patience.
  tl::expected<auth::IdentityPtr, Response> authorize(const Route& route, const RequestHead& head,
                                                      auth::Patience patience);
  Response refused(const Error& error, const RequestHead& head) const;
  Result<auth::IdentityPtr> identify(const RequestHead& head, std::string_view peer,
                                     auth::Patience patience) const;
  Response slow_down(std::chrono::seconds wait, std::string_view request_id) const;
  std::string_view peer_of(const RequestHead& head) const;

  //! For callers with auth classes: not_found where they may not know, forbidden where they may not
  //! do.
  static Status check_confinement(const Route& route, const Call& call);
  Result<Call> prepare(const Route& route, const Request& request,
                       const auth::IdentityPtr& identity) const;
  Result<Response> run(const Route& route, const Request& request,
                       const auth::IdentityPtr& identity) const;
  Result<std::unique_ptr<BodySink>> open_sink(const Route& route, const UploadHandler& open,
                                              const RequestHead& head,
                                              const auth::IdentityPtr& identity) const;
  Result<std::string> base_url(const RequestHead& head) const;
  Response no_route(const RequestHead& head, const std::vector<Method>& allowed) const;

  const Options options_;
  const tams::Context& context_;
  auth::RateLimiter peer_rate_;
  auth::RateLimiter identity_rate_;
  const Router v6_router_;
  const Router router_;
};

}  // namespace reel::api
