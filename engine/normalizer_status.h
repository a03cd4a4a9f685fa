// SPDX-License-Identifier: Apache-2.0
//
// What goes into the catalogue of normalisers, and what it tells of itself.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/normalizer_change.h"
#include "storage/format.pb.h"

namespace sextant {

// A new bank, or the new vectors of one.
struct BankUpload {
  std::string name;
  std::string field;     // empty: the collection's only one
  bool gallery = false;  // vectors like the items
  std::vector<std::vector<float>> vectors;
};

// A gallery bank of `count` points of the collection, chosen by `seed`; of all
// if there are fewer.
struct BankSample {
  std::string name;
  std::string field;  // empty: the collection's only one
  uint64_t count = 0;
  uint64_t seed = 0;
};

struct BankStatus {
  storage::BankRecord record;  // what is served
  // New vectors that normalisers are computed with.
  std::optional<storage::BankRecord> next;
  ChangeProgress progress;  // of `next`
};

struct NormalizerStatus {
  storage::NormalizerRecord record;  // version 0: nothing is served yet
  uint64_t query_bank_version = 0;   // that it is served with; 0: none
  uint64_t gallery_bank_version = 0;
  uint64_t segments = 0;  // of the newest snapshot
  uint64_t segments_known = 0;
  uint64_t bytes = 0;  // of memory
  // A new version that is being computed.
  std::optional<ChangeProgress> next;
};

// When a change returns: once searches meet it, or once it is stored and is
// sure to be made.
enum class ReturnWhen { kServed, kStored };

}  // namespace sextant
