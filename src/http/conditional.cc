#include "http/conditional.h"

#include "api/entity_tag.h"

namespace reel::http {

void apply_conditions(const api::Headers& request, api::Response& answer) {
  if (answer.status != 200) return;
  const std::string* etag = answer.headers.find("ETag");
  const auto match = request.list("If-Match");
  const auto none_match = request.list("If-None-Match");
  if (match && (etag == nullptr || !api::names_etag_strongly(*match, *etag))) {
    answer.status = 412;
  } else if (none_match && etag != nullptr && api::names_etag(*none_match, *etag)) {
    answer.status = 304;
  } else {
    return;
  }
  answer.body = std::string();
  for (const std::string_view name : {"Content-Type", "Content-Encoding", "Content-Language",
                                      "Content-Range", "Content-Length"}) {
    answer.headers.remove(name);
  }
}

}  // namespace reel::http
