#include "api/media_routes.h"

#include "api/problem.h"
#include "media/url_signer.h"
#include "tams/objects.h"
#include "tams/shapes.h"

namespace reel::api {
namespace {

using json::Shape;

struct Target {
  StorageId storage;
  std::string object_id;
  std::string content_type;  //!< the only one that may be sent; empty = any
};

//! Whether the URL is signed, and if so whether it allows this use.
Result<Target> authorize(const Call& call, media::UrlUse use) {
  if (call.query.find("signature") == nullptr) {
    REEL_ASSIGN(const StorageId storage, StorageId::parse(call.path[0]));
    return Target{.storage = storage, .object_id = call.path[1], .content_type = {}};
  }
  const RequestHead& head = call.request.head;
  REEL_ASSIGN(media::UrlGrant grant, call.tams.storage.signer->verify(
                                         use, head.path, head.query, call.tams.clock.now()));
  return Target{.storage = grant.storage,
                .object_id = std::move(grant.object_id),
                .content_type = std::move(grant.content_type)};
}

//! An upload on its way to a backend. The backend is asked on the first call, which comes from a
//! worker and may block.
class ObjectSink final : public BodySink {
 public:
  ObjectSink(const tams::Context& context, Target target, std::string request_id)
      : context_(context), target_(std::move(target)), request_id_(std::move(request_id)) {}

  Status append(ByteSpan bytes) override {
    REEL_TRY(begin());
    return upload_->append(bytes);
  }

  Response finish() override {
    const Status status = [this]() -> Status {
      REEL_TRY(begin());
      return upload_->finish();
    }();
    if (!status) return problem(status.error(), request_id_, context_.clock);
    return Response::empty(200);  // what S3 answers, and clients of TAMS expect
  }

 private:
  Status begin() {
    if (upload_) return {};
    REEL_ASSIGN(upload_, tams::begin_object_upload(context_, target_.storage, target_.object_id,
                                                   target_.content_type));
    return {};
  }

  const tams::Context& context_;
  const Target target_;
  const std::string request_id_;
  std::unique_ptr<tams::ObjectUpload> upload_;
};

Result<std::unique_ptr<BodySink>> put_media(const Call& call) {
  REEL_ASSIGN(Target target, authorize(call, media::UrlUse::put));
  const RequestHead& head = call.request.head;
  const std::string* sent = head.headers.find("Content-Type");
  if (!target.content_type.empty() && (sent == nullptr || *sent != target.content_type)) {
    return at("Content-Type", forbidden("the URL is signed for the content type '{}', not '{}'",
                                        target.content_type, sent == nullptr ? "" : *sent));
  }
  if (sent != nullptr) target.content_type = *sent;
  return std::make_unique<ObjectSink>(call.tams, std::move(target), head.request_id);
}

Result<Response> get_media(const Call& call) {
  REEL_ASSIGN(const Target target, authorize(call, media::UrlUse::get));
  REEL_ASSIGN(tams::ObjectBytes bytes,
              tams::open_object(call.tams, target.storage, target.object_id));
  Response response;
  response.headers.set("Content-Type", bytes.content_type);
  response.headers.set("ETag", fmt::format("\"{}\"", bytes.sha256_hex));
  response.body = FileBody{.keep_alive = std::move(bytes.file.keep_alive),
                           .descriptor = bytes.file.descriptor,
                           .offset = 0,
                           .length = bytes.file.size_bytes};
  return response;
}

std::vector<Parameter> path_parameters() {
  return {{"storageId", tams::shape::uuid(), "The storage backend that has the bytes"},
          {"objectId", Shape::string(), "The object, percent-encoded"}};
}

std::vector<Parameter> query_parameters() {
  return {{"expires", Shape::integer(0), "Until when the signature is valid"},
          {"signature", Shape::string(), "Made by the server that gave out the URL"}};
}

}  // namespace

std::vector<Route> media_routes(std::uint64_t upload_bytes_max) {
  return {
      {.method = Method::get,
       .path = "/media/{storageId}/{objectId}",
       .id = "GET_media",
       .group = "Media",
       .summary = "The bytes of an object, or a range of them",
       .path_parameters = path_parameters(),
       .query_parameters = query_parameters(),
       .answers = {{200, "All bytes"},
                   {206, "The range asked for"},
                   {304, "They have not changed"},
                   {403, "The signature does not fit or has expired"},
                   {404, "No such object, or nothing was uploaded yet"},
                   {416, "The range is outside of the object"}},
       .handler = get_media,
       .produces = "*/*"},
      {.method = Method::put,
       .path = "/media/{storageId}/{objectId}",
       .id = "PUT_media",
       .group = "Media",
       .summary = "Upload the bytes of an allocated object",
       .path_parameters = path_parameters(),
       .query_parameters = query_parameters(),
       .answers = {{200, "Stored; durable and visible as a whole"},
                   {403, "The signature does not fit, or the object is in use already"},
                   {404, "The object was not allocated here"},
                   {413, "Larger than allowed"}},
       .body_bytes_max = upload_bytes_max,
       .upload = put_media},
  };
}

}  // namespace reel::api
