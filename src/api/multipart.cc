#include "api/multipart.h"

#include <algorithm>

namespace reel::api {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

//! Takes `name=value` or `name="va\"lue"` with a leading semicolon off the front; false at the end
//! or at what is no parameter.
bool take_parameter(std::string_view& rest, std::string& name, std::string& value) {
  rest = trim(rest);
  if (!rest.starts_with(';')) return false;
  rest.remove_prefix(1);
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos) return false;
  name = lower(trim(rest.substr(0, equals)));
  rest = trim(rest.substr(equals + 1));
  value.clear();
  if (!rest.starts_with('"')) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    value = trim(rest.substr(0, end));
    rest.remove_prefix(end);
    return true;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return true;
    }
    const bool escaped = rest[i] == '\\' && i + 1 < rest.size();
    value.push_back(escaped ? rest[++i] : rest[i]);
  }
  return false;
}

//! The parameter of a header's value, empty when it has none of that name.
std::string parameter_of(std::string_view header, std::string_view wanted) {
  std::string_view rest = header.substr(std::min(header.find(';'), header.size()));
  std::string name;
  std::string value;
  while (take_parameter(rest, name, value)) {
    if (name == wanted) return value;
  }
  return {};
}

Result<FormPart> read_head(std::string_view text) {
  FormPart part;
  bool is_form_data = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(kLineEnd), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + kLineEnd.size(), text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      return invalid(
          "a part of the form has a head line "
          "without a colon");
    const std::string name = lower(trim(line.substr(0, colon)));
    const std::string_view value = trim(line.substr(colon + 1));
    if (name == "content-disposition") {
      is_form_data = lower(trim(value.substr(0, value.find(';')))) == "form-data";
      part.name = parameter_of(value, "name");
      part.filename = parameter_of(value, "filename");
    } else if (name == "content-type") {
      part.content_type = value;
    }
  }
  if (!is_form_data || part.name.empty()) {
    return invalid("a part of the form has no 'Content-Disposition: form-data' with a name");
  }
  return part;
}

}  // namespace

bool is_form(std::string_view content_type) {
  return lower(trim(content_type.substr(0, content_type.find(';')))) == "multipart/form-data";
}

Result<std::string> form_boundary(std::string_view content_type) {
  constexpr std::size_t kBoundaryBytesMax = 70;
  std::string boundary = parameter_of(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kBoundaryBytesMax) {
    return at("Content-Type", invalid("multipart/form-data needs a boundary of 1 to {} characters",
                                      kBoundaryBytesMax));
  }
  return boundary;
}

FormReader::FormReader(std::string_view boundary, FormHandler& handler)
    : delimiter_(fmt::format("\r\n--{}", boundary)), handler_(handler) {}

Status FormReader::feed(std::string_view bytes) {
  if (state_ == State::epilogue) return {};
  held_ += bytes;
  bool more = true;
  while (more) {
    REEL_ASSIGN(more, step());
  }
  return {};
}

Status FormReader::finish() const {
  if (state_ == State::epilogue) return {};
  return invalid("the form ends before its last boundary");
}

Result<bool> FormReader::step() {
  switch (state_) {
    case State::preamble: return to_boundary(false);
    case State::after_boundary: return after_boundary();
    case State::head: return head();
    case State::body: return to_boundary(true);
    case State::epilogue: held_.clear(); return false;
  }
  return false;
}

Result<bool> FormReader::to_boundary(bool in_part) {
  const std::size_t found = held_.find(delimiter_);
  const bool at_boundary = found != std::string::npos;
  // What might be the beginning of the boundary is held back.
  const std::size_t kept = delimiter_.size() - 1;
  const std::size_t ready = at_boundary ? found : held_.size() - std::min(kept, held_.size());
  if (in_part && ready > 0) {
    REEL_TRY(handler_.data(as_bytes(std::string_view(held_).substr(0, ready))));
  }
  held_.erase(0, at_boundary ? found + delimiter_.size() : ready);
  if (!at_boundary) return false;
  if (in_part) REEL_TRY(handler_.end());
  state_ = State::after_boundary;
  return true;
}

Result<bool> FormReader::after_boundary() {
  if (held_.starts_with("--")) {
    state_ = State::epilogue;
    return true;
  }
  const std::size_t end = held_.find(kLineEnd);
  const std::string_view padding = std::string_view(held_).substr(0, end);
  const bool cut = end == std::string::npos;
  // "-" and "\r" may be the first half of what is to come.
  if (cut && (padding == "-" || padding.ends_with('\r'))) return false;
  if (padding.find_first_not_of(" \t") != std::string_view::npos) {
    return invalid("a boundary of the form is followed by other text");
  }
  if (cut && held_.size() < kHeadBytesMax + kLineEnd.size()) return false;
  if (cut || end > kHeadBytesMax) {
    return too_large("a line of the form is longer than {} bytes", kHeadBytesMax);
  }
  if (++parts_ > kPartsMax) return too_large("the form has more than {} parts", kPartsMax);
  held_.erase(0, end);  // the line end stays: a part without a head has only the empty line
  state_ = State::head;
  return true;
}

Result<bool> FormReader::head() {
  constexpr std::string_view kEmptyLine = "\r\n\r\n";
  const std::size_t end = held_.find(kEmptyLine);
  const bool cut = end == std::string::npos;
  if (cut && held_.size() < kHeadBytesMax + kEmptyLine.size()) return false;
  if (cut || end > kHeadBytesMax) {
    return too_large("the head of a part of the form is longer than {} bytes", kHeadBytesMax);
  }
  const std::size_t begin = std::min(end, kLineEnd.size());
  REEL_ASSIGN(const FormPart part, read_head(std::string_view(held_).substr(begin, end - begin)));
  REEL_TRY(handler_.begin(part));
  held_.erase(0, end + kEmptyLine.size());
  state_ = State::body;
  return true;
}

}  // namespace reel::api
