#include <duckdb/common/string_util.hpp>
#include <duckdb/parser/parser.hpp>

#include "sql/dialect_internal.h"
#include "sql/script.h"

namespace reel::sql {
namespace {

struct Word {
  std::string text;
  bool gap = false;  //!< there is space behind it
};
using Words = std::vector<Word>;

//! The text without comments.
std::string without_comments(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    std::size_t end = i + 1;
    if (c == '\'' || c == '"') {
      end = std::min(text.find(c, i + 1), text.size() - 1) + 1;
      out += text.substr(i, end - i);
    } else if (text.substr(i, 2) == "--") {
      end = std::min(text.find('\n', i), text.size());
    } else if (text.substr(i, 2) == "/*") {
      end = std::min(text.find("*/", i), text.size() - 2) + 2;
    } else {
      out += c;
    }
    i = end;
  }
  return out;
}

Words words_of(const std::string& text) {
  Words words;
  const auto tokens = duckdb::Parser::Tokenize(text);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::size_t end = i + 1 < tokens.size() ? tokens[i + 1].start : text.size();
    std::string word = text.substr(tokens[i].start, end - tokens[i].start);
    const std::size_t length = word.size();
    duckdb::StringUtil::RTrim(word);
    const bool gap = word.size() < length;
    words.push_back({std::move(word), gap});
  }
  return words;
}

bool is(const Words& words, std::size_t i, std::string_view keyword) {
  return i < words.size() && duckdb::StringUtil::CIEquals(words[i].text, std::string(keyword));
}

//! ARRAY<T> as T[], and the names of types.
Words with_our_types(const Words& words) {
  Words out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    Word word = words[i];
    if (is(words, i, "ARRAY") && is(words, i + 1, "<") && is(words, i + 3, ">")) {
      const Words element = with_our_types({words[i + 2]});
      word = {element.front().text + "[]", words[i + 3].gap};
      i += 3;
    } else if (is(words, i, "FLOAT32") || is(words, i, "FLOAT64")) {
      word.text = is(words, i, "FLOAT32") ? "FLOAT" : "DOUBLE";
    }
    out.push_back(std::move(word));
  }
  return out;
}

//! Of CREATE TABLE (…), the entries that mean something here.
Words with_our_entries(const Words& words) {
  Words out;
  Words entry;
  int depth = 0;
  bool first = true;
  const auto end_entry = [&] {
    const bool kept = !entry.empty() && !is(entry, 0, "INDEX") && !is(entry, 0, "UNIQUE") &&
                      !is(entry, 0, "FOREIGN");
    if (kept) {
      if (!first) out.push_back({",", true});
      entry.back().gap = false;
      out.insert(out.end(), entry.begin(), entry.end());
      first = false;
    }
    entry.clear();
  };
  for (const Word& word : words) {
    if (word.text == ")" && --depth == 0) end_entry();
    if (depth == 1 && word.text == ",") {
      end_entry();
    } else {
      (depth > 0 ? entry : out).push_back(word);
    }
    if (word.text == "(") ++depth;
  }
  return out;
}

std::string text_of(const Words& words) {
  std::string text;
  for (const Word& word : words) {
    text.append(word.text).append(word.gap && word.text != "(" ? " " : "");
  }
  duckdb::StringUtil::RTrim(text);
  return text;
}

//! What to say of one statement; empty: nothing.
std::string advice(const std::string& statement) {
  const Words words = words_of(without_comments(statement));
  if (is(words, 0, "PARTITION") || is(words, 0, "CLUSTER")) {
    return "Rows are kept by the primary key of their table: leave the statement out";
  }
  if (!is(words, 0, "CREATE")) return {};
  Words ours = words;
  if (is(words, 1, "MATERIALIZED") && is(words, 2, "VIEW")) {
    ours.erase(ours.begin() + 1);
    ours[1].text = "TABLE";
  } else if (is(words, 1, "TABLE")) {
    ours = with_our_entries(with_our_types(words));
  }
  const std::string text = text_of(ours);
  return text == text_of(words) ? std::string() : "Write instead: " + text;
}

}  // namespace

Error with_our_words(Error error, const duckdb::ErrorData& data, std::string_view sql) {
  const bool unparsed =
      data.Type() == duckdb::ExceptionType::PARSER || data.Type() == duckdb::ExceptionType::SYNTAX;
  if (!unparsed) return error;
  const Script script = split_script(sql);
  std::string message = error.message();
  const auto add = [&](const std::string& statement) {
    const std::string said = advice(statement);
    if (!said.empty()) message += "\n\n" + said;
  };
  for (const std::string& statement : script.statements) add(statement);
  add(script.rest);
  return {error.code(), std::move(message)};
}

}  // namespace reel::sql
