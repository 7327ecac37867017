#pragma once
//! Auth classes (BBC TAMS AppNote 0016): callers who may reach only what carries one of theirs.
//! The tag `auth_classes` of a source or flow names classes; a caller of class "news" may read and
//! change what has "news", and read what has "news_ro".

#include <string>
#include <string_view>

#include "json/value.h"
#include "tams/context.h"
#include "tams/listing.h"

namespace reel::tams {

enum class Access : std::uint8_t { none, read, write };

//! What the caller may do to something with these tags (a JSON object as text, may be empty).
//! Callers without classes may do everything.
Access access_to(const Caller& caller, std::string_view tags);

//! Code::not_found when there is no such flow, source or object.
Result<Access> flow_access(const Context& context, const Caller& caller, FlowId id);
Result<Access> source_access(const Context& context, const Caller& caller, SourceId id);
//! That of the flows that use the object, or for which it was allocated.
Result<Access> object_access(const Context& context, const Caller& caller, const std::string& id);

//! Lets pass only what the caller may see. Nothing changes for callers without classes.
TagFilter visible_to(const Caller& caller, TagFilter filter);

//! What a body of POST segments names: no object that only others' flows show (Code::not_found).
Status check_objects(const Context& context, const Caller& caller, const json::Value& segments);

//! For a write: classes may be given and taken by those who have them only (Code::forbidden), and
//! what a caller with classes makes (`before` nullptr) gets these, unless it says otherwise.
Status settle_classes(const Caller& caller, const json::Value* before, json::Value& after);

}  // namespace reel::tams
