#pragma once
//! Bytes of objects that clients write to this server, and read from it.

#include <memory>
#include <optional>
#include <string>

#include "base/hash.h"
#include "media/backend.h"
#include "tams/context.h"

namespace reel::tams {

//! Where an upload of an object goes.
struct UploadPlace {
  //! Whether the object's row names the key. Otherwise media_garbage has to, before there are
  //! bytes.
  bool is_reserved = false;
  Transfers::Claim claim;
};

//! An upload of an object's bytes; finish() makes them visible together with size and checksum.
//! Of several uploads of one object, the one that finishes last counts. A row names the key of the
//! bytes before they are there, so a crash at any moment leaves none that nobody knows of.
class ObjectUpload {
 public:
  ObjectUpload(const Context& context, media::Backend& backend, std::string object_id,
               std::string content_type, UploadPlace place, std::unique_ptr<media::Upload> upload);
  //! The bytes must have this digest, else finish() refuses them.
  void expect(const Sha256Digest& digest) { expected_ = digest; }
  Status append(ByteSpan bytes) { return upload_->append(bytes); }
  Status finish();

 private:
  Status adopt(const media::StoredBytes& stored);

  const Context& context_;
  media::Backend& backend_;
  const std::string object_id_;
  const std::string content_type_;
  const std::unique_ptr<media::Upload> upload_;
  UploadPlace place_;
  std::optional<Sha256Digest> expected_;
};

//! Code::not_found when the object was not allocated on that backend; forbidden when it is in use
//! and has its bytes already.
Result<std::unique_ptr<ObjectUpload>> begin_object_upload(const Context& context, StorageId storage,
                                                          const std::string& object_id,
                                                          const std::string& content_type);

struct ObjectBytes {
  media::OpenObject file;
  std::string content_type;
  Sha256Digest sha256{};
};
//! The bytes of the instance on that backend.
Result<ObjectBytes> open_object(const Context& context, StorageId storage,
                                const std::string& object_id);

}  // namespace reel::tams
