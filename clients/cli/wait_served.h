// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "clients/cpp/client.h"

namespace sextant::cli {

// Shows how far the server is with a change that it has stored, until searches
// meet it or one that came later; returns what is served then. An attempt of
// the server's that fails ends the waiting, not the change.
absl::StatusOr<client::Bank> WaitServed(client::Client& client,
                                        const std::string& collection,
                                        client::Bank bank);
absl::StatusOr<client::Normalizer> WaitServed(client::Client& client,
                                              const std::string& collection,
                                              client::Normalizer normalizer);

// "version 7: 45 %", or why it failed; empty without a change.
std::string ChangeText(const absl::optional<client::ChangeProgress>& change);

}  // namespace sextant::cli
