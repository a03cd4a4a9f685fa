// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace sextant {

// XXH3: finds accidental damage at memory speed. Not a defence against someone
// who forges data. The values are stored on disk, so they never change.

uint64_t Checksum64(absl::string_view bytes, uint64_t seed = 0);

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const Hash128&) const = default;
  // 32 lower-case hex digits, the high half first.
  std::string ToHex() const;
};

Hash128 Checksum128(absl::string_view bytes, uint64_t seed = 0);

// The checksum of bytes that come in pieces; equal to the one-shot functions
// over their concatenation. One thread at a time.
class RunningChecksum {
 public:
  explicit RunningChecksum(uint64_t seed = 0);
  ~RunningChecksum();
  RunningChecksum(const RunningChecksum&) = delete;
  RunningChecksum& operator=(const RunningChecksum&) = delete;

  void Update(absl::string_view bytes);

  // Of all bytes so far; more may follow.
  uint64_t Digest64() const;
  Hash128 Digest128() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sextant
