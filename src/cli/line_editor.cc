#include "cli/line_editor.h"

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cwchar>

#include <histedit.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/table.h"

namespace reel::cli {
namespace {

constexpr int kHistorySize = 10'000;
//! More words than that are not worth reading.
constexpr std::size_t kListedMax = 100;

bool same_letter(char a, char b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return lower(a) == lower(b);
}

//! How many bytes all words have in common, whatever their case; whole code points only.
std::size_t common_bytes(const std::vector<std::string_view>& words) {
  const std::string_view first = words.front();
  std::size_t common = first.size();
  for (const std::string_view word : words) {
    const auto [end, other] =
        std::mismatch(first.begin(), first.end(), word.begin(), word.end(), same_letter);
    common = std::min(common, static_cast<std::size_t>(end - first.begin()));
  }
  while (common < first.size() && (static_cast<unsigned char>(first[common]) & 0xc0) == 0x80) {
    --common;
  }
  return common;
}

std::size_t terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

int code_points(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void list_words(std::vector<std::string> words) {
  const std::size_t left_out = words.size() - std::min(words.size(), kListedMax);
  words.resize(words.size() - left_out);
  fmt::print("\n{}", words_in_columns(words, terminal_width()));
  if (left_out > 0) fmt::print("… and {} more\n", left_out);
  std::fflush(stdout);
}

}  // namespace

TabAnswer answer_tab(std::string_view typed, const std::vector<std::string>& words) {
  if (words.empty()) return {.text = std::string(typed)};
  if (words.size() == 1) {
    const bool goes_on = words.front().ends_with('.') || words.front().ends_with('(');
    return {.text = words.front() + (goes_on ? "" : " ")};
  }
  std::vector<std::string_view> bare;  // the quotes of a name are typed, or are not
  for (const std::string_view word : words) {
    bare.push_back(word.starts_with('"') && !typed.starts_with('"') ? word.substr(1) : word);
  }
  const std::size_t common = common_bytes(bare);
  if (common > typed.size()) return {.text = std::string(bare.front().substr(0, common))};
  return {.text = std::string(typed), .list = true};
}

std::string words_in_columns(const std::vector<std::string>& words, std::size_t width) {
  std::size_t widest = 0;
  for (const std::string& word : words) widest = std::max(widest, display_width(word));
  const std::size_t columns = std::max<std::size_t>(1, (width + 2) / (widest + 2));
  const std::size_t rows = (words.size() + columns - 1) / columns;
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row; i < words.size(); i += rows) {
      text += words[i];
      if (i + rows < words.size()) text.append(widest + 2 - display_width(words[i]), ' ');
    }
    text += '\n';
  }
  return text;
}

struct LineEditor::State {
  State(const TerminalSignals& waited, Completer asked)
      : signals(waited), completer(std::move(asked)) {}

  static State& of(EditLine* editor) {
    State* state = nullptr;
    el_get(editor, EL_CLIENTDATA, &state);
    return *state;
  }
  static char* show_prompt(EditLine* editor) { return of(editor).prompt.data(); }
  static int read_character(EditLine* editor, wchar_t* out);
  static unsigned char complete(EditLine* editor, int key);

  void suspend() const;

  const TerminalSignals& signals;
  const Completer completer;
  std::unique_ptr<EditLine, decltype(&el_end)> editor{nullptr, el_end};
  std::unique_ptr<History, decltype(&history_end)> history{history_init(), history_end};
  std::string prompt;
  bool interrupted = false;
};

//! Gives the terminal back as it was, and takes it again when the process goes on.
void LineEditor::State::suspend() const {
  el_set(editor.get(), EL_PREP_TERM, 0);
  std::raise(SIGSTOP);
  el_set(editor.get(), EL_PREP_TERM, 1);
  el_set(editor.get(), EL_REFRESH);
}

//! As libedit wants it: 1 with a character, 0 at the end, -1 to give the line up.
int LineEditor::State::read_character(EditLine* editor, wchar_t* out) {
  State& state = of(editor);
  std::mbstate_t partial{};
  while (true) {
    switch (state.signals.wait(STDIN_FILENO)) {
      case TerminalEvent::interrupt: state.interrupted = true; return -1;
      case TerminalEvent::suspend: state.suspend(); continue;
      case TerminalEvent::resize: el_resize(editor); continue;
      default: break;
    }
    char byte = 0;
    const auto count = ::read(STDIN_FILENO, &byte, 1);
    if (count != 1) return static_cast<int>(count);
    const std::size_t length = std::mbrtowc(out, &byte, 1, &partial);
    if (length <= 1) return 1;
    if (length == static_cast<std::size_t>(-1)) partial = {};  // not UTF-8: left out
  }
}

unsigned char LineEditor::State::complete(EditLine* editor, int) {
  const LineInfo* line = el_line(editor);
  const std::string before(line->buffer, line->cursor);
  if (before.find_first_not_of(" \t") == std::string::npos) {  // indents, also in what is pasted
    el_insertstr(editor, "  ");
    return CC_REFRESH;
  }
  const Completions found = of(editor).completer(before);
  const std::string typed = before.substr(std::min(found.start, before.size()));
  const TabAnswer answer = answer_tab(typed, found.words);
  if (answer.list) {
    list_words(found.words);
    return CC_REDISPLAY;
  }
  if (answer.text == typed) return CC_REFRESH_BEEP;
  el_deletestr(editor, code_points(typed));
  el_insertstr(editor, answer.text.c_str());
  return CC_REFRESH;
}

LineEditor::LineEditor(const TerminalSignals& signals, Completer completer)
    : state_(std::make_unique<State>(signals, std::move(completer))) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // what we print is UTF-8 whatever the environment says
  EditLine* editor = el_init("reelhouse", stdin, stdout, stderr);
  REEL_CHECK(editor != nullptr);
  state_->editor.reset(editor);
  el_set(editor, EL_CLIENTDATA, state_.get());
  el_set(editor, EL_PROMPT, State::show_prompt);
  el_set(editor, EL_GETCFN, State::read_character);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_ADDFN, "reelhouse-complete", "Complete SQL", State::complete);
  el_set(editor, EL_BIND, "^I", "reelhouse-complete", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  HistEvent event{};
  history(state_->history.get(), &event, H_SETSIZE, kHistorySize);
  history(state_->history.get(), &event, H_SETUNIQUE, 1);
  el_set(editor, EL_HIST, history, state_->history.get());
  el_source(editor, nullptr);
}

LineEditor::~LineEditor() = default;

Input LineEditor::read(const std::string& prompt) {
  State& state = *state_;
  state.prompt = prompt;
  state.interrupted = false;
  el_set(state.editor.get(), EL_PREP_TERM, 1);  // before the prompt: what follows it is not echoed
  int count = 0;
  const char* text = el_gets(state.editor.get(), &count);
  if (state.interrupted) {
    el_reset(state.editor.get());
    return {.kind = Input::Kind::interrupted};
  }
  if (text == nullptr || count <= 0) return {.kind = Input::Kind::end};
  std::string line(text, static_cast<std::size_t>(count));
  if (line.ends_with('\n')) line.pop_back();
  return {.kind = Input::Kind::line, .line = std::move(line)};
}

void LineEditor::remember(const std::string& entry) {
  HistEvent event{};
  history(state_->history.get(), &event, H_ENTER, entry.c_str());
}

}  // namespace reel::cli
