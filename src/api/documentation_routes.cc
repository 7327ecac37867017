//! Pages for people: /docs (Swagger UI) and /redoc (ReDoc). They read /openapi.json of the prefix
//! under which they are opened, and everything they load comes from this program.

#include "api/entity_tag.h"
#include "api/page_assets.h"
#include "api/parameters.h"
#include "api/routes.h"

namespace reel::api {
namespace {

//! Addresses are relative, so that a page works under every prefix.
constexpr std::string_view kSwaggerPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reelhouse API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
)";
constexpr std::string_view kSwaggerStart = R"(SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
)";
constexpr std::string_view kRedocPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reelhouse API</title>
<link rel="icon" href="data:,">
</head>
<body>
<div id="redoc"></div>
<script src="redoc/redoc.js"></script>
<script src="redoc/start.js"></script>
</body>
</html>
)";
constexpr std::string_view kRedocStart =
    R"(Redoc.init("openapi.json", {}, document.getElementById("redoc"));
)";

//! ReDoc's own page shows a picture from its makers' site; no picture is shown instead.
std::string redoc_without_foreign_picture() {
  constexpr std::string_view kPicture = "https://cdn.redoc.ly/redoc/logo-mini.svg";
  std::string script(asset::redoc_js());
  const std::size_t found = script.find(kPicture);
  if (found != std::string::npos) script.replace(found, kPicture.size(), "data:,");
  return script;
}

//! Nothing from elsewhere, no script in a page. ReDoc makes its styles at run time and searches in
//! a worker that it makes from text.
constexpr std::string_view kSwaggerPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::string_view kRedocPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kStyle = "text/css; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";

struct File {
  std::string name;  //!< below the page's path; empty: the page itself
  std::string_view type;
  std::string bytes;
  std::string etag = {};
};

struct Site {
  std::string path;
  std::string summary;
  std::string_view policy;
  std::vector<File> files;
};

Response answer(const Site& site, const File& file) {
  Response response;
  response.headers.set("Content-Type", std::string(file.type));
  response.headers.set("ETag", file.etag);
  response.headers.set("Cache-Control", "no-cache");  // ask again, and mostly hear 304
  response.headers.set("Content-Security-Policy", std::string(site.policy));
  response.body = file.bytes;
  return response;
}

std::vector<Route> site_routes(Site made) {
  for (File& file : made.files) file.etag = strong_etag(file.bytes);
  const auto site = std::make_shared<const Site>(std::move(made));  // shared by both handlers
  const std::string id = site->path.substr(1);
  std::vector<std::string> names;
  for (const File& file : site->files) {
    if (!file.name.empty()) names.push_back(file.name);
  }
  const auto serve = [site](const Call& call) -> Result<Response> {
    const std::string name = call.path.empty() ? std::string() : call.path[0];
    for (const File& file : site->files) {
      if (file.name == name) return answer(*site, file);
    }
    return not_found("there is no file '{}'", name);
  };
  return {{.method = Method::get,
           .path = site->path,
           .id = "GET_" + id,
           .group = "Documentation",
           .summary = site->summary,
           .needs = auth::Need::nothing,
           .answers = {{200, "The page"}},
           .handler = serve,
           .produces = "text/html"},
          {.method = Method::get,
           .path = site->path + "/{file}",
           .id = "GET_" + id + "-file",
           .group = "Documentation",
           .summary = "A file of the page " + site->path,
           .needs = auth::Need::nothing,
           .path_parameters = {{"file", json::Shape::choice(names), "Its name"}},
           .answers = {{200, "The file"}, not_found_answer()},
           .handler = serve,
           .produces = "*/*"}};
}

}  // namespace

std::vector<Route> documentation_routes() {
  std::vector<Route> routes =
      site_routes({.path = "/docs",
                   .summary = "This API to read and to try (Swagger UI)",
                   .policy = kSwaggerPolicy,
                   .files = {{"", kHtml, std::string(kSwaggerPage)},
                             {"start.js", kScript, std::string(kSwaggerStart)},
                             {"swagger-ui.css", kStyle, std::string(asset::swagger_ui_css())},
                             {"swagger-ui.js", kScript, std::string(asset::swagger_ui_js())},
                             {"LICENSE", kText, std::string(asset::swagger_ui_license())}}});
  for (Route& route :
       site_routes({.path = "/redoc",
                    .summary = "This API to read (ReDoc)",
                    .policy = kRedocPolicy,
                    .files = {{"", kHtml, std::string(kRedocPage)},
                              {"start.js", kScript, std::string(kRedocStart)},
                              {"redoc.js", kScript, redoc_without_foreign_picture()},
                              {"LICENSE", kText, std::string(asset::redoc_license())}}})) {
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace reel::api
