// SPDX-License-Identifier: Apache-2.0
#include "server/convert/source.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "server/convert/point.h"
#include "server/convert/text_query.h"

namespace sextant {
namespace {

absl::Status UnknownNumber(absl::string_view path, absl::string_view known,
                           int number) {
  return InvalidField(path,
                      absl::StrCat("must be ", known, ", got number ", number));
}

absl::StatusOr<DenseSource> ToDenseSource(const v1::DenseSource& message) {
  DenseSource source;
  if (message.field().size() > limits::kNameBytesMax) {
    return InvalidField(
        "dense.field",
        absl::StrCat("a name has at most ", limits::kNameBytesMax,
                     " characters, got ", message.field().size()));
  }
  source.field = message.field();
  switch (message.target_case()) {
    case v1::DenseSource::kVector: {
      ASSIGN_OR_RETURN(source.target,
                       ToFloats(message.vector(), "dense.vector"));
      break;
    }
    case v1::DenseSource::kStoredPoint: {
      ASSIGN_OR_RETURN(source.target,
                       ToPointId(message.stored_point(), "dense.stored_point"));
      break;
    }
    case v1::DenseSource::TARGET_NOT_SET:
      return InvalidField("dense", "required: `vector` or `stored_point`");
  }
  if (message.ef() > limits::kEfMax) {
    return InvalidField("dense.ef", absl::StrCat("at most ", limits::kEfMax,
                                                 ", got ", message.ef()));
  }
  if (message.exact() && message.ef() != 0) {
    return InvalidField("dense.ef",
                        "not with `exact`, which compares with every point");
  }
  source.ef = message.ef();
  source.exact = message.exact();
  if (message.normalizer().size() > limits::kNameBytesMax) {
    return InvalidField(
        "dense.normalizer",
        absl::StrCat("a name has at most ", limits::kNameBytesMax,
                     " characters, got ", message.normalizer().size()));
  }
  source.normalizer = message.normalizer();
  return source;
}

absl::StatusOr<SparseSource> ToSparseSource(const v1::SparseSource& message) {
  SparseSource source;
  if (message.field().size() > limits::kNameBytesMax) {
    return InvalidField(
        "sparse.field",
        absl::StrCat("a name has at most ", limits::kNameBytesMax,
                     " characters, got ", message.field().size()));
  }
  source.field = message.field();
  switch (message.target_case()) {
    case v1::SparseSource::kVector: {
      ASSIGN_OR_RETURN(source.target,
                       ToSparseEntries(message.vector(), "sparse.vector"));
      return source;
    }
    case v1::SparseSource::kStoredPoint: {
      ASSIGN_OR_RETURN(source.target, ToPointId(message.stored_point(),
                                                "sparse.stored_point"));
      return source;
    }
    case v1::SparseSource::TARGET_NOT_SET:
      break;
  }
  return InvalidField("sparse", "required: `vector` or `stored_point`");
}

absl::StatusOr<std::optional<FusionNormaliser>> ToNormaliser(
    v1::Normaliser normaliser) {
  switch (normaliser) {
    case v1::NORMALISER_UNSPECIFIED:
      return std::optional<FusionNormaliser>();
    case v1::NORMALISER_NONE:
      return FusionNormaliser::kNone;
    case v1::NORMALISER_MIN_MAX:
      return FusionNormaliser::kMinMax;
    case v1::NORMALISER_Z_SCORE:
      return FusionNormaliser::kZScore;
    case v1::NORMALISER_DBSF:
      return FusionNormaliser::kDbsf;
    case v1::NORMALISER_THEORETICAL_MINIMUM:
      return FusionNormaliser::kTheoreticalMinimum;
    default:
      return UnknownNumber("normaliser",
                           "NORMALISER_NONE, _MIN_MAX, _Z_SCORE, _DBSF or "
                           "_THEORETICAL_MINIMUM",
                           normaliser);
  }
}

absl::StatusOr<SourceShare> ToShare(const v1::Source& message) {
  SourceShare share;
  share.candidates = message.candidates();
  if (message.has_weight()) {
    share.weight = message.weight();
  }
  ASSIGN_OR_RETURN(share.normaliser, ToNormaliser(message.normaliser()));
  if (message.has_theoretical_minimum()) {
    share.theoretical_minimum = message.theoretical_minimum();
  }
  share.uses_true_scores = !message.missing_as_zero();
  return share;
}

// `depth` counts the groups around it: a request that nests without end is
// refused before it is followed.
absl::StatusOr<Source> ToSourceAt(const v1::Source& message, size_t depth) {
  ASSIGN_OR_RETURN(SourceShare share, ToShare(message));
  switch (message.kind_case()) {
    case v1::Source::kDense: {
      ASSIGN_OR_RETURN(DenseSource dense, ToDenseSource(message.dense()));
      dense.share = std::move(share);
      return Source(std::move(dense));
    }
    case v1::Source::kText: {
      ASSIGN_OR_RETURN(TextSource text, ToTextSource(message.text()));
      text.share = std::move(share);
      return Source(std::move(text));
    }
    case v1::Source::kSparse: {
      ASSIGN_OR_RETURN(SparseSource sparse, ToSparseSource(message.sparse()));
      sparse.share = std::move(share);
      return Source(std::move(sparse));
    }
    case v1::Source::kGroup: {
      if (depth + 1 >= limits::kSourceDepthMax) {
        return InvalidField("group",
                            absl::StrCat("groups nest at most ",
                                         limits::kSourceDepthMax - 1, " deep"));
      }
      SourceGroup group{.share = std::move(share)};
      const v1::SourceGroup& wire = message.group();
      for (int i = 0; i < wire.sources_size(); ++i) {
        absl::StatusOr<Source> source = ToSourceAt(wire.sources(i), depth + 1);
        if (!source.ok()) {
          return PrefixField(absl::StrCat("group.sources[", i, "]."),
                             source.status());
        }
        group.sources.push_back(*std::move(source));
      }
      if (wire.has_fusion()) {
        absl::StatusOr<FusionChoice> fusion = ToFusion(wire.fusion());
        if (!fusion.ok()) {
          return PrefixField("group.", fusion.status());
        }
        group.fusion = *fusion;
      }
      return Source(std::move(group));
    }
    case v1::Source::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind",
                      "required: one that this server knows: `dense`, "
                      "`text`, `sparse` or `group`");
}

absl::StatusOr<NumberBoost> ToNumberBoost(const v1::NumberBoost& message) {
  NumberBoost boost;
  switch (message.shape()) {
    case v1::NUMBER_SHAPE_UNSPECIFIED:
    case v1::NUMBER_SHAPE_IDENTITY:
      boost.shape = NumberBoost::Shape::kIdentity;
      break;
    case v1::NUMBER_SHAPE_LOG:
      boost.shape = NumberBoost::Shape::kLog;
      break;
    case v1::NUMBER_SHAPE_SQRT:
      boost.shape = NumberBoost::Shape::kSqrt;
      break;
    case v1::NUMBER_SHAPE_SATURATION:
      boost.shape = NumberBoost::Shape::kSaturation;
      break;
    default:
      return UnknownNumber("number.shape",
                           "NUMBER_SHAPE_IDENTITY, _LOG, _SQRT or _SATURATION",
                           message.shape());
  }
  if (message.has_factor()) {
    boost.factor = message.factor();
  }
  return boost;
}

absl::StatusOr<TableBoost> ToTableBoost(const v1::TableBoost& message) {
  if (message.values().size() > limits::kBoostTableMax) {
    return InvalidField(
        "table.values",
        absl::StrCat("at most ", limits::kBoostTableMax, " keywords, got ",
                     message.values().size()));
  }
  TableBoost boost;
  boost.otherwise = message.otherwise();
  for (const auto& [keyword, value] : message.values()) {
    boost.values.emplace(keyword, value);
  }
  return boost;
}

absl::StatusOr<DecayBoost> ToDecayBoost(const v1::DecayBoost& message) {
  DecayBoost boost;
  switch (message.shape()) {
    case v1::DECAY_SHAPE_UNSPECIFIED:
    case v1::DECAY_SHAPE_EXP:
      boost.shape = DecayBoost::Shape::kExp;
      break;
    case v1::DECAY_SHAPE_GAUSS:
      boost.shape = DecayBoost::Shape::kGauss;
      break;
    case v1::DECAY_SHAPE_LINEAR:
      boost.shape = DecayBoost::Shape::kLinear;
      break;
    default:
      return UnknownNumber("decay.shape", "DECAY_SHAPE_EXP, _GAUSS or _LINEAR",
                           message.shape());
  }
  boost.origin = message.origin();
  boost.offset = message.offset();
  boost.scale = message.scale();
  if (message.has_decay()) {
    boost.decay = message.decay();
  }
  return boost;
}

void FromSources(
    const std::vector<SourceExplanation>& sources,
    google::protobuf::RepeatedPtrField<v1::SourceExplanation>* messages) {
  for (const SourceExplanation& source : sources) {
    v1::SourceExplanation* const wire = messages->Add();
    wire->set_source(source.source);
    wire->set_kind(source.kind);
    wire->set_listed(source.listed);
    if (source.score.has_value()) {
      wire->set_score(*source.score);
    }
    wire->set_rank(source.rank);
    wire->set_normalised(source.normalised);
    wire->set_weight(source.weight);
    wire->set_share(source.share);
    FromTerms(source.terms, wire);
    for (const SparseProduct& product : source.products) {
      v1::SparseProduct* const part = wire->add_products();
      part->set_index(product.index);
      part->set_query_weight(product.query_weight);
      part->set_weight(product.weight);
      part->set_score(product.score);
    }
    FromSources(source.sources, wire->mutable_sources());
  }
}

}  // namespace

absl::StatusOr<Source> ToSource(const v1::Source& message) {
  return ToSourceAt(message, 0);
}

absl::StatusOr<FusionChoice> ToFusion(const v1::Fusion& message) {
  FusionChoice choice;
  switch (message.method()) {
    case v1::FUSION_METHOD_UNSPECIFIED:
    case v1::FUSION_METHOD_RECIPROCAL_RANK:
      choice.method = FusionMethod::kReciprocalRank;
      break;
    case v1::FUSION_METHOD_LINEAR:
      choice.method = FusionMethod::kLinear;
      break;
    default:
      return UnknownNumber(
          "fusion.method",
          "FUSION_METHOD_RECIPROCAL_RANK or FUSION_METHOD_LINEAR",
          message.method());
  }
  if (message.has_rank_constant()) {
    choice.rank_constant = message.rank_constant();
  }
  return choice;
}

absl::StatusOr<PayloadBoost> ToBoost(const v1::Boost& message) {
  PayloadBoost boost;
  boost.field = message.field();
  switch (message.function_case()) {
    case v1::Boost::kNumber: {
      ASSIGN_OR_RETURN(boost.boost.function, ToNumberBoost(message.number()));
      break;
    }
    case v1::Boost::kTable: {
      ASSIGN_OR_RETURN(boost.boost.function, ToTableBoost(message.table()));
      break;
    }
    case v1::Boost::kDecay: {
      ASSIGN_OR_RETURN(boost.boost.function, ToDecayBoost(message.decay()));
      break;
    }
    case v1::Boost::FUNCTION_NOT_SET:
      return InvalidField("function",
                          "required: one that this server knows: `number`, "
                          "`table` or `decay`");
  }
  switch (message.mode()) {
    case v1::BOOST_MODE_UNSPECIFIED:
    case v1::BOOST_MODE_ADD:
      boost.boost.mode = Boost::Mode::kAdd;
      break;
    case v1::BOOST_MODE_MULTIPLY:
      boost.boost.mode = Boost::Mode::kMultiply;
      break;
    default:
      return UnknownNumber("mode", "BOOST_MODE_ADD or BOOST_MODE_MULTIPLY",
                           message.mode());
  }
  if (message.has_weight()) {
    boost.boost.weight = message.weight();
  }
  if (message.has_missing()) {
    boost.boost.missing = message.missing();
  }
  return boost;
}

void FromExplanation(const HitExplanation& explanation,
                     v1::HitExplanation* message) {
  FromSources(explanation.sources, message->mutable_sources());
  message->set_fused(explanation.fused);
  for (const BoostExplanation& boost : explanation.boosts) {
    v1::BoostExplanation* const wire = message->add_boosts();
    wire->set_field(boost.field);
    if (boost.boost.has_value()) {
      wire->set_boost(*boost.boost);
    }
    wire->set_score(boost.score);
  }
}

}  // namespace sextant
