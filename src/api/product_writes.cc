#include "api/product_writes.h"

#include "obs/log.h"
#include "tams/row_edits.h"

namespace reel::api {

std::shared_ptr<const sql::ProductWrites> product_writes(const tams::Context& context,
                                                         tams::Caller caller) {
  sql::ProductWrites writes;
  writes.apply = [&context, caller = std::move(caller)](store::Draft& draft,
                                                        const store::TableSchema& table,
                                                        const std::vector<store::RowEdit>& edits) {
    return apply_row_edits(context.in_draft(draft), caller, table, edits);
  };
  writes.committed = [&context] {
    // The rows are changed, whatever happens here; the janitor tries it again.
    if (const Status settled = settle_row_edits(context); !settled) {
      obs::log_error("removing what a statement left without a use", settled.error());
    }
  };
  return std::make_shared<const sql::ProductWrites>(std::move(writes));
}

}  // namespace reel::api
