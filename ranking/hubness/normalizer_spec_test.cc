// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/normalizer_spec.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status_matchers.h"

namespace sextant {
namespace {

TEST(NormalizerSpec, EveryMethodHasANameAndValidDefaults) {
  for (const NormalizerMethod method : AllNormalizerMethods()) {
    ASSERT_OK_AND_ASSIGN(const NormalizerMethod again,
                         MethodOfName(NameOf(method)));
    EXPECT_EQ(again, method);
    EXPECT_OK(ValidateSpec(DefaultSpec(method)));
    EXPECT_THAT(Describe(DefaultSpec(method)),
                testing::HasSubstr(std::string(NameOf(method))));
  }
  EXPECT_THAT(MethodOfName("softmax\xff"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::HasSubstr("inverted_softmax")));
}

TEST(NormalizerSpec, ParametersHaveLimits) {
  struct Case {
    NormalizerMethod method;
    std::function<void(NormalizerSpec&)> spoil;
    std::string field;
  };
  using M = NormalizerMethod;
  const std::vector<Case> cases = {
      {M::kInvertedSoftmax, [](auto& s) { s.beta = 0; }, "beta"},
      {M::kInvertedSoftmax, [](auto& s) { s.beta = NAN; }, "beta"},
      {M::kInvertedSoftmax, [](auto& s) { s.beta = INFINITY; }, "beta"},
      {M::kDynamicInvertedSoftmax, [](auto& s) { s.beta = -1; }, "beta"},
      {M::kDynamicInvertedSoftmax, [](auto& s) { s.gate_k = 0; }, "gate_k"},
      {M::kDynamicInvertedSoftmax, [](auto& s) { s.gate_k = 65; }, "gate_k"},
      {M::kDualInvertedSoftmax, [](auto& s) { s.gallery_beta = 0; },
       "gallery_beta"},
      {M::kCsls, [](auto& s) { s.k = 0; }, "k"},
      {M::kCsls, [](auto& s) { s.k = 4097; }, "k"},
      {M::kNearestNeighbor, [](auto& s) { s.alpha = NAN; }, "alpha"},
      {M::kNearestNeighbor, [](auto& s) { s.alpha = -0.1; }, "alpha"},
      {M::kSinkhorn, [](auto& s) { s.tau = 0; }, "tau"},
      {M::kSinkhorn, [](auto& s) { s.iterations = 0; }, "iterations"},
      {M::kDualSinkhorn, [](auto& s) { s.iterations = 1001; }, "iterations"},
      {M::kLocalScaling, [](auto& s) { s.k = 0; }, "k"},
      {M::kNicdm, [](auto& s) { s.candidates = 0; }, "candidates"},
      {M::kMarginRatio, [](auto& s) { s.candidates = 1001; }, "candidates"},
  };
  for (const Case& wrong : cases) {
    NormalizerSpec spec = DefaultSpec(wrong.method);
    wrong.spoil(spec);
    EXPECT_THAT(ValidateSpec(spec),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::StartsWith(wrong.field + ": ")));
  }
  // What a method does not read is not looked at.
  NormalizerSpec spec = DefaultSpec(NormalizerMethod::kCsls);
  spec.beta = NAN;
  EXPECT_OK(ValidateSpec(spec));
}

}  // namespace
}  // namespace sextant
