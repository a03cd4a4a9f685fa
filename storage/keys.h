// SPDX-License-Identifier: Apache-2.0
//
// Keys of the store. The order of their bytes is the order of what they name:
// the collection's number big-endian first, so that a collection is one range
// in every column family.

#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "storage/records.h"

namespace sextant {

// Keys of the family `default`; they belong to no collection.
inline constexpr absl::string_view kFormatKey = "format";
inline constexpr absl::string_view kNextCollectionKey = "next_collection";

// The records a collection has in the family `collections`. The values lie on
// disk.
enum class CollectionPart : uint8_t {
  kDefinition = 1,
  kState = 2,
  kCheckpoint = 3,
  kAttachment = 4,  // followed by its name
};

inline constexpr size_t kCollectionPrefixSize = sizeof(CollectionNumber);

// First key of a collection, and first key after it.
std::string CollectionPrefix(CollectionNumber collection);
std::string CollectionEnd(CollectionNumber collection);

std::string CollectionPartKey(CollectionNumber collection, CollectionPart part);
std::string AttachmentKey(CollectionNumber collection, absl::string_view name);
// In the families `points` and `vectors`.
std::string PointKey(CollectionNumber collection, absl::string_view id);
// In the family `changes`.
std::string ChangeKey(CollectionNumber collection, Sequence seq);

// The collection of a key; false when the key is too short to have one.
[[nodiscard]] bool ParseCollectionPrefix(absl::string_view key,
                                         CollectionNumber* collection,
                                         absl::string_view* rest);
[[nodiscard]] bool ParseChangeKey(absl::string_view key, Sequence* seq);

// For messages: `collection 7, key "abc\x00"`, or the whole key escaped.
std::string PrintableKey(absl::string_view key);

}  // namespace sextant
