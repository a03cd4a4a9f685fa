// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "engine/mining_job.h"

namespace sextant {

// Where a stream of mined pairs is. Opaque to clients: text with a checksum, so
// a token of another request or a damaged one is refused. Not a secret, as
// page tokens.
struct MiningToken {
  uint64_t job = 0;      // number in MiningJobs
  uint64_t request = 0;  // hash of what was asked for
  uint64_t source_seq = 0;
  uint64_t target_seq = 0;
  uint64_t delivered = 0;  // pairs
  uint64_t hash = 0;       // of them: HashOfPair, one after the other

  std::string ToText() const;
  // InvalidField("resume_token") for anything but what ToText() made.
  static absl::StatusOr<MiningToken> FromText(absl::string_view text);
};

// Of a pair and those before it.
uint64_t HashOfPair(const MinedIds& pair, uint64_t before);

}  // namespace sextant
