// SPDX-License-Identifier: Apache-2.0
#include "storage/keys.h"

#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/coding.h"

namespace sextant {

std::string CollectionPrefix(CollectionNumber collection) {
  std::string key;
  AppendBigEndian<uint32_t>(&key, collection);
  return key;
}

std::string CollectionEnd(CollectionNumber collection) {
  if (collection == std::numeric_limits<CollectionNumber>::max()) {
    // Above every key of the last collection: ids are shorter than this.
    return CollectionPrefix(collection) + std::string(4096, '\xff');
  }
  return CollectionPrefix(collection + 1);
}

std::string CollectionPartKey(CollectionNumber collection,
                              CollectionPart part) {
  std::string key = CollectionPrefix(collection);
  key.push_back(static_cast<char>(part));
  return key;
}

std::string AttachmentKey(CollectionNumber collection, absl::string_view name) {
  std::string key = CollectionPartKey(collection, CollectionPart::kAttachment);
  key.append(name.data(), name.size());
  return key;
}

std::string PointKey(CollectionNumber collection, absl::string_view id) {
  std::string key;
  key.reserve(kCollectionPrefixSize + id.size());
  AppendBigEndian<uint32_t>(&key, collection);
  key.append(id.data(), id.size());
  return key;
}

std::string ChangeKey(CollectionNumber collection, Sequence seq) {
  std::string key;
  key.reserve(kCollectionPrefixSize + sizeof(seq));
  AppendBigEndian<uint32_t>(&key, collection);
  AppendBigEndian<uint64_t>(&key, seq);
  return key;
}

bool ParseCollectionPrefix(absl::string_view key, CollectionNumber* collection,
                           absl::string_view* rest) {
  if (!ConsumeBigEndian<uint32_t>(&key, collection)) {
    return false;
  }
  *rest = key;
  return true;
}

bool ParseChangeKey(absl::string_view key, Sequence* seq) {
  CollectionNumber collection = 0;
  absl::string_view rest;
  return ParseCollectionPrefix(key, &collection, &rest) &&
         ConsumeBigEndian<uint64_t>(&rest, seq) && rest.empty();
}

std::string PrintableKey(absl::string_view key) {
  CollectionNumber collection = 0;
  absl::string_view rest;
  if (key == kFormatKey || key == kNextCollectionKey ||
      !ParseCollectionPrefix(key, &collection, &rest)) {
    return absl::StrCat("key \"", absl::CHexEscape(key), "\"");
  }
  return absl::StrCat("collection ", collection, ", key \"",
                      absl::CHexEscape(rest), "\"");
}

}  // namespace sextant
