#pragma once
//! Finding sources and flows by words: whole words, beginnings of words, and words with a mistake.

#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "tams/context.h"
#include "tams/listing.h"

namespace reel::tams {

//! The words of a text, in small letters (Latin, Greek, Cyrillic); everything that is neither a
//! letter nor a digit of ASCII separates, everything beyond ASCII belongs to words.
std::vector<std::string> words_of(std::string_view text);

//! What the search index keeps of a document: its distinct words, from label, description, tags
//! (names and values) and codec, each with two spaces before it and the last one with one
//! after it, so that three neighbouring characters also tell where a word begins or ends.
std::string search_text(const json::Value& document);

//! How well a word that was asked for fits one that is there: 1 for the same, at least 0.75 for its
//! beginning, and up to 0.7 by the share of three-character pieces; 0 below a third of them.
double word_similarity(std::string_view asked, std::string_view there);

//! One source or flow.
struct SearchHit {
  double score = 0;  //!< 0 to 1
  bool is_flow = false;
  Uuid id;
  std::string document;  //!< as GET shows it
};

struct SearchQuery {
  std::string text;
  bool sources = true;
  bool flows = true;
  TagFilter tags = {};
  std::size_t limit = 20;
};

//! The best fitting ones first; equals by id. Nothing for a text without words.
Result<std::vector<SearchHit>> search(const Context& context, const SearchQuery& query);

}  // namespace reel::tams
