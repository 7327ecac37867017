#include "api/segment_form.h"

#include "api/multipart.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "tams/access.h"
#include "tams/objects.h"
#include "tams/segments.h"
#include "tams/shapes.h"
#include "tams/uploads.h"

namespace reel::api {
namespace {

constexpr std::size_t kSegmentBytesMax = 1 << 20;

//! What curl sends for a file of a type that it does not know.
constexpr std::string_view kAnyType = "application/octet-stream";

class SegmentForm final : public BodySink, private FormHandler {
 public:
  SegmentForm(const Call& call, FlowId flow, std::string_view boundary)
      : tams_(call.tams),
        caller_(caller(call)),
        request_id_(call.request.head.request_id),
        flow_(flow),
        reader_(boundary, *this) {}

  Status append(ByteSpan bytes) override {
    return reader_.feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  Response finish() override {
    const Status status = register_segment();
    if (!status) return problem(status.error(), request_id_, tams_.clock);
    return Response::empty(201);
  }

 private:
  enum class Part : char { segment, file, other };

  Status begin(const FormPart& part) override {
    part_ = part.name == "segment" ? Part::segment : part.name == "file" ? Part::file : Part::other;
    if (part_ == Part::segment && !text_.empty()) {
      return invalid("the form has two parts 'segment'");
    }
    if (part_ != Part::file) return {};
    if (upload_) return invalid("the form has two parts 'file'");
    if (segment_.is_null()) return invalid("the part 'segment' must come before the part 'file'");
    const std::string type = part.content_type == kAnyType ? std::string() : part.content_type;
    const std::string& object_id = *segment_.find("object_id")->as_string();
    REEL_ASSIGN(const StorageId storage, tams::allocate_for_segment(tams_, flow_, object_id));
    REEL_ASSIGN(upload_, tams::begin_object_upload(tams_, storage, object_id, type));
    return {};
  }

  Status data(ByteSpan bytes) override {
    if (part_ == Part::file) return upload_->append(bytes);
    if (part_ == Part::other) return {};
    if (text_.size() + bytes.size() > kSegmentBytesMax) {
      return too_large("the part 'segment' is larger than {} bytes", kSegmentBytesMax);
    }
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  Status end() override {
    if (part_ != Part::segment) return {};
    static const json::Shape kShape = tams::shape::segment_post();
    REEL_ASSIGN(json::Value segment, json::parse(text_));
    if (segment.as_object() != nullptr && segment.find("object_id") == nullptr) {
      segment.set("object_id", Uuid::random(tams_.random).to_string());
    }
    REEL_TRY(kShape.check(segment));
    REEL_TRY(tams::check_objects(tams_, caller_, segment));
    segment_ = std::move(segment);
    return {};
  }

  Status register_segment() {
    REEL_TRY(reader_.finish());
    if (segment_.is_null()) return invalid("the form has no part 'segment'");
    if (!upload_) return invalid("the form has no part 'file'");
    REEL_TRY(upload_->finish());
    REEL_TRY(tams::register_segments(tams_, caller_, flow_, segment_));
    return {};
  }

  const tams::Context& tams_;
  const tams::Caller caller_;
  const std::string request_id_;
  const FlowId flow_;
  FormReader reader_;
  Part part_ = Part::other;
  std::string text_;     //!< of the part `segment`
  json::Value segment_;  //!< the same, checked; null before
  std::unique_ptr<tams::ObjectUpload> upload_;
};

}  // namespace

Result<std::unique_ptr<BodySink>> open_segment_form(const Call& call, FlowId flow) {
  REEL_ASSIGN(const std::string boundary,
              form_boundary(*call.request.head.headers.find("Content-Type")));
  return std::make_unique<SegmentForm>(call, flow, boundary);
}

}  // namespace reel::api
