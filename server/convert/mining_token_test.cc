// SPDX-License-Identifier: Apache-2.0
#include "server/convert/mining_token.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/errors.h"
#include "base/status_matchers.h"

namespace sextant {
namespace {

const MiningToken kToken{1, 2, 3, 4, 5, 0xFFFFFFFFFFFFFFFF};

TEST(MiningToken, ComesBackAsItWas) {
  ASSERT_OK_AND_ASSIGN(const MiningToken token,
                       MiningToken::FromText(kToken.ToText()));
  EXPECT_EQ(token.job, 1U);
  EXPECT_EQ(token.request, 2U);
  EXPECT_EQ(token.source_seq, 3U);
  EXPECT_EQ(token.target_seq, 4U);
  EXPECT_EQ(token.delivered, 5U);
  EXPECT_EQ(token.hash, kToken.hash);
}

TEST(MiningToken, AnythingElseIsRefused) {
  const std::string good = kToken.ToText();
  const auto expect_refused = [](const std::string& text) {
    EXPECT_EQ(InvalidFieldPath(MiningToken::FromText(text).status()),
              "resume_token")
        << text;
  };
  expect_refused("");
  expect_refused("?");
  expect_refused(std::string(1'000'000, 'A'));
  expect_refused(good + "AAAA");
  for (size_t i = 0; i < good.size(); ++i) {
    expect_refused(good.substr(0, i));
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // The last character holds bits that no byte has.
    if (i + 1 < good.size()) {
      expect_refused(changed);
    }
  }
}

TEST(MiningToken, PairsHashByAllTheyAre) {
  const MinedIds pair{uint64_t{1}, uint64_t{2}, 0.5};
  std::set<uint64_t> hashes = {HashOfPair(pair, 0), HashOfPair(pair, 1)};
  hashes.insert(HashOfPair({uint64_t{2}, uint64_t{1}, 0.5}, 0));
  hashes.insert(HashOfPair({uint64_t{1}, uint64_t{2}, 0.25}, 0));
  hashes.insert(HashOfPair({std::string("ab"), std::string("c"), 0.5}, 0));
  hashes.insert(HashOfPair({std::string("a"), std::string("bc"), 0.5}, 0));
  EXPECT_EQ(hashes.size(), 6U);
}

}  // namespace
}  // namespace sextant
