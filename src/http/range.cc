#include "http/range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/result.h"
#include "http/field_internal.h"

namespace reel::http {
namespace {

//! Digits only; what does not fit is as good as the largest number.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (kMost - digit) / 10 ? kMost : value * 10 + digit;
  }
  return value;
}

}  // namespace

RangeRequest read_range(std::string_view field, std::uint64_t total) {
  constexpr std::string_view kUnit = "bytes=";
  if (field.size() < kUnit.size() || !same_text(field.substr(0, kUnit.size()), kUnit)) return {};
  const std::string_view spec = trim(field.substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return {};
  const std::string_view from = spec.substr(0, dash);
  const std::string_view to = spec.substr(dash + 1);
  const RangeRequest unsatisfiable{RangeRequest::Kind::unsatisfiable, 0, 0};
  if (from.empty()) {
    const auto suffix = number(to);
    if (!suffix) return {};
    const std::uint64_t count = std::min(*suffix, total);
    if (count == 0) return unsatisfiable;
    return {RangeRequest::Kind::part, total - count, count};
  }
  const auto first = number(from);
  const auto last = to.empty() ? std::numeric_limits<std::uint64_t>::max() : number(to);
  if (!first || !last || *last < *first) return {};
  if (*first >= total) return unsatisfiable;
  return {RangeRequest::Kind::part, *first, std::min(*last, total - 1) - *first + 1};
}

bool if_range_holds(std::string_view field, const api::Headers& answer) {
  field = trim(field);
  const bool is_tag = !field.empty() && (field.front() == '"' || field.starts_with("W/"));
  const std::string* validator = answer.find(is_tag ? "ETag" : "Last-Modified");
  // A weak tag on either side never matches strongly; an equal weak one begins with W as well.
  return validator != nullptr && *validator == field && !field.starts_with("W/");
}

void apply_range(const api::Headers& request, api::Response& answer) {
  auto* file = std::get_if<api::FileBody>(&answer.body);
  if (file == nullptr || answer.status != 200) return;
  answer.headers.set("Accept-Ranges", "bytes");
  const std::string* range = request.find("Range");
  if (range == nullptr) return;
  const std::string* condition = request.find("If-Range");
  if (condition != nullptr && !if_range_holds(*condition, answer.headers)) return;
  const std::uint64_t total = file->length;
  const RangeRequest wanted = read_range(*range, total);
  if (wanted.kind == RangeRequest::Kind::part) {
    answer.status = 206;
    answer.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", wanted.first,
                                                    wanted.first + wanted.count - 1, total));
    file->offset += wanted.first;
    file->length = wanted.count;
  } else if (wanted.kind == RangeRequest::Kind::unsatisfiable) {
    answer.status = 416;
    answer.headers.set("Content-Range", fmt::format("bytes */{}", total));
    answer.headers.remove("Content-Type");
    answer.body = std::string();
  }
}

}  // namespace reel::http
