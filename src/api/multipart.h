#pragma once
//! multipart/form-data (RFC 7578), read piece by piece.

#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"

namespace reel::api {

//! The head of one part.
struct FormPart {
  std::string name;
  std::string filename;      //!< as the client wrote it; empty when there is none
  std::string content_type;  //!< empty when there is none
};

//! Receives the parts of a form, one after the other. An error ends the reading.
class FormHandler {
 public:
  virtual ~FormHandler() = default;
  virtual Status begin(const FormPart& part) = 0;
  virtual Status data(ByteSpan bytes) = 0;
  virtual Status end() = 0;
};

//! The boundary of a Content-Type, nullopt when it is no multipart/form-data. Code::invalid when
//! the boundary is missing or not of 1 to 70 characters.
Result<std::string> form_boundary(std::string_view content_type);
bool is_form(std::string_view content_type);

//! Reads a form of any size in bounded memory: what is held back is never more than a piece and a
//! part's head. Lines may be cut anywhere between two calls.
class FormReader {
 public:
  static constexpr std::size_t kHeadBytesMax = 8 << 10;
  static constexpr std::size_t kPartsMax = 16;

  //! REQUIRES: the handler outlives the reader.
  FormReader(std::string_view boundary, FormHandler& handler);

  Status feed(std::string_view bytes);
  //! Code::invalid when the form is not complete.
  Status finish() const;

 private:
  enum class State : char { preamble, after_boundary, head, body, epilogue };

  //! One step on what is held; false when it needs more bytes.
  Result<bool> step();
  Result<bool> to_boundary(bool in_part);
  Result<bool> after_boundary();
  Result<bool> head();

  const std::string delimiter_;  //!< CRLF, two hyphens, boundary
  FormHandler& handler_;
  std::string held_ = "\r\n";  // the first boundary may begin the form: as if a line ended before
  std::size_t parts_ = 0;
  State state_ = State::preamble;
};

}  // namespace reel::api
