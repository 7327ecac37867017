#include "tams/search.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "tams/flows.h"
#include "tams/sources.h"
#include "tams/tables.h"

namespace reel::tams {
namespace {

constexpr std::size_t kWordsMax = 16;            //!< of a query; more tell nothing more
constexpr std::size_t kWordBytesMax = 64;        //!< of a word of a query; its beginning decides
constexpr std::size_t kIndexedBytesMax = 16384;  //!< of a document's words
constexpr std::size_t kCandidatesMax = 500;      //!< rows that are looked at closely
constexpr double kScoreMin = 0.2;

//! One character of UTF-8 at `at`; `length` is set to its bytes. A malformed byte is one character.
char32_t character_at(std::string_view text, std::size_t at, std::size_t& length) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (at + length > text.size() || (first >= 0x80 && first < 0xC0)) length = 1;
  if (length == 1) return first;
  char32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code = (code << 6U) | (byte(at + i) & 0x3FU);
  return code;
}

//! Small letters of the alphabets with two bytes in UTF-8.
char32_t small(char32_t c) {
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;  // Latin-1
  if (c >= 0x100 && c <= 0x137) return c | 1U;               // Latin Extended-A
  if (c >= 0x139 && c <= 0x148) return c % 2 == 1 ? c + 1 : c;
  if (c >= 0x14A && c <= 0x177) return c | 1U;
  if (c >= 0x179 && c <= 0x17E) return c % 2 == 1 ? c + 1 : c;
  if (c >= 0x391 && c <= 0x3A9) return c + 0x20;  // Greek
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;  // Cyrillic
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  return c;
}

//! Characters of a text as views.
std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    (void)character_at(text, at, length);
    characters.push_back(text.substr(at, length));
    at += length;
  }
  return characters;
}

//! How much of a text fits into so many bytes without cutting a character.
std::size_t whole_characters(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text.size();
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end;
}

//! Every three neighbouring characters, once.
std::set<std::string> pieces_of(std::string_view text) {
  const auto characters = characters_of(text);
  std::set<std::string> pieces;
  for (std::size_t i = 0; i + 3 <= characters.size(); ++i) {
    std::string piece;
    for (std::size_t k = i; k < i + 3; ++k) piece += characters[k];
    pieces.insert(std::move(piece));
  }
  return pieces;
}

//! Distinct words in the order in which they came, as many as fit.
class Words {
 public:
  void add(std::string_view text) {
    for (std::string& word : words_of(text)) {
      if (bytes_ + word.size() > kIndexedBytesMax) return;
      if (!seen_.insert(word).second) continue;
      bytes_ += word.size();
      list_.push_back(std::move(word));
    }
  }
  void add(const json::Value& value) {
    if (const std::string* text = value.as_string()) add(std::string_view(*text));
    if (const json::Array* items = value.as_array()) {
      for (const json::Value& item : *items) add(item);
    }
    if (const json::Object* members = value.as_object()) {
      for (const json::Member& member : *members) {
        add(std::string_view(member.name));
        add(member.value);
      }
    }
  }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
  std::unordered_set<std::string> seen_;
  std::size_t bytes_ = 0;
};

//! The words that an index keeps.
std::vector<std::string_view> indexed_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

//! The mean of how well each word fits. A word in the label counts a little more, so that what is
//! called "news" comes before what has a tag of that name.
double score_of(const std::vector<std::string>& asked, std::string_view indexed,
                std::string_view label) {
  const auto there = indexed_words(indexed);
  const auto in_label = words_of(label);
  double sum = 0;
  for (const std::string& word : asked) {
    double best = 0;
    for (const std::string_view other : there) best = std::max(best, word_similarity(word, other));
    best *= 0.95;
    for (const std::string& other : in_label) {
      best = std::max(best, word_similarity(word, other));
    }
    sum += best;
  }
  return sum / static_cast<double>(asked.size());
}

