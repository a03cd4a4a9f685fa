// SPDX-License-Identifier: Apache-2.0
#include "index/search_costs.h"

#include "gtest/gtest.h"

namespace sextant {
namespace {

using Part = ObservedCosts::Part;

TEST(SearchCostsTest, TheGuessFollowsTheBytes) {
  const SearchCosts few = ObservedCosts(64, 512).costs();
  const SearchCosts many = ObservedCosts(512, 4096).costs();
  EXPECT_LT(few.graph_ns, many.graph_ns);
  EXPECT_LT(few.estimate_ns, many.estimate_ns);
  EXPECT_LT(few.row_ns, many.row_ns);
  EXPECT_LT(few.scan_ns, many.scan_ns);
  // What is known ahead, and what lies in order, takes less.
  EXPECT_LT(few.estimate_ns, few.graph_ns);
  EXPECT_LT(few.scan_ns, few.row_ns);
}

TEST(SearchCostsTest, LearnsWhatIsSeen) {
  ObservedCosts costs(64, 512);
  for (int i = 0; i < 300; ++i) {
    costs.Observe(Part::kEstimates, 1000, 3000);
    costs.Observe(Part::kGraph, 1000, 90'000);
  }
  EXPECT_NEAR(costs.costs().estimate_ns, 3, 0.01);
  EXPECT_NEAR(costs.costs().graph_ns, 90, 0.1);
}

TEST(SearchCostsTest, WhatWasNotSeenIsAsMuchSlowerAsTheRest) {
  ObservedCosts costs(64, 512);
  const SearchCosts guess = costs.costs();
  for (int i = 0; i < 300; ++i) {
    costs.Observe(Part::kScan, 1000, 3000 * guess.scan_ns);
  }
  EXPECT_NEAR(costs.costs().row_ns / guess.row_ns, 3, 0.01);
  // Its own searches are what counts then.
  for (int i = 0; i < 300; ++i) {
    costs.Observe(Part::kRows, 1000, 1000 * guess.row_ns);
  }
  EXPECT_NEAR(costs.costs().row_ns / guess.row_ns, 1, 0.01);
  EXPECT_NEAR(costs.costs().scan_ns / guess.scan_ns, 3, 0.01);
}

TEST(SearchCostsTest, FewAndFarSayLittle) {
  ObservedCosts costs(64, 512);
  const SearchCosts guess = costs.costs();
  costs.Observe(Part::kGraph, 3, 1e9);
  EXPECT_EQ(costs.costs().graph_ns, guess.graph_ns);
  costs.Observe(Part::kGraph, 1000, 1e12);
  EXPECT_LT(costs.costs().graph_ns, 1.2 * guess.graph_ns);
  costs.Observe(Part::kGraph, 1000, 0);
  EXPECT_GT(costs.costs().graph_ns, 0.9 * guess.graph_ns);
}

}  // namespace
}  // namespace sextant
