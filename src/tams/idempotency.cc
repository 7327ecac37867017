#include "tams/idempotency.h"

#include "tams/record.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

const std::string kKeys(table::kIdempotencyKeys);
//! Rows per transaction: bounds the time that other writers wait.
constexpr std::size_t kForgetAtOnce = 1000;

}  // namespace

Result<std::optional<json::Value>> earlier_outcome(store::Snapshot& snapshot,
                                                   const Caller& caller) {
  if (!caller.once) return std::nullopt;
  REEL_ASSIGN(const auto row, load(snapshot, kKeys, {caller.principal, caller.once->key}));
  if (!row) return std::nullopt;
  if (row->text("fingerprint") != caller.once->fingerprint) {
    return key_reused("the key '{}' was used for another request", caller.once->key);
  }
  REEL_ASSIGN(json::Value outcome, json::parse(row->text("outcome")));
  return outcome;
}

void remember_outcome(const Context& context, const Caller& caller, const json::Value& outcome,
                      store::Batch& batch) {
  if (!caller.once) return;
  batch.insert(kKeys, {caller.principal, caller.once->key},
               {{"used", context.clock.now()},
                {"fingerprint", caller.once->fingerprint},
                {"outcome", json::to_text(outcome)}});
}

Status forget_old_keys(const Context& context) {
  store::ScanSpec spec{.table = kKeys, .index = "by_used"};
  const Instant latest{context.clock.now().micros - kKeyLifetimeSeconds * 1'000'000};
  spec.upper = store::RangeBound{.prefix = {latest}, .inclusive = false};
  spec.limit = kForgetAtOnce;
  spec.columns = {"principal", "key"};
  std::size_t gone = kForgetAtOnce;
  while (gone == kForgetAtOnce) {
    store::Batch batch;
    {
      REEL_ASSIGN(const auto snapshot, context.store.snapshot());
      REEL_ASSIGN(const auto schema, snapshot->catalog().table(kKeys));
      REEL_TRY(snapshot->scan(spec, [&](const store::RowView& row) {
        const Record old(schema, row.cells);
        batch.erase(kKeys, {old["principal"], old["key"]});
        return true;
      }));
    }
    gone = batch.mutations.size();
    if (gone > 0) REEL_TRY(context.store.commit(std::move(batch)));
  }
  return {};
}

}  // namespace reel::tams
