// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace sextant {

// Every RPC of the API, for metrics and admission.
enum class Method {
  kCreateCollection,
  kGetCollection,
  kListCollections,
  kAddPayloadField,
  kUpdateTextField,
  kDeleteCollection,
  kAnalyze,
  kUpsertPoints,
  kStreamUpsertPoints,
  kGetPoints,
  kDeletePoints,
  kScrollPoints,
  kCountPoints,
  kFacetPoints,
  kSearch,
  kSearchBatch,
  kPutBank,
  kSampleBank,
  kListBanks,
  kDeleteBank,
  kPutNormalizer,
  kListNormalizers,
  kDeleteNormalizer,
  kTuneNormalizer,
  kDiagnoseHubness,
  kMinePairs,
  kFitAdapter,
  kPutAdapter,
  kListAdapters,
  kDeleteAdapter,
  kSetQuerySample,
  kListQuerySamples,
  kClearQuerySample,
  kPutBankOfQueries,
};

// Which threads serve a method; each pool has its own bounded queue, so that a
// flood of one kind does not keep out the others.
// Analyses are works of minutes.
enum class Pool { kSearch, kRead, kWrite, kAnalysis };

struct MethodInfo {
  Method method;
  absl::string_view name;  // as in metrics
  Pool pool;
};

inline constexpr std::array<MethodInfo, 34> kMethods = {{
    {Method::kCreateCollection, "CreateCollection", Pool::kWrite},
    {Method::kGetCollection, "GetCollection", Pool::kRead},
    {Method::kListCollections, "ListCollections", Pool::kRead},
    {Method::kAddPayloadField, "AddPayloadField", Pool::kWrite},
    {Method::kUpdateTextField, "UpdateTextField", Pool::kWrite},
    {Method::kDeleteCollection, "DeleteCollection", Pool::kWrite},
    {Method::kAnalyze, "Analyze", Pool::kRead},
    {Method::kUpsertPoints, "UpsertPoints", Pool::kWrite},
    {Method::kStreamUpsertPoints, "StreamUpsertPoints", Pool::kWrite},
    {Method::kGetPoints, "GetPoints", Pool::kRead},
    {Method::kDeletePoints, "DeletePoints", Pool::kWrite},
    {Method::kScrollPoints, "ScrollPoints", Pool::kRead},
    {Method::kCountPoints, "CountPoints", Pool::kRead},
    {Method::kFacetPoints, "FacetPoints", Pool::kRead},
    {Method::kSearch, "Search", Pool::kSearch},
    {Method::kSearchBatch, "SearchBatch", Pool::kSearch},
    {Method::kPutBank, "PutBank", Pool::kWrite},
    {Method::kSampleBank, "SampleBank", Pool::kWrite},
    {Method::kListBanks, "ListBanks", Pool::kRead},
    {Method::kDeleteBank, "DeleteBank", Pool::kWrite},
    {Method::kPutNormalizer, "PutNormalizer", Pool::kWrite},
    {Method::kListNormalizers, "ListNormalizers", Pool::kRead},
    {Method::kDeleteNormalizer, "DeleteNormalizer", Pool::kWrite},
    {Method::kTuneNormalizer, "TuneNormalizer", Pool::kAnalysis},
    {Method::kDiagnoseHubness, "DiagnoseHubness", Pool::kAnalysis},
    {Method::kMinePairs, "MinePairs", Pool::kAnalysis},
    {Method::kFitAdapter, "FitAdapter", Pool::kAnalysis},
    {Method::kPutAdapter, "PutAdapter", Pool::kWrite},
    {Method::kListAdapters, "ListAdapters", Pool::kRead},
    {Method::kDeleteAdapter, "DeleteAdapter", Pool::kWrite},
    {Method::kSetQuerySample, "SetQuerySample", Pool::kWrite},
    {Method::kListQuerySamples, "ListQuerySamples", Pool::kRead},
    {Method::kClearQuerySample, "ClearQuerySample", Pool::kWrite},
    {Method::kPutBankOfQueries, "PutBankOfQueries", Pool::kWrite},
}};

constexpr size_t IndexOf(Method method) {
  return static_cast<size_t>(method);
}
constexpr const MethodInfo& InfoOf(Method method) {
  return kMethods[IndexOf(method)];
}

inline constexpr std::array<absl::string_view, 4> kPoolNames = {
    "search", "read", "write", "analysis"};
constexpr size_t IndexOf(Pool pool) {
  return static_cast<size_t>(pool);
}

}  // namespace sextant
