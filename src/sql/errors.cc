#include <charconv>

#include <duckdb/common/exception.hpp>
#include <duckdb/common/string_util.hpp>

#include "base/nearest_name.h"
#include "sql/errors_internal.h"

namespace reel::sql {
namespace {

constexpr char kCodeKey[] = "reelhouse_code";

//! Not INTERNAL, FATAL or IO: DuckDB would take its whole instance for broken.
duckdb::ExceptionType type_of(Code code) {
  switch (code) {
    case Code::not_found: return duckdb::ExceptionType::CATALOG;
    case Code::conflict: return duckdb::ExceptionType::CONSTRAINT;
    case Code::unsupported: return duckdb::ExceptionType::NOT_IMPLEMENTED;
    case Code::forbidden: return duckdb::ExceptionType::PERMISSION;
    default: return duckdb::ExceptionType::INVALID_INPUT;
  }
}

Code code_of(duckdb::ExceptionType type) {
  using Type = duckdb::ExceptionType;
  switch (type) {
    case Type::TRANSACTION: return Code::conflict;
    case Type::NOT_IMPLEMENTED:
    case Type::MISSING_EXTENSION:
    case Type::AUTOLOAD: return Code::unsupported;
    case Type::PERMISSION: return Code::forbidden;
    case Type::OUT_OF_MEMORY:
    case Type::OBJECT_SIZE: return Code::too_large;
    case Type::INTERRUPT: return Code::cancelled;
    case Type::IO:
    case Type::NETWORK:
    case Type::HTTP: return Code::io;
    case Type::FATAL:
    case Type::INTERNAL:
    case Type::NULL_POINTER: return Code::internal;
    default: return Code::invalid;
  }
}

duckdb::unordered_map<std::string, std::string> extra_info(Code code) {
  return {{kCodeKey, std::to_string(static_cast<int>(code))}};
}

}  // namespace

void raise(const Error& error) {
  throw duckdb::Exception(extra_info(error.code()), type_of(error.code()), error.message());
}

duckdb::ErrorData to_error_data(const Error& error) {
  return duckdb::ErrorData(
      duckdb::Exception(extra_info(error.code()), type_of(error.code()), error.message()));
}

Error to_error(const duckdb::ErrorData& data) {
  const auto found = data.ExtraInfo().find(kCodeKey);
  if (found == data.ExtraInfo().end()) return {code_of(data.Type()), data.Message()};
  int code = 0;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), code);
  return {static_cast<Code>(code), data.RawMessage()};
}

Error with_nearest_schema(Error error, const store::Catalog& catalog) {
  constexpr std::string_view kBefore = "because schema \"";
  constexpr std::string_view kBehind = "\" does not exist";
  const std::string& message = error.message();
  const std::size_t before = message.find(kBefore);
  if (before == std::string::npos) return error;
  const std::size_t begin = before + kBefore.size();
  const std::size_t end = message.find(kBehind, begin);
  if (end == std::string::npos) return error;
  const std::string name = duckdb::StringUtil::Lower(message.substr(begin, end - begin));
  const std::string hint =
      nearest_hint(name, {catalog.namespaces.begin(), catalog.namespaces.end()});
  std::string hinted = message;
  hinted.insert(end + kBehind.size(), hint);
  return {error.code(), std::move(hinted)};
}

}  // namespace reel::sql
