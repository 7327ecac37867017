#include "sql/script.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <duckdb/parser/parser.hpp>

namespace reel::sql {
namespace {

using Tokens = duckdb::vector<duckdb::SimplifiedToken>;

//! Nullopt for what ends within a text, a quoted name or a comment: DuckDB stops there without a
//! word, and so does not see a semicolon that is put behind it.
std::optional<Tokens> tokenize(std::string_view text) {
  Tokens tokens = duckdb::Parser::Tokenize(std::string(text) + "\n;");
  if (tokens.empty() || tokens.back().start != text.size() + 1) return std::nullopt;
  tokens.pop_back();
  return tokens;
}

std::size_t count_lines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool is_semicolon(const duckdb::SimplifiedToken& token, std::string_view text) {
  return token.type == duckdb::SimplifiedTokenType::SIMPLIFIED_TOKEN_OPERATOR &&
         text[token.start] == ';';
}

}  // namespace

Script split_script(std::string_view text) {
  // What is open begins behind the last semicolon that ends a statement.
  std::string_view complete = text;
  auto tokens = tokenize(complete);
  while (!tokens) {
    const std::size_t semicolon = complete.substr(0, complete.size() - 1).rfind(';');
    complete = complete.substr(0, semicolon == std::string_view::npos ? 0 : semicolon + 1);
    tokens = tokenize(complete);
  }
  Script script;
  std::size_t begin = 0;
  std::size_t counted = 0;  // so far lines were counted
  bool begun = false;
  for (const auto& token : *tokens) {
    if (!is_semicolon(token, text)) {
      if (!std::exchange(begun, true)) {
        script.rest_line += count_lines(text.substr(counted, token.start - counted));
        counted = token.start;
      }
      continue;
    }
    if (begun) {
      script.statements.emplace_back(text.substr(begin, token.start - begin));
      script.lines.push_back(script.rest_line);
    }
    begin = token.start + 1;
    begun = false;
  }
  if (!begun) {
    const std::size_t first = std::min(text.find_first_not_of(" \t\r\n", begin), text.size());
    script.rest_line += count_lines(text.substr(counted, first - counted));
  }
  if (begun || complete.size() < text.size()) script.rest = text.substr(begin);
  return script;
}

}  // namespace reel::sql
