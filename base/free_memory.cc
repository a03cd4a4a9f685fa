// SPDX-License-Identifier: Apache-2.0
#include "base/free_memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace sextant {

void ReleaseFreeMemory() {
#ifdef __GLIBC__
  // glibc keeps freed memory below the last block in use of each of its heaps,
  // and each build thread may have a heap of its own. It also learns to serve
  // blocks of up to 32 MiB from them, once one of that size was freed.
  static_cast<void>(malloc_trim(0));
#endif
}

}  // namespace sextant
