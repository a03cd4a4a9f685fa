// SPDX-License-Identifier: Apache-2.0

#pragma once

namespace sextant {

// Gives heap pages on which nothing lives any more back to the operating
// system; for after work that freed much. Takes some 10 ms for 100 MB given
// back, while other threads may wait for memory. Thread-safe. Does nothing
// without glibc.
void ReleaseFreeMemory();

}  // namespace sextant
