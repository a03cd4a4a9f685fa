// SPDX-License-Identifier: Apache-2.0
#include "ranking/hubness/normalizer_spec.h"

#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/check.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace sextant {
namespace {

struct MethodFacts {
  NormalizerMethod method;
  absl::string_view name;
  bool additive = true;
  bool dynamic = false;
  bool query_bank = true;
  bool gallery_bank = false;
  // Parameters that it reads, apart from the two betas.
  bool beta = false;
  bool alpha = false;
  uint32_t k = 0;  // 0: reads none; else the default
  bool sinkhorn = false;
};

constexpr std::array<MethodFacts, 14> kMethods = {{
    {.method = NormalizerMethod::kInvertedSoftmax,
     .name = "inverted_softmax",
     .beta = true},
    {.method = NormalizerMethod::kDynamicInvertedSoftmax,
     .name = "dynamic_inverted_softmax",
     .dynamic = true,
     .beta = true},
    {.method = NormalizerMethod::kGloballyCorrected,
     .name = "globally_corrected",
     .additive = false},
    {.method = NormalizerMethod::kCsls, .name = "csls", .k = 10},
    {.method = NormalizerMethod::kNearestNeighbor,
     .name = "nearest_neighbor",
     .alpha = true,
     .k = 128},
    {.method = NormalizerMethod::kMarginDistance,
     .name = "margin_distance",
     .k = 4},
    {.method = NormalizerMethod::kMarginRatio,
     .name = "margin_ratio",
     .additive = false,
     .k = 4},
    {.method = NormalizerMethod::kDualInvertedSoftmax,
     .name = "dual_inverted_softmax",
     .gallery_bank = true,
     .beta = true},
    {.method = NormalizerMethod::kDualDynamicInvertedSoftmax,
     .name = "dual_dynamic_inverted_softmax",
     .dynamic = true,
     .gallery_bank = true,
     .beta = true},
    {.method = NormalizerMethod::kSinkhorn,
     .name = "sinkhorn",
     .sinkhorn = true},
    {.method = NormalizerMethod::kDualSinkhorn,
     .name = "dual_sinkhorn",
     .gallery_bank = true,
     .sinkhorn = true},
    {.method = NormalizerMethod::kMutualProximity,
     .name = "mutual_proximity",
     .additive = false,
     .query_bank = false,
     .k = 50},
    {.method = NormalizerMethod::kLocalScaling,
     .name = "local_scaling",
     .additive = false,
     .query_bank = false,
     .k = 5},
    {.method = NormalizerMethod::kNicdm,
     .name = "nicdm",
     .additive = false,
     .query_bank = false,
     .k = 5},
}};

const MethodFacts& FactsOf(NormalizerMethod method) {
  for (const MethodFacts& facts : kMethods) {
    if (facts.method == method) {
      return facts;
    }
  }
  CHECK(false) << "a method without facts: " << static_cast<int>(method);
  return kMethods[0];
}

absl::Status CheckRange(absl::string_view field, double value, double low,
                        double high) {
  // Written so that "not a number" fails too.
  if (!(value >= low && value <= high)) {
    return InvalidField(
        field, absl::StrCat(value, " is not between ", low, " and ", high));
  }
  return absl::OkStatus();
}

absl::Status CheckBeta(absl::string_view field, double value) {
  if (!(value > 0 && value <= kBetaMax)) {
    return InvalidField(
        field, absl::StrCat(value, " is not above 0 and up to ", kBetaMax));
  }
  return absl::OkStatus();
}

}  // namespace

const std::vector<NormalizerMethod>& AllNormalizerMethods() {
  static const std::vector<NormalizerMethod>& all = *[] {
    auto* methods = new std::vector<NormalizerMethod>;
    for (const MethodFacts& facts : kMethods) {
      methods->push_back(facts.method);
    }
    return methods;
  }();
  return all;
}

absl::string_view NameOf(NormalizerMethod method) {
  return FactsOf(method).name;
}

absl::StatusOr<NormalizerMethod> MethodOfName(absl::string_view name) {
  for (const MethodFacts& facts : kMethods) {
    if (facts.name == name) {
      return facts.method;
    }
  }
  return InvalidField(
      "method",
      absl::StrCat("'", ShownText(name, 64), "' is not one of ",
                   absl::StrJoin(kMethods, ", ",
                                 [](std::string* out, const MethodFacts& m) {
                                   absl::StrAppend(out, m.name);
                                 })));
}

NormalizerSpec DefaultSpec(NormalizerMethod method) {
  NormalizerSpec spec;
  spec.method = method;
  if (FactsOf(method).k > 0) {
    spec.k = FactsOf(method).k;
  }
  return spec;
}

absl::Status ValidateSpec(const NormalizerSpec& spec) {
  const MethodFacts& facts = FactsOf(spec.method);
  if (facts.beta) {
    RETURN_IF_ERROR(CheckBeta("beta", spec.beta));
    if (facts.gallery_bank) {
      RETURN_IF_ERROR(CheckBeta("gallery_beta", spec.gallery_beta));
    }
  }
  if (facts.alpha) {
    RETURN_IF_ERROR(CheckRange("alpha", spec.alpha, 0, kAlphaMax));
  }
  if (facts.k > 0) {
    RETURN_IF_ERROR(CheckRange("k", spec.k, 1, kNeighborsMax));
  }
  if (facts.dynamic) {
    RETURN_IF_ERROR(CheckRange("gate_k", spec.gate_k, 1, kGateNeighborsMax));
  }
  if (!facts.additive) {
    RETURN_IF_ERROR(CheckRange("candidates", spec.candidates, 1, kRescoredMax));
  }
  if (facts.sinkhorn) {
    RETURN_IF_ERROR(CheckRange("tau", spec.tau, kTauMin, kTauMax));
    RETURN_IF_ERROR(
        CheckRange("iterations", spec.iterations, 1, kSinkhornIterationsMax));
  }
  return absl::OkStatus();
}

bool IsAdditive(NormalizerMethod method) {
  return FactsOf(method).additive;
}

bool IsDynamic(NormalizerMethod method) {
  return FactsOf(method).dynamic;
}

bool NeedsQueryBank(NormalizerMethod method) {
  return FactsOf(method).query_bank;
}

bool NeedsGalleryBank(NormalizerMethod method) {
  return FactsOf(method).gallery_bank;
}

std::string Describe(const NormalizerSpec& spec) {
  const MethodFacts& facts = FactsOf(spec.method);
  std::vector<std::string> parts;
  if (facts.beta) {
    parts.push_back(absl::StrCat("beta=", spec.beta));
    if (facts.gallery_bank) {
      parts.push_back(absl::StrCat("gallery_beta=", spec.gallery_beta));
    }
  }
  if (facts.alpha) {
    parts.push_back(absl::StrCat("alpha=", spec.alpha));
  }
  if (facts.k > 0) {
    parts.push_back(absl::StrCat("k=", spec.k));
  }
  if (facts.dynamic) {
    parts.push_back(absl::StrCat("gate_k=", spec.gate_k));
  }
  if (facts.sinkhorn) {
    parts.push_back(absl::StrCat("tau=", spec.tau));
    parts.push_back(absl::StrCat("iterations=", spec.iterations));
  }
  if (!facts.additive) {
    parts.push_back(absl::StrCat("candidates=", spec.candidates));
  }
  return absl::StrCat(facts.name, "(", absl::StrJoin(parts, ", "), ")");
}

}  // namespace sextant
