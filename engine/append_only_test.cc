// SPDX-License-Identifier: Apache-2.0
#include "engine/append_only.h"

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "base/thread.h"

namespace sextant {
namespace {

TEST(AppendOnlyTest, KeepsEveryElementInPlace) {
  AppendOnly<std::string> list;
  const std::string* first = nullptr;
  for (uint32_t i = 0; i < 5000; ++i) {
    list.Append(absl::StrCat("element ", i));
    if (i == 0) {
      first = &list[0];
    }
    ASSERT_EQ(list.size(), i + 1);
  }
  EXPECT_EQ(first, &list[0]);
  for (uint32_t i = 0; i < 5000; ++i) {
    ASSERT_EQ(list[i], absl::StrCat("element ", i));
  }
}

// Around the ends of the chunks, which double from 16.
TEST(AppendOnlyTest, ChunkBorders) {
  AppendOnly<uint32_t> list;
  for (uint32_t i = 0; i < 16 * 1024; ++i) {
    list.Append(i);
  }
  for (uint32_t chunk = 1; chunk < 10; ++chunk) {
    const uint32_t begin = 16 * ((1U << chunk) - 1);
    EXPECT_EQ(list[begin - 1], begin - 1);
    EXPECT_EQ(list[begin], begin);
  }
}

TEST(AppendOnlyTest, ReadersSeeWhatWasPublished) {
  constexpr uint32_t kCount = 20'000;
  AppendOnly<std::string> list;
  std::atomic<uint32_t> published{0};
  const auto read = [&] {
    for (uint32_t seen = 0; seen < kCount;) {
      seen = published.load(std::memory_order_acquire);
      if (seen > 0) {
        ASSERT_EQ(list[seen - 1], absl::StrCat(seen - 1));
        ASSERT_EQ(list[seen / 2], absl::StrCat(seen / 2));
      }
    }
  };
  const Thread first("reader", read);
  const Thread second("reader", read);
  for (uint32_t i = 0; i < kCount; ++i) {
    list.Append(absl::StrCat(i));
    published.store(i + 1, std::memory_order_release);
  }
}

}  // namespace
}  // namespace sextant
