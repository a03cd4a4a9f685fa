// SPDX-License-Identifier: Apache-2.0
//
// Fits a Cosine Adapter to labelled pairs.

#pragma once

#include <cstdint>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/context.h"
#include "ranking/hubness/vector_rows.h"
#include "ranking/relevance/cosine_adapter.h"

namespace sextant {

// A query, a point that it was compared with, and what people say of it.
struct LabelledPair {
  uint32_t query = 0;  // row
  float cosine = 0;
  bool relevant = false;
};

struct TrainingSet {
  VectorRows queries;  // of unit length
  // By ascending query; each has some.
  std::span<const LabelledPair> pairs;
};

struct TrainingOptions {
  static constexpr uint32_t kHiddenMax = 256;
  static constexpr uint32_t kEpochsMax = 10'000;

  AdapterFamily family = AdapterFamily::kPower;
  uint32_t hidden = 128;  // units, 1 to kHiddenMax
  uint32_t epochs = 300;
  uint32_t batch = 64;  // queries
  // Chosen on bitext-de and flickr8k of the shared data: a wide layer whose
  // weights are held small does best on new queries.
  double learning_rate = 0.001;
  double weight_decay = 3;
  // Of the queries: they are not learned from, their loss says when to stop.
  double stopping_share = 0.2;
  // Epochs in which it does not fall.
  uint32_t patience = 30;
  uint64_t seed = 1;
};

struct TrainedAdapter {
  Mlp mlp;              // for the vectors of queries as they are
  uint32_t epochs = 0;  // that were kept; 0: the network found nothing
  // Mean binary cross-entropy of a pair in the stopping set, of one curve for
  // all queries and of the network's.
  double shared_loss = 0;
  double loss = 0;
};

// Where a training stands, after each pass over the queries.
struct TrainingEpoch {
  uint32_t epoch = 0;   // passes done
  uint32_t epochs = 0;  // at most; it ends earlier when it does not help
  double loss = 0;      // mean cross-entropy of a pair in the stopping set
  double best_loss = 0;
};
// What is not OK ends the training.
using OnEpoch = absl::FunctionRef<absl::Status(const TrainingEpoch&)>;

// One hidden layer, pointwise binary cross-entropy, Adam (Kingma and Ba, ICLR
// 2015) with decoupled weight decay (Loshchilov and Hutter, ICLR 2019) over
// batches of queries. It begins with the curve that is best for all queries
// together, so that an adapter that learns nothing from queries is a threshold
// for cosines. The same seed gives the same network on one kind of machine.
//
// Needs a relevant pair and one that is not; kFailedPrecondition without.
// The context's error, or that of `on_epoch`. One thread.
absl::StatusOr<TrainedAdapter> TrainAdapter(const TrainingSet& set,
                                            const TrainingOptions& options,
                                            OnEpoch on_epoch,
                                            const RequestContext& context);
// The same without a listener.
absl::StatusOr<TrainedAdapter> TrainAdapter(const TrainingSet& set,
                                            const TrainingOptions& options,
                                            const RequestContext& context);

}  // namespace sextant
