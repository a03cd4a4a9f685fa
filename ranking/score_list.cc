// SPDX-License-Identifier: Apache-2.0
#include "ranking/score_list.h"

#include <algorithm>

namespace sextant {

std::vector<uint32_t> ListedBestFirst(const ScoreList& list) {
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < list.size(); ++i) {
    if (list.listed[i]) {
      order.push_back(i);
    }
  }
  std::sort(order.begin(), order.end(), [&list](uint32_t a, uint32_t b) {
    return list.scores[a] != list.scores[b] ? list.scores[a] > list.scores[b]
                                            : a < b;
  });
  return order;
}

void KeepBestListed(size_t count, ScoreList* list) {
  const std::vector<uint32_t> order = ListedBestFirst(*list);
  for (size_t i = count; i < order.size(); ++i) {
    list->listed[order[i]] = false;
  }
}

}  // namespace sextant
