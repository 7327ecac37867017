// links: api
//! A form says the same however it is cut into pieces.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/multipart.h"

namespace {

class Listing final : public reel::api::FormHandler {
 public:
  reel::Status begin(const reel::api::FormPart& part) override {
    text += part.name + '\0' + part.content_type + '\0' + part.filename + '\1';
    return {};
  }
  reel::Status data(reel::ByteSpan bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  reel::Status end() override {
    text += '\2';
    return {};
  }
  std::string text;
};

//! nullopt: refused.
std::optional<std::string> read(std::string_view form, std::size_t piece) {
  Listing listing;
  reel::api::FormReader reader("b", listing);
  for (std::size_t i = 0; i < form.size(); i += piece) {
    if (!reader.feed(form.substr(i, piece))) return std::nullopt;
  }
  if (!reader.finish()) return std::nullopt;
  return listing.text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view form(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)reel::api::form_boundary(form);
  REEL_CHECK(read(form, form.size() + 1) == read(form, std::size_t{data[0]} + 1));
  return 0;
}
