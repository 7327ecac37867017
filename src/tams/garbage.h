#pragma once
//! What goes when nothing refers to it any more: objects, and the bytes of their instances.

#include <string>
#include <vector>

#include "tams/context.h"

namespace reel::tams {

//! Notes, in the commit that takes a use away, that the object may be unused now.
void check_later(const Context& context, store::Batch& batch, const std::string& object_id);

//! Notes, in the commit that allocates them, that the objects go unless a segment registers them in
//! time.
void check_after_timeout(const Context& context, store::Batch& batch, Instant allocated,
                         const std::vector<std::string>& object_ids);

//! Notes bytes that no object has: those that one lost, and those that an upload may leave behind.
void note_garbage(store::Batch& batch, StorageId storage, const std::string& key);

//! Commits, and counts the segments and objects that the batch erases.
Status commit_removal(const Context& context, store::Batch batch);

//! Erases the noted objects that nothing uses, and their bytes. What a stopped server left is done
//! by the next call.
Status collect_unused(const Context& context);

//! Erases objects that no segment registered within min_object_timeout and a grace, and their
//! bytes.
Status collect_unregistered(const Context& context);

//! Removes bytes that are known to be garbage, but for those that are being written.
Status remove_garbage(const Context& context);

}  // namespace reel::tams
