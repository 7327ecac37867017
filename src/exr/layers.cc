#include "exr/layers.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "exr/values.h"

namespace reel::exr {
namespace {

struct Views {
  std::string of_part;                //!< `view`
  std::vector<std::string> in_names;  //!< `multiView`

  explicit Views(const Part& part) {
    if (const auto view = value_of<std::string_view>(part, "view")) of_part = *view;
    if (const auto views = value_of<std::vector<std::string_view>>(part, "multiView")) {
      in_names.assign(views->begin(), views->end());
    }
  }
};

ChannelPlace place(const Channel& channel, const Views& views) {
  ChannelPlace placed{.name = channel.name,
                      .view = views.of_part,
                      .pixel_type = channel.pixel_type,
                      .x_sampling = channel.x_sampling,
                      .y_sampling = channel.y_sampling};
  const std::size_t last = channel.name.rfind('.');
  if (last == std::string::npos) {
    placed.component = channel.name;
    if (placed.view.empty() && !views.in_names.empty()) placed.view = views.in_names.front();
    return placed;
  }
  placed.component = channel.name.substr(last + 1);
  placed.layer = channel.name.substr(0, last);
  if (!views.of_part.empty()) return placed;
  const std::size_t before = placed.layer.rfind('.');
  const std::string piece =
      before == std::string::npos ? placed.layer : placed.layer.substr(before + 1);
  if (std::find(views.in_names.begin(), views.in_names.end(), piece) != views.in_names.end()) {
    placed.view = piece;
    placed.layer.resize(before == std::string::npos ? 0 : before);
  }
  return placed;
}

//! Gives channels without a layer the name of their part, where another part has the same ones.
void name_by_parts(const Header& header, std::vector<ChannelPlace>& places) {
  std::map<std::pair<std::string_view, std::string_view>, std::set<std::uint32_t>> parts_of;
  for (const ChannelPlace& each : places) {
    if (each.layer.empty()) parts_of[{each.view, each.component}].insert(each.part);
  }
  std::set<std::uint32_t> ambiguous;
  for (const auto& [channel, parts] : parts_of) {
    if (parts.size() > 1) ambiguous.insert(parts.begin(), parts.end());
  }
  for (ChannelPlace& each : places) {
    if (!each.layer.empty() || !ambiguous.contains(each.part)) continue;
    const auto name = value_of<std::string_view>(header.parts[each.part], "name");
    if (name) each.layer = *name;
  }
}

//! Layers by path, each below its parent.
class Tree {
 public:
  //! The index of the layer; makes it and what is above it.
  std::size_t layer(std::string_view path) {
    std::size_t index = 0;
    std::size_t begin = 0;
    for (int depth = 1; begin < path.size(); ++depth) {
      const std::size_t period = depth < kLayerDepthMax ? path.find('.', begin) : path.size();
      const std::size_t end = std::min(period, path.size());
      const std::string above(path.substr(0, end));
      const auto [known, added] = by_path_.emplace(above, layers_.size());
      if (added) {
        layers_.push_back({.name = above.substr(begin), .path = above, .parent = index});
      }
      index = known->second;
      begin = end + 1;
    }
    return index;
  }

  void add(ChannelPlace place) { layers_[layer(place.layer)].channels.push_back(std::move(place)); }

  std::vector<Layer> take() { return std::move(layers_); }

 private:
  std::vector<Layer> layers_ = {Layer{}};
  std::unordered_map<std::string, std::size_t> by_path_;
};

}  // namespace

std::vector<ChannelPlace> place_channels(const Header& header) {
  std::vector<ChannelPlace> places;
  for (std::uint32_t part = 0; part < header.parts.size(); ++part) {
    const auto channels = value_of<std::vector<Channel>>(header.parts[part], "channels");
    if (!channels) continue;
    const Views views(header.parts[part]);
    for (std::uint32_t i = 0; i < channels->size(); ++i) {
      ChannelPlace placed = place((*channels)[i], views);
      placed.part = part;
      placed.channel = i;
      places.push_back(std::move(placed));
    }
  }
  name_by_parts(header, places);
  return places;
}

std::string layer_title(std::string_view layer, std::string_view view) {
  std::string title(layer.empty() ? "the default layer" : layer);
  if (!view.empty()) title += fmt::format(" ({})", view);
  return title;
}

std::vector<Layer> layer_tree(const Header& header) {
  Tree tree;
  for (ChannelPlace& each : place_channels(header)) tree.add(std::move(each));
  return tree.take();
}

}  // namespace reel::exr
