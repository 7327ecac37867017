#include "api/multipart.h"

#include <gtest/gtest.h>

namespace reel::api {
namespace {

//! Writes down what it is told: "name|type|filename{data}".
class Listing final : public FormHandler {
 public:
  Status begin(const FormPart& part) override {
    text += fmt::format("{}|{}|{}{{", part.name, part.content_type, part.filename);
    return {};
  }
  Status data(ByteSpan bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Status end() override {
    text += "}";
    return {};
  }
  std::string text;
};

//! What a form says when it comes in pieces of that size; "!" and the message when it is refused.
std::string read(std::string_view form, std::size_t piece, std::string_view boundary = "b") {
  Listing listing;
  FormReader reader(boundary, listing);
  for (std::size_t i = 0; i < form.size(); i += piece) {
    if (Status status = reader.feed(form.substr(i, piece)); !status) {
      return "!" + status.error().message();
    }
  }
  if (Status status = reader.finish(); !status) return "!" + status.error().message();
  return listing.text;
}

constexpr std::string_view kTwoParts =
    "--b\r\n"
    "Content-Disposition: form-data; name=\"segment\"\r\n\r\n"
    "{}\r\n"
    "--b  \r\n"
    "content-disposition: FORM-DATA; name=file; filename=\"a \\\"b\\\".mp4\"\r\n"
    "Content-Type: video/mp4\r\n\r\n"
    "\r\n--\r\n--a\r\r\n-"
    "\r\n--b--\r\nwhatever";

TEST(FormReader, ReadsPartsHoweverTheyAreCut) {
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 7U, 11U, 1000U}) {
    EXPECT_EQ(read(kTwoParts, piece),
              "segment||{{}}file|video/mp4|a \"b\".mp4{\r\n--\r\n--a\r\r\n-}")
        << piece;
  }
}

TEST(FormReader, ReadsEmptyFormsAndParts) {
  for (const std::size_t piece : {1U, 1000U}) {
    EXPECT_EQ(read("--b--", piece), "");
    EXPECT_EQ(read("preamble\r\n--b--\r\n", piece), "");
    EXPECT_EQ(read("--b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n--b--", piece),
              "x||{}");
  }
}

TEST(FormReader, RefusesWhatIsNoForm) {
  for (const std::size_t piece : {1U, 1000U}) {
    for (const char* form :
         {"", "--b", "--b\r\n", "--c--", "x--b--", "--bx\r\n\r\n\r\n--b--", "--b\r\n\r\n\r\n--b--",
          "--b\r\nContent-Disposition: attachment; name=x\r\n\r\n\r\n--b--",
          "--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--", "--b\r\nno colon\r\n\r\n",
          "--b\r\nContent-Disposition: form-data; name=x\r\n\r\nbody"}) {
      EXPECT_TRUE(read(form, piece).starts_with("!")) << form;
    }
  }
}

TEST(FormReader, KeepsItsLimits) {
  const auto form = [](std::size_t head_bytes, std::size_t parts) {
    const std::string_view name = "\r\nContent-Disposition: form-data; name=x\r\nX: ";
    std::string text;
    for (std::size_t i = 0; i < parts; ++i) {
      text += fmt::format("--b{}{}\r\n\r\n\r\n", name, std::string(head_bytes - name.size(), 'y'));
    }
    return text + "--b--";
  };
  for (const std::size_t piece : {100U, 100'000U}) {
    EXPECT_FALSE(read(form(FormReader::kHeadBytesMax, 1), piece).starts_with("!"));
    EXPECT_TRUE(read(form(FormReader::kHeadBytesMax + 1, 1), piece).starts_with("!"));
    EXPECT_FALSE(read(form(100, FormReader::kPartsMax), piece).starts_with("!"));
    EXPECT_TRUE(read(form(100, FormReader::kPartsMax + 1), piece).starts_with("!"));
  }
  const std::string endless = "--b" + std::string(FormReader::kHeadBytesMax + 2, ' ');
  EXPECT_NE(read(endless, 1000).find("longer"), std::string::npos);
}

TEST(FormBoundary, ComesFromTheContentType) {
  EXPECT_EQ(*form_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(*form_boundary("multipart/form-data; charset=x; Boundary=\"a b;c\""), "a b;c");
  EXPECT_FALSE(form_boundary("multipart/form-data"));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary="));
  EXPECT_TRUE(form_boundary("multipart/form-data; boundary=" + std::string(70, 'b')));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary=" + std::string(71, 'b')));
  EXPECT_TRUE(is_form(" Multipart/Form-Data ; boundary=x"));
  EXPECT_FALSE(is_form("multipart/mixed; boundary=x"));
}

}  // namespace
}  // namespace reel::api
