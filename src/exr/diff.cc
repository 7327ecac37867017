#include "exr/diff.h"

#include <algorithm>
#include <map>

#include "exr/inspect_json.h"
#include "exr/values.h"

namespace reel::exr {
namespace {

//! Things of two sides by name, in alphabetical order; null: a side does not have it.
template <typename T>
using Pairs = std::map<std::string, std::pair<const T*, const T*>>;

Pairs<Part> pairs_of_parts(const Header& first, const Header& second) {
  Pairs<Part> out;
  const auto add = [&](const Header& header, auto side) {
    for (std::size_t i = 0; i < header.parts.size(); ++i) {
      const Part& part = header.parts[i];
      const auto name = value_of<std::string_view>(part, "name");
      std::string key(name && header.version.multipart() ? *name : std::string_view());
      if (key.empty() || out[key].*side != nullptr) key = std::to_string(i);
      out[key].*side = &part;
    }
  };
  using Sides = std::pair<const Part*, const Part*>;
  add(first, &Sides::first);
  add(second, &Sides::second);
  return out;
}

template <typename List, typename T = typename List::value_type>
Pairs<T> pairs_of(const List& first, const List& second) {
  Pairs<T> out;
  // Of two with the same name the first counts, as for Part::find().
  const auto add = [&](const List& list, auto side) {
    for (const T& each : list) {
      const T*& place = out[each.name].*side;
      if (place == nullptr) place = &each;
    }
  };
  using Sides = std::pair<const T*, const T*>;
  add(first, &Sides::first);
  add(second, &Sides::second);
  return out;
}

template <typename T>
std::string json_of(const T* what, void (*write)(json::Writer&, const T&)) {
  std::string out;
  json::Writer writer(out);
  if (what != nullptr) write(writer, *what);
  return out;
}

bool same(const Channel& a, const Channel& b) {
  return a.pixel_type == b.pixel_type && a.p_linear == b.p_linear && a.reserved == b.reserved &&
         a.x_sampling == b.x_sampling && a.y_sampling == b.y_sampling;
}

class Diff {
 public:
  explicit Diff(const std::vector<std::string>& ignored) : ignored_(ignored) {}

  void headers(const Header& first, const Header& second) {
    if (first.version.bits != second.version.bits) {
      out_.push_back({.kind = Difference::Kind::version_word,
                      .part = "",
                      .name = "",
                      .first = std::to_string(first.version.bits),
                      .second = std::to_string(second.version.bits)});
    }
    for (const auto& [name, sides] : pairs_of_parts(first, second)) {
      const auto& [one, other] = sides;
      if (one != nullptr && other != nullptr) {
        parts(name, *one, *other);
      } else {
        const char* const there = "true";
        out_.push_back({.kind = Difference::Kind::part,
                        .part = name,
                        .name = "",
                        .first = one != nullptr ? there : "",
                        .second = other != nullptr ? there : ""});
      }
    }
  }

  std::vector<Difference> take() { return std::move(out_); }

 private:
  void parts(const std::string& part, const Part& first, const Part& second) {
    for (const auto& [name, sides] : pairs_of(first.attributes, second.attributes)) {
      const auto& [one, other] = sides;
      if (std::find(ignored_.begin(), ignored_.end(), name) != ignored_.end()) continue;
      const bool both = one != nullptr && other != nullptr;
      if (both && one->type == other->type && one->bytes == other->bytes) continue;
      if (both && name == "channels" && channels(part, first, second)) continue;
      add(Difference::Kind::attribute, part, name, json_of(one, write_attribute),
          json_of(other, write_attribute));
    }
  }

  //! One by one; false if a list of them cannot be read.
  bool channels(const std::string& part, const Part& first, const Part& second) {
    const auto one_list = value_of<std::vector<Channel>>(first, "channels");
    const auto other_list = value_of<std::vector<Channel>>(second, "channels");
    if (!one_list || !other_list) return false;
    for (const auto& [name, sides] : pairs_of(*one_list, *other_list)) {
      const auto& [one, other] = sides;
      if (one != nullptr && other != nullptr && same(*one, *other)) continue;
      add(Difference::Kind::channel, part, name, json_of(one, write_channel),
          json_of(other, write_channel));
    }
    return true;
  }

  //! An attribute's type belongs to what it says.
  static void write_attribute(json::Writer& writer, const Attribute& attribute) {
    writer.begin_object();
    writer.key("type");
    write_text(writer, attribute.type);
    writer.key("value");
    write_value(writer, attribute);
    writer.end_object();
  }

  void add(Difference::Kind kind, const std::string& part, const std::string& name,
           std::string first, std::string second) {
    out_.push_back({.kind = kind,
                    .part = part,
                    .name = name,
                    .first = std::move(first),
                    .second = std::move(second)});
  }

  const std::vector<std::string>& ignored_;
  std::vector<Difference> out_;
};

}  // namespace

std::string_view kind_name(Difference::Kind kind) {
  switch (kind) {
    case Difference::Kind::version_word: return "version_word";
    case Difference::Kind::part: return "part";
    case Difference::Kind::attribute: return "attribute";
    case Difference::Kind::channel: break;
  }
  return "channel";
}

std::vector<Difference> diff(const Header& first, const Header& second,
                             const std::vector<std::string>& ignored) {
  Diff out(ignored);
  out.headers(first, second);
  return out.take();
}

}  // namespace reel::exr
