#pragma once
//! What every domain function needs: the store, the bytes, the time.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "base/pace.h"
#include "base/result.h"
#include "base/uuid.h"
#include "base/wakeup.h"
#include "events/change_signal.h"
#include "media/backend.h"
#include "media/url_signer.h"
#include "obs/metrics.h"
#include "store/store.h"
#include "tams/media_reads.h"
#include "tams/transfers.h"

namespace reel::tams {

//! Times that the service promises and bounds that it keeps.
struct Limits {
  std::int64_t min_object_timeout_s = 3600;        //!< unregistered objects live at least this long
  std::int64_t min_presigned_url_timeout_s = 600;  //!< signed URLs are valid at least this long
  std::int64_t playback_url_timeout_s = 86'400;    //!< URLs in playlists, for long programmes
  std::size_t page_default = 100;                  //!< items of a listing when no limit is given
  std::size_t page_max = 1000;
  std::size_t allocate_default = 10;  //!< objects of a storage request without a limit
  std::size_t allocate_max = 1000;
  std::size_t bulk_segments_max = 10'000;
  std::size_t instances_max = 100;        //!< of one object
  std::size_t collection_max = 1000;      //!< members of one flow collection
  std::int64_t change_log_days = 30;      //!< how long changes stay in the log
  std::int64_t trash_days = 30;           //!< how long what was deleted softly can be restored
  std::int64_t undrop_days = 7;           //!< the same for dropped columns and tables
  std::size_t delete_segments_max = 200;  //!< deleted before the answer; of more, all after it
  //! Where webhooks may go beside public addresses.
  std::vector<Network> webhook_networks = {};
};

//! The places where objects may be put. Filled at start, constant afterwards.
struct Storage {
  std::map<StorageId, std::unique_ptr<media::Backend>> backends;
  std::unique_ptr<media::UrlSigner> signer;

  //! nullptr when there is no such backend.
  media::Backend* find(StorageId id) const;
  //! The backend marked as default, nullptr when none is.
  media::Backend* default_backend() const;
};

//! What this process has removed since its start.
struct Removed {
  obs::Counter segments;
  obs::Counter objects;
  obs::Counter files;  //!< instances of objects, and what uploads left behind
  obs::Counter bytes;  //!< of those files
};

//! Shared by all requests; thread-safe. What has a default is this process's own.
struct Context {
  store::RowStore& store;
  const Storage& storage;
  const Clock& clock;
  Random& random;
  events::ChangeSignal& changes;  //!< notified after commits of this process
  Limits limits = {};
  std::shared_ptr<Transfers> transfers = std::make_shared<Transfers>();
  std::shared_ptr<MediaReads> media_reads = std::make_shared<MediaReads>();
  //! Notified when there is something for carry_out_deletions().
  std::shared_ptr<Wakeup> deletions = std::make_shared<Wakeup>();
  //! Notified when there is something for make_copies().
  std::shared_ptr<Wakeup> copies = std::make_shared<Wakeup>();
  std::shared_ptr<Removed> removed = std::make_shared<Removed>();
  //! Of clients, for which background work makes way.
  std::shared_ptr<Demand> demand = std::make_shared<Demand>();
  //! The store is a draft: what a write leads to beyond rows waits for its commit.
  bool is_draft = false;

  //! The same over a draft.
  Context in_draft(store::RowStore& draft) const;
};

//! What a client wants to hold for its write (RFC 9110, 13.1), given what GET shows at the place
//! of the write; nullopt: nothing is there.
using Condition = std::function<Status(const std::optional<std::string>& shown)>;

//! Makes a request be done once, however often it is sent; see idempotency.h.
struct IdempotencyKey {
  std::string key;          //!< chosen by the client; every principal has its own
  std::string fingerprint;  //!< a hash of the request: a key stands for one request
};

//! Who asks, under which address they see us, and on which condition they write.
struct Caller {
  std::string principal;
  std::string base_url;
  //! Set: they reach only what carries one of these auth classes, see access.h.
  std::optional<std::vector<std::string>> classes = {};
  //! Query that playlists add to the playlists which they name, so that a player which carries its
  //! token in the URL may fetch those too.
  std::string playlist_query = {};
  //! Set: writes of a document or a part of it happen only if it holds at their commit.
  Condition condition = {};
  //! Set: registration and allocation of objects and segments remember that they were done.
  std::optional<IdempotencyKey> once = {};
};

}  // namespace reel::tams
