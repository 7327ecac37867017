#include "api/digest.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/routes.h"
#include "tams/shapes.h"
#include "tams/uploads.h"

namespace reel::api {
namespace {

//! What the URL allows. One with a signature must be right; one without is a plain URL, for
//! clients that send their credentials.
Result<media::UrlGrant> grant_of(const Call& call, media::UrlUse use) {
  if (call.query.find("signature") != nullptr) {
    return call.tams.storage.signer->verify(use, call.raw_path, call.request.head.query,
                                            call.tams.clock.now());
  }
  return media::UrlGrant{.use = use,
                         .storage = *StorageId::parse(call.path[0]),
                         .object_id = call.path[1],
                         .content_type = {}};
}

Result<Response> get_media(const Call& call) {
  REEL_ASSIGN(const auto grant, grant_of(call, media::UrlUse::get));
  REEL_ASSIGN(auto bytes, tams::open_object(call.tams, grant.storage, grant.object_id));
  if (call.request.head.method == Method::get) call.tams.media_reads->count(grant.object_id);
  Response response;
  response.headers.set("Content-Type", bytes.content_type);
  response.headers.set("ETag", "\"" + to_hex(bytes.sha256) + "\"");
  response.headers.set("Repr-Digest", digest_field(bytes.sha256));
  response.headers.set("Cache-Control", "private, max-age=31536000, immutable");
  // Whoever uploaded the bytes chose their type: as a page they must not act for this origin.
  response.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
  response.body = FileBody{.keep_alive = std::move(bytes.file.keep_alive),
                           .descriptor = bytes.file.descriptor,
                           .offset = 0,
                           .length = bytes.file.size_bytes};
  return response;
}

class MediaSink final : public BodySink {
 public:
  MediaSink(std::unique_ptr<tams::ObjectUpload> upload, std::string request_id, const Clock& clock)
      : upload_(std::move(upload)), request_id_(std::move(request_id)), clock_(clock) {}

  Status append(ByteSpan bytes) override { return upload_->append(bytes); }

  Response finish() override {
    const Status status = upload_->finish();
    if (!status) return problem(status.error(), request_id_, clock_);
    return Response::empty(200);
  }

 private:
  std::unique_ptr<tams::ObjectUpload> upload_;
  std::string request_id_;
  const Clock& clock_;
};

Result<std::unique_ptr<BodySink>> put_media(const Call& call) {
  REEL_ASSIGN(const auto grant, grant_of(call, media::UrlUse::put));
  const std::string* sent = call.request.head.headers.find("Content-Type");
  const std::string content_type = sent == nullptr ? std::string() : *sent;
  if (!grant.content_type.empty() && content_type != grant.content_type) {
    return at("Content-Type",
              forbidden("this URL is for {}, not '{}'", grant.content_type, content_type));
  }
  REEL_ASSIGN(const auto digest, sent_digest(call.request.head.headers));
  REEL_ASSIGN(auto upload,
              tams::begin_object_upload(call.tams, grant.storage, grant.object_id, content_type));
  if (digest) upload->expect(*digest);
  return std::make_unique<MediaSink>(std::move(upload), call.request.head.request_id,
                                     call.tams.clock);
}

}  // namespace

std::vector<Route> media_routes() {
  const std::string path = "/media/{storageId}/{objectId}";
  const std::vector<Parameter> parameters = {
      {"storageId", tams::shape::uuid(), "The storage backend"},
      {"objectId", json::Shape::string(), "The object, URL-encoded"}};
  return {{.method = Method::get,
           .path = path,
           .id = "GET_media",
           .group = "Media",
           .summary = "The bytes of an object; ranges are served",
           .needs = auth::Need::read,
           .takes_signed_url = true,
           .confinement = Confinement::object,
           .path_parameters = parameters,
           .answers = {{200, "The bytes"},
                       {206, "The range that was asked for"},
                       {304, "They are what the client has already"},
                       forbidden_answer(),
                       not_found_answer(),
                       {412, "They are not what the client wants"},
                       {416, "There are no bytes in the range"}},
           .handler = get_media,
           .inline_read = true,
           .produces = "application/octet-stream"},
          {.method = Method::put,
           .path = path,
           .id = "PUT_media",
           .group = "Media",
           .summary = "Upload the bytes of an allocated object",
           .needs = auth::Need::write,
           .takes_signed_url = true,
           .confinement = Confinement::object,
           .path_parameters = parameters,
           .answers = {{200, "Stored"}, bad_request(), forbidden_answer(), not_found_answer()},
           .body_bytes_max = kUploadBytesMax,
           .upload = put_media}};
}

}  // namespace reel::api
