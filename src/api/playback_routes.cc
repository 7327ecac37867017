#include "api/parameters.h"
#include "api/routes.h"
#include "base/percent.h"
#include "tams/playback.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

constexpr std::string_view kExtension = ".m3u8";

Status check_playlist_name(std::string_view text) {
  if (!text.ends_with(kExtension)) return invalid("'{}' does not end in .m3u8", text);
  text.remove_suffix(kExtension.size());
  REEL_TRY(Uuid::parse(text));
  return {};
}

Parameter playlist_parameter() {
  return {"playlist",
          json::Shape::form("Playlist name", "^[0-9a-f-]{36}\\.m3u8$", check_playlist_name),
          "The identifier with .m3u8 at the end"};
}

template <class IdType>
IdType id_in(const Call& call) {
  return *IdType::parse(std::string_view(call.path[0]).substr(0, 36));
}

//! The caller, with the token of the URL handed on to the playlists that a playlist names.
tams::Caller player(const Call& call) {
  tams::Caller who = caller(call);
  if (const std::string* token = call.query.find("access_token")) {
    who.playlist_query = "access_token=" + percent_encode(*token);
  }
  return who;
}

Response playlist(std::string text) {
  Response response;
  response.headers.set("Content-Type", "application/vnd.apple.mpegurl");
  response.headers.set("Cache-Control", "no-cache");
  response.body = std::move(text);
  return response;
}

Result<Response> get_flow_playlist(const Call& call) {
  REEL_ASSIGN(std::string text, tams::flow_playlist(call.tams, player(call), id_in<FlowId>(call),
                                                    timerange(call.query)));
  return playlist(std::move(text));
}

Result<Response> get_source_playlist(const Call& call) {
  REEL_ASSIGN(
      std::string text,
      tams::source_playlist(call.tams, player(call), id_in<SourceId>(call), timerange(call.query)));
  return playlist(std::move(text));
}

}  // namespace

std::vector<Route> playback_routes() {
  const Parameter range{"timerange", tams::shape::timerange(), "What to play; default all"};
  const std::vector<Answer> answers = {{200, "An HLS playlist"}, bad_request(), not_found_answer()};
  return {{.method = Method::get,
           .path = "/playback/flows/{playlist}",
           .id = "GET_playback-flow",
           .group = "Playback",
           .summary = "A flow as an HLS playlist",
           .needs = auth::Need::read,
           .confinement = Confinement::flow,
           .path_parameters = {playlist_parameter()},
           .query_parameters = {range},
           .answers = answers,
           .handler = get_flow_playlist,
           .produces = "application/vnd.apple.mpegurl"},
          {.method = Method::get,
           .path = "/playback/sources/{playlist}",
           .id = "GET_playback-source",
           .group = "Playback",
           .summary = "The flows of a source as an HLS master playlist",
           .needs = auth::Need::read,
           .confinement = Confinement::source,
           .path_parameters = {playlist_parameter()},
           .query_parameters = {range},
           .answers = answers,
           .handler = get_source_playlist,
           .produces = "application/vnd.apple.mpegurl"}};
}

}  // namespace reel::api
