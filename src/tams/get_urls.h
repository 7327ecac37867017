#pragma once
//! Which get_urls of an object a client sees, and under which addresses.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/writer.h"
#include "tams/context.h"
#include "tams/listing.h"

namespace reel::tams {

//! The selection parameters of GET segments and GET objects (TAMS 8.2); all must hold.
struct UrlSelection {
  //! Labels to keep; unset = all, empty = none at all.
  std::optional<std::vector<std::string>> labels;
  std::vector<StorageId> storage_ids;  //!< empty = all
  std::optional<bool> presigned;
  TagFilter storage_tags;
  bool verbose = false;

  //! No URL can pass, so objects need not even be looked up.
  bool selects_nothing() const { return labels && labels->empty(); }
};

//! Where the bytes of one object are.
struct ObjectLocation {
  std::string_view object_id;
  std::optional<StorageId> storage_id;
  std::string_view external_urls;  //!< JSON array of {url, label}; may be empty
};

//! Writes "get_urls": […] into an open object: for each backend a plain and a signed URL, then the
//! external ones.
void write_get_urls(json::Writer& out, const Context& context, const Caller& caller,
                    const ObjectLocation& object, const UrlSelection& selection);

//! The address under which this server serves an object, unsigned.
std::string plain_url(const Caller& caller, StorageId storage, std::string_view object_id);

}  // namespace reel::tams