//! Fitting rows of one table.
Status collect(store::Snapshot& snapshot, std::string_view table,
               const std::vector<std::string>& words, const TagFilter& tags,
               std::vector<SearchHit>& hits) {
  std::set<std::string> pieces;
  for (const std::string& word : words) pieces.merge(pieces_of("  " + word));
  store::SearchSpec spec;
  spec.table = table;
  spec.index = "by_text";
  spec.pieces.assign(pieces.begin(), pieces.end());
  spec.limit = kCandidatesMax;
  spec.columns = {"id", "label", "search_text", "tags"};
  REEL_ASSIGN(const auto schema, snapshot.catalog().table(table));
  return snapshot.search(spec, [&](const store::RowView& row) {
    const Record record(schema, row.cells);
    if (!tags.matches(record.text("tags"))) return true;
    const double score = score_of(words, record.text("search_text"), record.text("label"));
    if (score < kScoreMin) return true;
    hits.push_back({.score = score,
                    .is_flow = table == table::kFlows,
                    .id = record.uuid("id"),
                    .document = {}});
    return true;
  });
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    const char32_t code = character_at(text, at, length);
    if (length == 2) {
      const char32_t letter = small(code);
      word.push_back(static_cast<char>(0xC0U | (letter >> 6U)));
      word.push_back(static_cast<char>(0x80U | (letter & 0x3FU)));
    } else if (length > 2) {
      word += text.substr(at, length);
    } else if (code >= 'A' && code <= 'Z') {
      word.push_back(static_cast<char>(code - 'A' + 'a'));
    } else if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9')) {
      word.push_back(static_cast<char>(code));
    } else {
      end_word();
    }
    at += length;
  }
  end_word();
  return words;
}

std::string search_text(const json::Value& document) {
  Words words;
  for (const char* member : {"label", "description", "tags", "codec"}) {
    if (const json::Value* value = document.find(member)) words.add(*value);
  }
  std::string text;
  for (const std::string& word : words.take()) {
    text += "  ";
    text += word;
  }
  if (!text.empty()) text += ' ';
  return text;
}

double word_similarity(std::string_view asked, std::string_view there) {
  if (asked == there) return 1;
  if (there.starts_with(asked)) {
    return 0.75 + 0.2 * static_cast<double>(asked.size()) / static_cast<double>(there.size());
  }
  const auto ours = pieces_of(fmt::format("  {} ", asked));
  const auto theirs = pieces_of(fmt::format("  {} ", there));
  std::size_t shared = 0;
  for (const std::string& piece : ours) shared += theirs.count(piece);
  const double share =
      2.0 * static_cast<double>(shared) / static_cast<double>(ours.size() + theirs.size());
  return share < 1.0 / 3 ? 0 : 0.7 * share;
}

Result<std::vector<SearchHit>> search(const Context& context, const SearchQuery& query) {
  Words asked;
  asked.add(std::string_view(query.text));
  std::vector<std::string> words = asked.take();
  if (words.size() > kWordsMax) words.resize(kWordsMax);
  for (std::string& word : words) word.resize(whole_characters(word, kWordBytesMax));
  std::vector<SearchHit> hits;
  if (words.empty()) return hits;
  REEL_ASSIGN(const auto snapshot, context.store.snapshot());
  if (query.sources) REEL_TRY(collect(*snapshot, table::kSources, words, query.tags, hits));
  if (query.flows) REEL_TRY(collect(*snapshot, table::kFlows, words, query.tags, hits));
  std::sort(hits.begin(), hits.end(), [](const SearchHit& a, const SearchHit& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.is_flow != b.is_flow ? b.is_flow : a.id < b.id;
  });
  if (hits.size() > query.limit) hits.resize(query.limit);
  for (SearchHit& hit : hits) {
    if (hit.is_flow) {
      REEL_ASSIGN(hit.document, get_flow(*snapshot, FlowId{hit.id}, {}));
    } else {
      REEL_ASSIGN(hit.document, get_source(*snapshot, SourceId{hit.id}));
    }
  }
  return hits;
}

}  // namespace reel::tams
