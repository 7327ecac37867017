#include "api/product_writes.h"

#include "exr/tables/record.h"
#include "obs/log.h"
#include "tams/row_edits.h"

namespace reel::api {

std::shared_ptr<const sql::ProductWrites> product_writes(const tams::Context& context,
                                                         tams::Caller caller) {
  sql::ProductWrites writes;
  const auto edits_media = std::make_shared<bool>(false);
  writes.apply = [&context, caller = std::move(caller), edits_media](
                     store::Draft& draft, const store::TableSchema& table,
                     const std::vector<store::RowEdit>& edits) {
    if (exr::is_record_table(table)) return exr::apply_record_edits(draft, table, edits);
    *edits_media = true;
    return apply_row_edits(context.in_draft(draft), caller, table, edits);
  };
  writes.committed = [&context, edits_media] {
    if (!std::exchange(*edits_media, false)) return;
    // The rows are changed, whatever happens here; the janitor tries it again.
    if (const Status settled = settle_row_edits(context); !settled) {
      obs::log_error("removing what a statement left without a use", settled.error());
    }
  };
  return std::make_shared<const sql::ProductWrites>(std::move(writes));
}

}  // namespace reel::api
