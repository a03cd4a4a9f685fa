// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "base/status_matchers.h"
#include "engine/collection.h"
#include "engine/engine_fixture.h"
#include "tests/crash/workload.h"

namespace sextant::test {

// A change of the text field that was begun before the crash ends after it;
// the texts are found by the analysis that the schema names.
inline void CheckTexts(const Collection& collection, const WorkModel& points) {
  ASSERT_FALSE(collection.schema()->text_fields.empty());
  ASSERT_TRUE(WaitUntil([&] { return !collection.Info().text_change; }));
  const bool stems =
      !collection.schema()->text_fields[0].analysis.language.empty();
  uint64_t expected = 0;
  for (const auto& [id, point] : points) {
    expected += stems || absl::StrContains(point.payload, "running") ? 1U : 0U;
  }
  TextSource source;
  source.query.text = "running";
  SearchQuery query;
  query.sources = {source};
  query.limit = 10'000;
  const auto found = collection.Search(query, Unlimited());
  ASSERT_OK(found);
  EXPECT_EQ(found->hits.size(), expected) << (stems ? "stems" : "words");
}

}  // namespace sextant::test
