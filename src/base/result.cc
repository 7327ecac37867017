#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace reel {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::invalid: return "invalid";
    case Code::not_found: return "not_found";
    case Code::conflict: return "conflict";
    case Code::precondition_failed: return "precondition_failed";
    case Code::key_reused: return "key_reused";
    case Code::too_large: return "too_large";
    case Code::unsupported: return "unsupported";
    case Code::corrupt: return "corrupt";
    case Code::io: return "io";
    case Code::timeout: return "timeout";
    case Code::cancelled: return "cancelled";
    case Code::shutting_down: return "shutting_down";
    case Code::unauthorized: return "unauthorized";
    case Code::forbidden: return "forbidden";
    case Code::overloaded: return "overloaded";
    case Code::read_only: return "read_only";
    case Code::unknown_outcome: return "unknown_outcome";
    case Code::internal: return "internal";
  }
  return "internal";
}

Error::Error(Code code, std::string message, std::source_location where)
    : detail_(std::make_unique<Detail>(Detail{code, std::move(message), {}, where})) {}

std::string Error::origin() const {
  std::string_view file = detail_->where.file_name();
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos) {
    file.remove_prefix(slash + 1);
  }
  return fmt::format("{}:{}", file, detail_->where.line());
}

Error&& Error::at(std::string pointer) && {
  detail_->pointer = std::move(pointer);
  return std::move(*this);
}

Error&& Error::while_doing(std::string_view what) && {
  detail_->message = fmt::format("{}: {}", what, detail_->message);
  return std::move(*this);
}

Error Error::clone() const {
  Error copy(detail_->code, detail_->message, detail_->where);
  copy.detail_->pointer = detail_->pointer;
  return copy;
}

void check_failed(const char* expression, const char* file, int line) {
  std::fputs(fmt::format("{}:{}: check failed: {}\n", file, line, expression).c_str(), stderr);
  std::abort();
}

}  // namespace reel
