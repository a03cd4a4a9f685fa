// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sextant {

// A TCP address to listen on.
struct Address {
  std::string host;  // without brackets
  uint16_t port = 0;

  // With brackets around an IPv6 address.
  std::string ToString() const;
};

// "127.0.0.1:6350", "[::1]:6350", "localhost:0". kInvalidArgument.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// 127.0.0.0/8, ::1 or the name localhost. Any other name counts as public:
// what it resolves to may change.
bool IsLoopback(const Address& address);

// OK when a listener can be bound there right now; else a message with the
// system's reason.
absl::Status CheckListenable(const Address& address);

// The address at which a client on this machine reaches a server that listens
// on `address` (0.0.0.0 is listened on, not connected to).
Address ReachableAddress(const Address& address);

}  // namespace sextant
