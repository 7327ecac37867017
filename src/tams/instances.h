#pragma once
//! Instances of objects: where their bytes are. Controlled ones lie on a storage backend,
//! uncontrolled ones are URLs that clients told us (TAMS 8.2, /objects/{objectId}/instances).

#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "json/value.h"
#include "tams/context.h"

namespace reel::tams {

struct Instance {
  std::optional<StorageId> storage_id;  //!< set: controlled
  std::string storage_key;              //!< where in the backend
  bool copying = false;                 //!< the bytes are not there yet; nobody is told of it
  std::string url;                      //!< of an uncontrolled one
  std::string label;                    //!< of an uncontrolled one
};

//! The column that keeps them, one list for each object.
store::Type instances_type();
std::vector<Instance> instances_in(const store::Value& cell);
store::Value instances_cell(const std::vector<Instance>& instances);

//! Instances at the URLs of a request: an array of {url, label}.
std::vector<Instance> uncontrolled_instances(const json::Value& urls);

//! The instance on a backend, nullptr when there is none.
const Instance* instance_on(const std::vector<Instance>& instances, StorageId storage);

//! Whether clients may be told of it: it is complete, and its backend is configured.
bool is_advertised(const Context& context, const Instance& instance);

//! A label of an uncontrolled instance must not be a storage backend's.
Status check_new_label(const Context& context, std::string_view label);

//! A key that no other object and no other upload has.
std::string new_storage_key(const Context& context, std::string_view object_id);

//! POST /objects/{objectId}/instances. The body passed shape::instance_post(). A copy to another
//! backend is made later, by make_copies(). Code::not_found until a segment registered the object.
Status add_instance(const Context& context, const std::string& object_id, const json::Value& body);

//! Names an instance: by its backend, or by its label, which for a controlled one is its backend's.
using InstanceName = std::variant<StorageId, std::string>;

//! DELETE /objects/{objectId}/instances. Code::invalid for the last one.
Status remove_instance(const Context& context, const std::string& object_id,
                       const InstanceName& name);

//! Makes the copies that were asked for, also before a restart. Goes on with the others when one
//! fails and returns the first error; what failed is tried again by the next call.
Status make_copies(const Context& context, const std::stop_token& stop);

//! The instances of many objects, each looked up once.
class InstanceCache {
 public:
  explicit InstanceCache(store::Snapshot& snapshot) : snapshot_(snapshot) {}
  //! Looks many up together, so that find() has them.
  Status load(const std::vector<std::string>& object_ids);
  //! nullptr when the object is unknown.
  Result<const std::vector<Instance>*> find(const std::string& object_id);

 private:
  store::Snapshot& snapshot_;
  std::unordered_map<std::string, std::optional<std::vector<Instance>>> seen_;
};

}  // namespace reel::tams
