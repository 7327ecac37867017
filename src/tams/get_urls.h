#pragma once
//! Which get_urls of an object a client sees, and under which addresses.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/writer.h"
#include "tams/context.h"
#include "tams/instances.h"
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

//! The URLs of objects as one caller may see them. Refers to what it is made from.
class UrlWriter {
 public:
  UrlWriter(const Context& context, const Caller& caller, const UrlSelection& selection)
      : context_(context), caller_(caller), selection_(selection) {}

  //! Writes "get_urls": […] into an open object: for each controlled instance a signed and a plain
  //! URL, then the uncontrolled ones.
  void write(json::Writer& out, std::string_view object_id,
             const std::vector<Instance>& instances) const;

 private:
  void write_controlled(json::Writer& out, std::string_view object_id,
                        const Instance& instance) const;
  void write_uncontrolled(json::Writer& out, const Instance& instance) const;
  bool label_selected(std::string_view label) const;

  const Context& context_;
  const Caller& caller_;
  const UrlSelection& selection_;
};

//! Writes what schemas/storage-backend.json says about a backend into an open object.
void write_storage_members(json::Writer& out, const media::BackendInfo& info);

//! The address under which this server serves an object, unsigned.
std::string plain_url(const Caller& caller, StorageId storage, std::string_view object_id);

}  // namespace reel::tams
