#include "tams/context.h"

namespace reel::tams {

media::Backend* Storage::find(StorageId id) const {
  const auto found = backends.find(id);
  return found == backends.end() ? nullptr : found->second.get();
}

media::Backend* Storage::default_backend() const {
  for (const auto& [id, backend] : backends) {
    if (backend->info().default_storage) return backend.get();
  }
  return nullptr;
}

Context Context::in_draft(store::RowStore& draft) const {
  return {.store = draft,
          .storage = storage,
          .clock = clock,
          .random = random,
          .changes = changes,
          .limits = limits,
          .transfers = transfers,
          .media_reads = media_reads,
          .deletions = deletions,
          .copies = copies,
          .removed = removed,
          .is_draft = true};
}

}  // namespace reel::tams
