#include "store/sqlite/engine_metrics_internal.h"

namespace reel::store::sqlite {

EngineMetrics::EngineMetrics(obs::Registry& registry)
    : commit(registry.histogram("reelhouse_store_commit_duration_seconds",
                                "From a batch to its answer: waiting, applying, syncing.",
                                obs::latency_buckets_seconds())),
      sync(registry.histogram("reelhouse_store_sync_duration_seconds",
                              "Writing a group of batches to the log and syncing it.",
                              obs::latency_buckets_seconds())),
      group_batches(registry.histogram("reelhouse_store_group_batches",
                                       "Batches that one sync made durable.",
                                       {1, 2, 4, 8, 16, 32, 64, 128, 256})),
      checkpoint(registry.histogram("reelhouse_store_checkpoint_duration_seconds",
                                    "Moving pages from the log to the database.",
                                    obs::latency_buckets_seconds())),
      queue_batches(
          registry.gauge("reelhouse_store_queue_batches", "Batches that wait for the committer.")),
      log_bytes(registry.gauge("reelhouse_store_log_bytes",
                               "Pages in the write-ahead log since it last began anew.")) {}

}  // namespace reel::store::sqlite
