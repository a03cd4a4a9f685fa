// SPDX-License-Identifier: Apache-2.0
#include "server/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sextant {
namespace {

std::string SystemReason(int error) {
  return std::generic_category().message(error);
}

absl::Status TryBind(const addrinfo& info) {
  const int socket_fd = ::socket(
      info.ai_family, info.ai_socktype | SOCK_CLOEXEC, info.ai_protocol);
  if (socket_fd < 0) {
    return absl::UnavailableError(SystemReason(errno));
  }
  // As the servers do: an address in TIME_WAIT is free.
  const int on = 1;
  ::setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool bound = ::bind(socket_fd, info.ai_addr, info.ai_addrlen) == 0 &&
                     ::listen(socket_fd, 1) == 0;
  const int error = errno;
  ::close(socket_fd);
  return bound ? absl::OkStatus() : absl::UnavailableError(SystemReason(error));
}

}  // namespace

std::string Address::ToString() const {
  const bool ipv6 = absl::StrContains(host, ':');
  return ipv6 ? absl::StrCat("[", host, "]:", port)
              : absl::StrCat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const absl::Status error = absl::InvalidArgumentError(
      absl::StrCat("must be host:port with a port from 0 to 65535, such as "
                   "127.0.0.1:6350 or [::1]:6350, got '",
                   text, "'"));
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) {
    return error;
  }
  const absl::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  if (digits.empty() || digits.size() > 5 ||
      digits.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(digits, &port) || port > 65535) {
    return error;
  }
  absl::string_view host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') {
      return error;
    }
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return error;  // an IPv6 address without brackets
  }
  return Address{std::string(host), static_cast<uint16_t>(port)};
}

bool IsLoopback(const Address& address) {
  if (address.host == "localhost") {
    return true;
  }
  in_addr ipv4{};
  if (::inet_pton(AF_INET, address.host.c_str(), &ipv4) == 1) {
    return (ntohl(ipv4.s_addr) >> 24U) == 127;
  }
  in6_addr ipv6{};
  return ::inet_pton(AF_INET6, address.host.c_str(), &ipv6) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&ipv6);
}

absl::Status CheckListenable(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(
      address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(
      found, &::freeaddrinfo);
  // A name may have addresses of a family that this machine lacks.
  absl::Status status;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    status = TryBind(*info);
    if (status.ok()) {
      break;
    }
  }
  return status;
}

Address ReachableAddress(const Address& address) {
  if (address.host == "0.0.0.0") {
    return {"127.0.0.1", address.port};
  }
  if (address.host == "::") {
    return {"::1", address.port};
  }
  return address;
}

}  // namespace sextant
