#pragma once
//! Changes of rows of the product's tables, as the writes of the API that they stand for.

#include <vector>

#include "store/draft.h"
#include "tams/context.h"

namespace reel::tams {

//! Carries out the edits of one statement, with the API's checks and changes for those who follow
//! them:
//! - flows: a new row is PUT /flows/{id}, so are changed ones; an erased row is DELETE;
//! - sources: POST, PUT and DELETE /sources…;
//! - segments: POST, DELETE /flows/{id}/segments of runs without a hole, and their tags;
//! - columns of users: in every table.
//! Columns that the product fills itself, and rows of its other tables, are not changed this way:
//! Code::forbidden. Other errors are those of the writes; the message names the row.
//! REQUIRES: the context is of a draft (Context::in_draft), which is dropped after an error.
Status apply_row_edits(const Context& context, const Caller& caller,
                       const store::TableSchema& table, const std::vector<store::RowEdit>& edits);

//! What follows from edits once their draft is committed, such as removing objects without a use.
Status settle_row_edits(const Context& context);

}  // namespace reel::tams
