// SPDX-License-Identifier: Apache-2.0

#pragma once

namespace sextant {

// Binary search: the first number in [first, last) for which `is_before` is
// false, `last` if there is none. Where it is false it stays false.
template <typename Number, typename IsBefore>
Number FirstNot(Number first, Number last, IsBefore is_before) {
  while (first < last) {
    const Number middle = first + (last - first) / 2;
    if (is_before(middle)) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

}  // namespace sextant
