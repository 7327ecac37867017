#pragma once
//! Which layer and view each channel belongs to.
//!
//! Sources: "Technical Introduction to OpenEXR" (layers), "Storing Multi-View Images in OpenEXR
//! Files" (views in one part), the `view` attribute (views by part).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exr/header.h"

namespace reel::exr {

//! A channel's place. Names are parted at periods, and the last piece is the component.
//!
//! View: the part's `view` attribute. Where a part lists several views (`multiView`), the piece
//! before the component if it is one of them ("diffuse.right.R"); the first of them, the default
//! view, for a name without periods; otherwise none.
//!
//! Layer: the pieces in front ("light1.specular.R": "light1.specular"), without the view. Where
//! parts of the same view hold the same channel without a layer ("R" in the parts "diffuse" and
//! "specular"), their channels without a layer have the part's name as layer: that is how writers
//! tell such channels apart.
struct ChannelPlace {
  std::uint32_t part = 0;
  std::uint32_t channel = 0;   //!< its index in the part's list
  std::string name = {};       //!< as in the file
  std::string view = {};       //!< empty: none
  std::string layer = {};      //!< empty: the default layer
  std::string component = {};  //!< "R"
  std::int32_t pixel_type = 0;
  std::int32_t x_sampling = 1;
  std::int32_t y_sampling = 1;
};

//! All channels, in file order. Parts whose channel list cannot be read have none.
std::vector<ChannelPlace> place_channels(const Header& header);

//! How a layer of a view is called: "Depth", "Depth (right)", "RGBA" being "the default layer".
std::string layer_title(std::string_view layer, std::string_view view);

//! A layer of a tree that is kept as a list, parents before what is in them.
struct Layer {
  std::string name = {};                    //!< the last piece
  std::string path = {};                    //!< all pieces; empty: the default layer, the root
  std::size_t parent = 0;                   //!< in the list; the root is its own
  std::vector<ChannelPlace> channels = {};  //!< of this layer itself, in file order
};

//! Layers below one another; what a channel's name has beyond is one name with periods.
inline constexpr int kLayerDepthMax = 32;

//! The channels of all parts and views as one tree, its root first: a file of ten parts and a file
//! that holds the same in one part have the same one.
std::vector<Layer> layer_tree(const Header& header);

}  // namespace reel::exr
