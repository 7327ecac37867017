#pragma once
//! What the engine counts and times.

#include "obs/metrics.h"

namespace reel::store::sqlite {

struct EngineMetrics {
  explicit EngineMetrics(obs::Registry& registry);

  obs::Histogram& commit;         //!< one batch, from the caller to the answer
  obs::Histogram& sync;           //!< COMMIT of one group
  obs::Histogram& group_batches;  //!< batches of one group
  obs::Histogram& checkpoint;
  obs::Gauge& queue_batches;
  obs::Gauge& log_bytes;
};

}  // namespace reel::store::sqlite
