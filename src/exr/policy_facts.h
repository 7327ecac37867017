#pragma once
//! What policies can ask about a file.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "exr/header.h"

namespace reel::exr {

//! A list is of names: channels, layers.
using FactValue = std::variant<std::string, double, bool, std::vector<std::string>>;

//! Whether a fact is one of the file, of each part, or of each channel.
enum class FactScope : std::uint8_t { file, part, channel };

enum class FactKind : std::uint8_t { text, number, flag, list, any };

//! A file as a policy sees it. Everything outlives the check.
struct PolicySubject {
  std::string_view path;
  const Header& header;
  std::uint64_t size_bytes = 0;
  std::optional<bool> complete = {};  //!< all pixels are there; nothing: cannot be told
  std::size_t errors = 0;             //!< findings that are errors
};

struct FactName {
  std::string_view name;  //!< "part.compression"
  FactScope scope;
  FactKind kind;
  std::string_view meaning;
};

//! All but attribute.NAME, which is the value of a part's attribute.
const std::vector<FactName>& fact_names();

//! The fact of this name, attribute.NAME included; nothing: there is no such fact.
std::optional<FactName> find_fact(std::string_view name);

//! A fact of the file; nothing: the file does not have it. REQUIRES: find_fact() knows it as one.
std::optional<FactValue> file_fact(std::string_view name, const PolicySubject& subject);
//! The same of a part. REQUIRES: part < header.parts.size().
std::optional<FactValue> part_fact(std::string_view name, const PolicySubject& subject,
                                   std::uint32_t part);

//! One channel's.
struct ChannelFact {
  std::string channel;
  FactValue value;
};
std::vector<ChannelFact> channel_facts(std::string_view name, const Part& part);

//! "zip", "3840", "true", "R, G, B".
std::string fact_text(const FactValue& value);

}  // namespace reel::exr
