#pragma once
//! Objects: allocated, uploaded, registered by a segment, and gone with their last use.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "json/value.h"
#include "media/backend.h"
#include "tams/context.h"
#include "tams/get_urls.h"
#include "tams/listing.h"
#include "tams/record.h"
#include "time/time_range.h"

namespace reel::tams {

//! POST /flows/{id}/storage: new objects and where to upload them, as JSON. The body passed
//! shape::storage_request().
Result<std::string> allocate_storage(const Context& context, const Caller& caller, FlowId flow,
                                     const json::Value& body);

//! The distinct flows that use an object, from `after` on, at most `limit` that match.
Result<std::vector<FlowId>> flows_using(store::Snapshot& snapshot, const std::string& id,
                                        const TagFilter& tags, std::optional<FlowId> after,
                                        std::size_t limit);

struct ObjectQuery {
  UrlSelection urls;
  TagFilter flow_tags;  //!< which referencing flows to show
  PageRequest page;
};
struct ObjectView {
  std::string document;
  Page page;  //!< of referenced_by_flows; `items` is unused
};
//! Code::not_found until a segment registered the object.
Result<ObjectView> get_object(const Context& context, const Caller& caller, const std::string& id,
                              const ObjectQuery& query);

//! An upload of an object's bytes; finish() makes them visible together with size and checksum.
//! Of several uploads of one object, the one that finishes last counts.
class ObjectUpload {
 public:
  ObjectUpload(const Context& context, media::Backend& backend, std::string object_id,
               std::string content_type, std::string key, std::unique_ptr<media::Upload> upload);
  Status append(ByteSpan bytes) { return upload_->append(bytes); }
  Status finish();

 private:
  Status adopt(const media::StoredBytes& stored);

  const Context& context_;
  media::Backend& backend_;
  std::string object_id_;
  std::string content_type_;
  std::string key_;
  std::unique_ptr<media::Upload> upload_;
};

//! Code::not_found when the object was not allocated on that backend; forbidden when it is in use
//! and has its bytes already.
Result<std::unique_ptr<ObjectUpload>> begin_object_upload(const Context& context, StorageId storage,
                                                          const std::string& object_id,
                                                          const std::string& content_type);

struct ObjectBytes {
  media::OpenObject file;
  std::string content_type;
  std::string sha256_hex;
};
Result<ObjectBytes> open_object(const Context& context, StorageId storage,
                                const std::string& object_id);

//! Where the bytes of an object are, as the store knows it.
struct StoredLocation {
  std::optional<StorageId> storage_id;
  std::string external_urls;
};

//! Look-ups of one request, each object once.
class LocationCache {
 public:
  explicit LocationCache(store::Snapshot& snapshot) : snapshot_(snapshot) {}
  //! Looks many up together, so that find() has them.
  Status load(const std::vector<std::string>& object_ids);
  //! nullptr when the object is unknown.
  Result<const StoredLocation*> find(const std::string& object_id);

 private:
  store::Snapshot& snapshot_;
  std::unordered_map<std::string, std::optional<StoredLocation>> seen_;
};

//! Starts of the segments of a flow that use the object, as media or init segment, in order.
Result<std::vector<time::Timestamp>> uses_in_flow(store::Snapshot& snapshot,
                                                  const std::string& object_id, FlowId flow,
                                                  bool reverse,
                                                  std::optional<time::Timestamp> after);

//! Notes, in the commit that takes a use away, that the object may be unused now.
void check_later(const Context& context, store::Batch& batch, const std::string& object_id);

//! Erases the noted objects that nothing uses, and their bytes. What a stopped server left is done
//! by the next call.
Status collect_unused(const Context& context);

//! Removes bytes that are known to be garbage.
Status remove_garbage(const Context& context);

}  // namespace reel::tams
