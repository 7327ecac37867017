#pragma once
//! One line of input at a time, edited on the terminal (libedit, only here).

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal_signals.h"

namespace reel::cli {

//! What can stand at the end of a line.
struct Completions {
  std::size_t start = 0;                //!< of what they replace, in bytes of the line
  std::vector<std::string> words = {};  //!< the most likely ones first
};

//! Asked with the line up to the cursor.
using Completer = std::function<Completions(std::string_view before)>;

//! What Tab does with completions of what was typed: the text to put in its place, and whether the
//! words are to be listed because it leads no further.
struct TabAnswer {
  std::string text;
  bool list = false;
};
TabAnswer answer_tab(std::string_view typed, const std::vector<std::string>& words);

//! Words in columns, down and then across, as wide as a terminal of `width`.
std::string words_in_columns(const std::vector<std::string>& words, std::size_t width);

struct Input {
  enum class Kind : std::uint8_t { line, interrupted, end };
  Kind kind = Kind::end;
  std::string line = {};
};

//! On standard input and output, which are a terminal. One per process. Key bindings are those of
//! ~/.editrc, else as in Emacs.
class LineEditor {
 public:
  LineEditor(const TerminalSignals& signals, Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  //! The next line, without its end. Ctrl-C interrupts it, Ctrl-D on an empty one is the end.
  Input read(const std::string& prompt);

  //! For the arrow keys and Ctrl-R. May have several lines.
  void remember(const std::string& entry);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace reel::cli
