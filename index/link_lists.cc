// SPDX-License-Identifier: Apache-2.0
#include "index/link_lists.h"

#include <algorithm>

#include "base/check.h"

namespace sextant {
namespace {

// A reader that finds the link finds what its node was given before.
void Publish(uint32_t& place, uint32_t to) {
  std::atomic_ref(place).store(to, std::memory_order_release);
}

}  // namespace

LinkLists::LinkLists(uint32_t nodes, uint32_t m)
    : m_(m),
      level0_stride_((2 * m + kLineIds - 1) / kLineIds * kLineIds),
      level0_(uint64_t{nodes} * level0_stride_),
      upper_(nodes),
      levels_(nodes, 0) {}

void LinkLists::Add(uint32_t node, uint32_t level) {
  if (level > 0) {
    const size_t size = static_cast<size_t>(level) * m_;
    upper_[node] = std::make_unique<uint32_t[]>(size);
    std::fill_n(upper_[node].get(), size, kNoNode);
  }
  std::fill_n(list_of(0, node), level0_stride_, kNoNode);
  levels_[node] = static_cast<uint8_t>(level);
}

void LinkLists::Set(uint32_t level, uint32_t node,
                    std::span<const uint32_t> links) {
  const uint32_t end = max_links(level);
  CHECK_LE(links.size(), end);
  uint32_t* const list = list_of(level, node);
  for (uint32_t i = 0; i < end; ++i) {
    Publish(list[i], i < links.size() ? links[i] : kNoNode);
  }
}

bool LinkLists::Append(uint32_t level, uint32_t node, uint32_t to) {
  const std::span<uint32_t> now = links(level, node);
  if (now.size() == max_links(level)) {
    return false;
  }
  Publish(list_of(level, node)[now.size()], to);
  return true;
}

std::span<uint32_t> LinkLists::links(uint32_t level, uint32_t node) const {
  uint32_t* const list = list_of(level, node);
  uint32_t* const end = list + max_links(level);
  return {list, std::find(list, end, kNoNode)};
}

}  // namespace sextant
