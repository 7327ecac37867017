#pragma once
//! The rules of the file format, of the file system and of our limits: the code and the severity of
//! a finding that says that one is broken. docs/formats/exr-findings.md says what each means.

#include <string>
#include <utility>

#include <fmt/core.h>

#include "exr/finding.h"

namespace reel::exr {

struct Rule {
  std::string_view code;
  Severity severity;
};

// The file.
inline constexpr Rule kFileNotFound{"file_not_found", Severity::error};
inline constexpr Rule kFileUnreadable{"file_unreadable", Severity::error};
inline constexpr Rule kNotAFile{"not_a_file", Severity::error};
inline constexpr Rule kReadFailed{"read_failed", Severity::error};
inline constexpr Rule kFileChanged{"file_changed", Severity::error};
inline constexpr Rule kEmptyFile{"empty_file", Severity::error};
inline constexpr Rule kBadMagic{"bad_magic", Severity::error};
inline constexpr Rule kUnsupportedVersion{"unsupported_version", Severity::error};
inline constexpr Rule kUnknownFlags{"unknown_flags", Severity::error};
inline constexpr Rule kFlagsConflict{"flags_conflict", Severity::error};

// The bytes of the header.
inline constexpr Rule kHeaderTruncated{"header_truncated", Severity::error};
inline constexpr Rule kNameUnterminated{"name_unterminated", Severity::error};
inline constexpr Rule kAttributeSizeNegative{"attribute_size_negative", Severity::error};
inline constexpr Rule kAttributeTruncated{"attribute_truncated", Severity::error};
inline constexpr Rule kHeaderTooLarge{"header_too_large", Severity::error};
inline constexpr Rule kTooManyAttributes{"too_many_attributes", Severity::error};
inline constexpr Rule kNoParts{"no_parts", Severity::error};

inline constexpr Rule kTooManyFindings{"too_many_findings", Severity::note};

// Attributes.
inline constexpr Rule kNameTooLong{"name_too_long", Severity::error};
inline constexpr Rule kTypeNameEmpty{"type_name_empty", Severity::error};
inline constexpr Rule kDuplicateAttribute{"duplicate_attribute", Severity::error};
inline constexpr Rule kAttributeMalformed{"attribute_malformed", Severity::error};
inline constexpr Rule kAttributeTooLarge{"attribute_too_large", Severity::warning};
inline constexpr Rule kWrongType{"wrong_type", Severity::error};
inline constexpr Rule kMissingAttribute{"missing_attribute", Severity::error};
inline constexpr Rule kUnknownType{"unknown_type", Severity::note};

// Channels.
inline constexpr Rule kChannelsEmpty{"channels_empty", Severity::error};
inline constexpr Rule kChannelsUnsorted{"channels_unsorted", Severity::error};
inline constexpr Rule kChannelDuplicate{"channel_duplicate", Severity::error};
inline constexpr Rule kPixelTypeUnknown{"pixel_type_unknown", Severity::error};
inline constexpr Rule kPLinearUnknown{"p_linear_unknown", Severity::warning};
inline constexpr Rule kReservedNotZero{"reserved_not_zero", Severity::note};
inline constexpr Rule kSamplingInvalid{"sampling_invalid", Severity::error};
inline constexpr Rule kSamplingNotDividing{"sampling_not_dividing", Severity::error};
inline constexpr Rule kSamplingNotAllowed{"sampling_not_allowed", Severity::error};

// Values of the standard attributes.
inline constexpr Rule kCompressionUnknown{"compression_unknown", Severity::error};
inline constexpr Rule kCompressionNotAllowed{"compression_not_allowed", Severity::error};
inline constexpr Rule kCompressionRecent{"compression_recent", Severity::note};
inline constexpr Rule kLineOrderUnknown{"line_order_unknown", Severity::error};
inline constexpr Rule kLineOrderNotAllowed{"line_order_not_allowed", Severity::error};
inline constexpr Rule kWindowEmpty{"window_empty", Severity::error};
inline constexpr Rule kWindowHuge{"window_huge", Severity::warning};
inline constexpr Rule kPixelAspectRatioInvalid{"pixel_aspect_ratio_invalid", Severity::error};
inline constexpr Rule kScreenWindowInvalid{"screen_window_invalid", Severity::error};
inline constexpr Rule kTileSizeInvalid{"tile_size_invalid", Severity::error};
inline constexpr Rule kTileModeUnknown{"tile_mode_unknown", Severity::error};
inline constexpr Rule kEnumerationUnknown{"enumeration_unknown", Severity::warning};
inline constexpr Rule kRationalInvalid{"rational_invalid", Severity::warning};
inline constexpr Rule kMultiViewEmpty{"multi_view_empty", Severity::error};
inline constexpr Rule kMultiViewInvalid{"multi_view_invalid", Severity::warning};

// Parts.
inline constexpr Rule kPartTypeUnknown{"part_type_unknown", Severity::error};
inline constexpr Rule kPartTypeConflict{"part_type_conflict", Severity::error};
inline constexpr Rule kDeepVersionUnknown{"deep_version_unknown", Severity::error};
inline constexpr Rule kPartNameDuplicate{"part_name_duplicate", Severity::error};
inline constexpr Rule kPartNameEmpty{"part_name_empty", Severity::warning};
inline constexpr Rule kSharedAttributeDiffers{"shared_attribute_differs", Severity::error};

// Chunks.
inline constexpr Rule kChunkCountInvalid{"chunk_count_invalid", Severity::error};
inline constexpr Rule kChunkCountWrong{"chunk_count_wrong", Severity::error};
inline constexpr Rule kChunkTableTruncated{"chunk_table_truncated", Severity::error};
inline constexpr Rule kChunksUnfinished{"chunks_unfinished", Severity::error};
inline constexpr Rule kChunksOutside{"chunks_outside", Severity::error};
inline constexpr Rule kChunkTruncated{"chunk_truncated", Severity::error};
inline constexpr Rule kChunkTableLarge{"chunk_table_large", Severity::note};

// Cryptomattes.
inline constexpr Rule kCryptomatteWrongType{"cryptomatte_wrong_type", Severity::warning};
inline constexpr Rule kCryptomatteNoName{"cryptomatte_no_name", Severity::warning};
inline constexpr Rule kCryptomatteNoChannels{"cryptomatte_no_channels", Severity::warning};
inline constexpr Rule kCryptomatteNoManifest{"cryptomatte_no_manifest", Severity::note};
inline constexpr Rule kCryptomatteHashUnknown{"cryptomatte_hash_unknown", Severity::warning};
inline constexpr Rule kCryptomatteFileOutside{"cryptomatte_file_outside", Severity::warning};
inline constexpr Rule kCryptomatteNotFloat{"cryptomatte_not_float", Severity::error};
inline constexpr Rule kCryptomatteLossy{"cryptomatte_lossy", Severity::error};

//! Where a rule is broken.
struct Place {
  std::optional<std::uint32_t> part = {};
  std::string_view attribute = {};
  std::optional<std::uint64_t> offset = {};
};

constexpr std::size_t kFindingsMax = 1'000;

//! `name` as a message shows it: cut after 80 bytes, for it may have millions.
inline std::string_view shown(std::string_view name) { return name.substr(0, 80); }

inline Finding broken(const Rule& rule, const Place& place, std::string message) {
  return {.code = rule.code,
          .severity = rule.severity,
          .part = place.part,
          .attribute = std::string(place.attribute),
          .offset = place.offset,
          .message = std::move(message)};
}

//! Adds one finding of the many that a hostile file can cause; those beyond kFindingsMax are only
//! said to be there.
inline void add(Findings& findings, Finding finding) {
  if (findings.size() < kFindingsMax) return findings.push_back(std::move(finding));
  if (findings.size() > kFindingsMax) return;
  findings.push_back(
      broken(kTooManyFindings, {}, fmt::format("There are more than {} findings", kFindingsMax)));
}

}  // namespace reel::exr
