//! OpenEXRCore, strict, as a second opinion: what it takes means to us what it means to it. Of the
//! test images of OpenEXR, with REELHOUSE_EXR_CORPUS.

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>
#include <openexr.h>
#include <unistd.h>

#include "exr/inspect.h"
#include "exr/test_bytes.h"
#include "exr/values.h"

namespace reel::exr {
namespace {

namespace fs = std::filesystem;

std::string_view view(const exr_attr_string_t& text) {
  return {text.str, static_cast<std::size_t>(text.length)};
}

// The core's structures have no padding, and the order of ours.
// NOLINTBEGIN(bugprone-suspicious-memory-comparison): bits are meant, of NaN and -0 as well.
template <typename T>
bool same_memory(const Value& ours, const void* theirs) {
  const T* held = std::get_if<T>(&ours);
  return held != nullptr && std::memcmp(held, theirs, sizeof(T)) == 0;
}
// NOLINTEND(bugprone-suspicious-memory-comparison)

template <typename T>
bool equal(const Value& ours, const T& theirs) {
  const T* held = std::get_if<T>(&ours);
  return held != nullptr && *held == theirs;
}

bool same_channels(const Value& ours, const exr_attr_chlist_t& theirs) {
  const auto* held = std::get_if<std::vector<Channel>>(&ours);
  if (held == nullptr || held->size() != static_cast<std::size_t>(theirs.num_channels))
    return false;
  for (std::size_t i = 0; i < held->size(); ++i) {
    const Channel& one = (*held)[i];
    const exr_attr_chlist_entry_t& other = theirs.entries[i];
    if (one.name != view(other.name) || one.pixel_type != static_cast<int>(other.pixel_type) ||
        one.p_linear != other.p_linear || one.x_sampling != other.x_sampling ||
        one.y_sampling != other.y_sampling) {
      return false;
    }
  }
  return true;
}

bool same_strings(const Value& ours, const exr_attr_string_vector_t& theirs) {
  const auto* held = std::get_if<std::vector<std::string_view>>(&ours);
  if (held == nullptr || held->size() != static_cast<std::size_t>(theirs.n_strings)) return false;
  for (std::size_t i = 0; i < held->size(); ++i) {
    if ((*held)[i] != view(theirs.strings[i])) return false;
  }
  return true;
}

bool same_lists(const Value& ours, const exr_attribute_t& theirs) {
  switch (theirs.type) {
    case EXR_ATTR_CHLIST: return same_channels(ours, *theirs.chlist);
    case EXR_ATTR_STRING_VECTOR: return same_strings(ours, *theirs.stringvector);
    case EXR_ATTR_STRING: return equal(ours, view(*theirs.string));
    case EXR_ATTR_FLOAT_VECTOR:
      return equal(ours, std::vector<float>(theirs.floatvector->arr,
                                            theirs.floatvector->arr + theirs.floatvector->length));
    case EXR_ATTR_PREVIEW: {
      const auto* held = std::get_if<Preview>(&ours);
      return held != nullptr && held->width == theirs.preview->width &&
             held->height == theirs.preview->height &&
             std::memcmp(held->rgba.data(), theirs.preview->rgba, held->rgba.size()) == 0;
    }
    case EXR_ATTR_TILEDESC: {
      const auto* held = std::get_if<TileDescription>(&ours);
      return held != nullptr && held->x_size == theirs.tiledesc->x_size &&
             held->y_size == theirs.tiledesc->y_size &&
             held->mode == theirs.tiledesc->level_and_round;
    }
    default: return false;
  }
}

bool same_value(const Attribute& attribute, const Value& ours, const exr_attribute_t& theirs) {
  switch (theirs.type) {
    // What this version of the core does not know: bytes, deepImageState, idmanifest.
    case EXR_ATTR_OPAQUE:
      return attribute.bytes ==
             std::string_view(static_cast<const char*>(theirs.opaque->packed_data),
                              static_cast<std::size_t>(theirs.opaque->size));
    case EXR_ATTR_BOX2I: return same_memory<Box2i>(ours, theirs.box2i);
    case EXR_ATTR_BOX2F: return same_memory<Box2f>(ours, theirs.box2f);
    case EXR_ATTR_CHROMATICITIES: return same_memory<Chromaticities>(ours, theirs.chromaticities);
    case EXR_ATTR_COMPRESSION:
    case EXR_ATTR_ENVMAP:
    case EXR_ATTR_LINEORDER: return same_memory<Enumerated>(ours, &theirs.uc);
    case EXR_ATTR_DOUBLE: return same_memory<double>(ours, &theirs.d);
    case EXR_ATTR_FLOAT: return same_memory<float>(ours, &theirs.f);
    case EXR_ATTR_INT: return same_memory<std::int32_t>(ours, &theirs.i);
    case EXR_ATTR_KEYCODE: return same_memory<KeyCode>(ours, theirs.keycode);
    case EXR_ATTR_M33F: return same_memory<M33f>(ours, theirs.m33f);
    case EXR_ATTR_M33D: return same_memory<M33d>(ours, theirs.m33d);
    case EXR_ATTR_M44F: return same_memory<M44f>(ours, theirs.m44f);
    case EXR_ATTR_M44D: return same_memory<M44d>(ours, theirs.m44d);
    case EXR_ATTR_RATIONAL: return same_memory<Rational>(ours, theirs.rational);
    case EXR_ATTR_TIMECODE: return same_memory<TimeCode>(ours, theirs.timecode);
    case EXR_ATTR_V2I: return same_memory<V2i>(ours, theirs.v2i);
    case EXR_ATTR_V2F: return same_memory<V2f>(ours, theirs.v2f);
    case EXR_ATTR_V2D: return same_memory<V2d>(ours, theirs.v2d);
    case EXR_ATTR_V3I: return same_memory<V3i>(ours, theirs.v3i);
    case EXR_ATTR_V3F: return same_memory<V3f>(ours, theirs.v3f);
    case EXR_ATTR_V3D: return same_memory<V3d>(ours, theirs.v3d);
    default: return same_lists(ours, theirs);
  }
}

//! An open file of the core's; null: it refused.
class Core {
 public:
  explicit Core(const std::string& path) {
    exr_context_initializer_t options = EXR_DEFAULT_CONTEXT_INITIALIZER;
    options.flags = EXR_CONTEXT_FLAG_STRICT_HEADER;
    options.error_handler_fn = [](exr_const_context_t, exr_result_t, const char*) {};
    if (exr_start_read(&context_, path.c_str(), &options) != EXR_ERR_SUCCESS) context_ = nullptr;
  }
  ~Core() {
    if (context_ != nullptr) exr_finish(&context_);
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  bool accepts() const { return context_ != nullptr; }

  //! Its attributes of a part, in the order of the file.
  std::vector<const exr_attribute_t*> attributes(int part) const {
    std::int32_t count = 0;
    EXPECT_EQ(exr_get_attribute_count(context_, part, &count), EXR_ERR_SUCCESS);
    std::vector<const exr_attribute_t*> out(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) {
      EXPECT_EQ(exr_get_attribute_by_index(context_, part, EXR_ATTR_LIST_FILE_ORDER, i,
                                           &out[static_cast<std::size_t>(i)]),
                EXR_ERR_SUCCESS);
    }
    return out;
  }
  int parts() const {
    int count = 0;
    EXPECT_EQ(exr_get_count(context_, &count), EXR_ERR_SUCCESS);
    return count;
  }

 private:
  exr_context_t context_ = nullptr;
};

//! What the core says instead of what stands in the file.
bool is_repaired(std::string_view file, std::string_view attribute) {
  // The flag says tiled, the attribute scanlineimage: the core replaces the attribute.
  return file.ends_with("/tiled_with_scanlineimage_type.exr") && attribute == "type";
}

//! Rules that the core does not look at: it reads no tables of chunks before a chunk is asked for,
//! and repairs the type of a part.
bool is_ours_alone(std::string_view code) {
  return code.starts_with("chunk") || code == "part_type_conflict";
}

//! Each attribute of the core's is one of ours with the same value, and the other way round, but
//! for the `type` that it makes for files of one part. How many there are.
std::size_t compare(const std::string& name, const Core& core, const Header& ours) {
  std::size_t compared = 0;
  EXPECT_EQ(static_cast<std::size_t>(core.parts()), ours.parts.size()) << name;
  for (std::size_t i = 0; i < ours.parts.size(); ++i) {
    std::set<std::string> known;
    for (const exr_attribute_t* each : core.attributes(static_cast<int>(i))) {
      known.insert(each->name);
      const Attribute* attribute = ours.parts[i].find(each->name);
      if (attribute == nullptr) {
        EXPECT_STREQ(each->name, "type") << name;
        continue;
      }
      EXPECT_EQ(attribute->type, each->type_name) << name << " " << each->name;
      const Result<Value> value = decode(*attribute);
      const bool same = value && same_value(*attribute, *value, *each);
      EXPECT_TRUE(same || is_repaired(name, each->name)) << name << " " << each->name;
      ++compared;
    }
    for (const Attribute& attribute : ours.parts[i].attributes) {
      EXPECT_TRUE(known.contains(attribute.name)) << name << " " << attribute.name;
    }
  }
  return compared;
}

std::string first_error(const Inspection& inspection) {
  for (const Finding& each : inspection.findings) {
    if (each.severity == Severity::error) return std::string(each.code);
  }
  return "";
}

TEST(SecondOpinion, EveryType) {
  std::string numbers;
  for (int i = 0; i < 32; ++i) numbers += test::raw(1.5F * static_cast<float>(i));
  std::string attributes =
      test::required() + test::attribute("s", "string", "text") +
      test::attribute("ss", "stringvector", test::raw(1) + "a" + test::raw(0)) +
      test::attribute("p", "preview", test::raw(1, 1) + "rgba") +
      test::attribute("t", "tiledesc", test::raw(64, 32) + '\x11') +
      test::attribute("e", "envmap", "\x01") + test::attribute("o", "studio", "anything") +
      test::attribute("fv", "floatvector", numbers.substr(0, 20));
  const std::pair<const char*, std::size_t> fixed[] = {
      {"box2i", 16},   {"box2f", 16}, {"chromaticities", 32},
      {"double", 8},   {"float", 4},  {"int", 4},
      {"keycode", 28}, {"m33f", 36},  {"m33d", 72},
      {"m44f", 64},    {"m44d", 128}, {"rational", 8},
      {"timecode", 8}, {"v2i", 8},    {"v2f", 8},
      {"v2d", 16},     {"v3i", 12},   {"v3f", 12},
      {"v3d", 24}};
  for (const auto& [type, size] : fixed) {
    attributes += test::attribute(fmt::format("a {}", type), type, numbers.substr(0, size));
  }
  const std::string path =
      fs::temp_directory_path() / fmt::format("reelhouse-opinion-{}", ::getpid());
  std::ofstream(path, std::ios::binary) << test::file(attributes);
  const Core core(path);
  const Inspection ours = inspect_file(path);
  fs::remove(path);
  ASSERT_TRUE(core.accepts());
  EXPECT_EQ(compare("every type", core, ours.header), 8U + 7 + std::size(fixed));
}

TEST(SecondOpinion, Corpus) {
  const char* const root = std::getenv("REELHOUSE_EXR_CORPUS");
  if (root == nullptr) GTEST_SKIP() << "REELHOUSE_EXR_CORPUS is not set";
  std::size_t files = 0;
  std::size_t attributes = 0;
  for (const char* folder : {"images", "openexr-tests", "damaged"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(root) / folder)) {
      const std::string path = entry.path().string();
      const Core core(path);
      const Inspection ours = inspect_file(path);
      if (core.accepts()) {
        EXPECT_TRUE(ours.header_whole) << path;
        attributes += compare(path, core, ours.header);
        ++files;
      }
      const std::string code = first_error(ours);
      EXPECT_TRUE(core.accepts() || !code.empty()) << path << " is refused by OpenEXRCore alone";
      if (!core.accepts() || code.empty()) continue;
      EXPECT_TRUE(is_ours_alone(code)) << path << " " << code;
      fmt::print("only Reelhouse refuses {}: {}\n", entry.path().filename().string(), code);
    }
  }
  fmt::print("{} files that OpenEXRCore takes, {} attributes compared\n", files, attributes);
  EXPECT_GT(files, 20U);
}

}  // namespace
}  // namespace reel::exr
