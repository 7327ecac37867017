#pragma once
//! Parameters that many operations share: how they are declared, and how they are read.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/route.h"
#include "tams/context.h"
#include "tams/deletions.h"
#include "tams/get_urls.h"
#include "tams/listing.h"

namespace reel::api {

// Declarations. A list is made of parts: `join({tag_parameters("tag"), page_parameters()})`.
std::vector<Parameter> join(std::vector<std::vector<Parameter>> lists);
//! `<prefix>.{name}` and `<prefix>_exists.{name}`.
std::vector<Parameter> tag_parameters(const std::string& prefix, const std::string& of);
std::vector<Parameter> page_parameters();
Parameter reverse_parameter();
//! accept_get_urls, accept_storage_ids, presigned, verbose_storage, storage_backend_tag.
std::vector<Parameter> url_parameters();
//! If-Match and If-None-Match, for writes of what GET shows at the same path. The handler passes
//! caller(call) to a function that holds Caller::condition.
std::vector<Parameter> condition_parameters();
//! Idempotency-Key, for requests whose effect and outcome go into one commit. The handler passes
//! caller(call) to a function that holds Caller::once.
Parameter idempotency_parameter();
Parameter flow_id_parameter();
Parameter source_id_parameter();
//! Of a DELETE: what goes into the trash instead.
Parameter soft_delete_parameter();
//! A comma-separated list of UUIDs; the other one may be empty.
json::Shape uuid_list();
json::Shape uuid_list_or_none();

// Reading. REQUIRES: the call passed the declarations above.
std::optional<std::string> text(const Query& query, std::string_view name);
std::optional<bool> flag(const Query& query, std::string_view name);
std::optional<std::int64_t> integer(const Query& query, std::string_view name);
std::vector<std::string> comma_list(std::string_view value);
//! Ids of a list that passed uuid_list().
template <class IdType>
std::vector<IdType> id_list(std::string_view value) {
  std::vector<IdType> ids;
  for (const std::string& item : comma_list(value)) ids.push_back(*IdType::parse(item));
  return ids;
}
tams::TagFilter tag_filter(const Query& query, const std::string& prefix);
tams::UrlSelection url_selection(const Query& query);
tams::PageRequest page_request(const Call& call);
time::TimeRange timerange(const Query& query);
tams::Caller caller(const Call& call);
FlowId flow_id(const Call& call);
SourceId source_id(const Call& call);

//! Whether the field Accept names the content type itself, "text/csv".
bool accepts(const Request& request, std::string_view type);

//! Headers of a page: Link to the next one, X-Paging-*.
void add_paging(Response& response, const Call& call, const tams::Page& page);
//! A page of a listing as the answer.
Response paged(const Call& call, tams::Page page);

//! A deletion request as the answer, and where to follow it.
Response deletion_answer(const Call& call, int status, tams::DeletionRequest request);
//! Of a DELETE: 204, or 202 with what is still to delete.
Response deleted(const Call& call, std::optional<tams::DeletionRequest> request);
std::vector<Answer> deleted_answers(std::vector<Answer> failures);
//! Of a soft DELETE: 204, and where it is now.
Response in_trash(const Call& call, TrashId item);

// Answers that many operations have.
Answer bad_request();
Answer forbidden_answer();
Answer not_found_answer();
Answer condition_answer();
//! `own`, and the refusals of writes that take conditions: 403, 404, 412.
std::vector<Answer> conditional_answers(std::vector<Answer> own);
Answer reused_key_answer();

}  // namespace reel::api
