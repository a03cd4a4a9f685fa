// SPDX-License-Identifier: Apache-2.0
#include "base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/strings/str_cat.h"

namespace sextant {

uint64_t Checksum64(absl::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string Hash128::ToHex() const {
  return absl::StrCat(absl::Hex(high, absl::kZeroPad16),
                      absl::Hex(low, absl::kZeroPad16));
}

Hash128 Checksum128(absl::string_view bytes, uint64_t seed) {
  const XXH128_hash_t hash =
      XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return Hash128{.high = hash.high64, .low = hash.low64};
}

// XXH3's 64 and 128 bit digests read the same state, so one serves both.
struct RunningChecksum::State {
  XXH3_state_t xxh;
};

RunningChecksum::RunningChecksum(uint64_t seed)
    : state_(std::make_unique<State>()) {
  XXH3_INITSTATE(&state_->xxh);
  static_cast<void>(XXH3_128bits_reset_withSeed(&state_->xxh, seed));
}

RunningChecksum::~RunningChecksum() = default;

void RunningChecksum::Update(absl::string_view bytes) {
  static_cast<void>(
      XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size()));
}

uint64_t RunningChecksum::Digest64() const {
  return XXH3_64bits_digest(&state_->xxh);
}

Hash128 RunningChecksum::Digest128() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return Hash128{.high = hash.high64, .low = hash.low64};
}

}  // namespace sextant
