// SPDX-License-Identifier: Apache-2.0
// The client's calls of NormalizerService.
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "clients/cpp/client.h"
#include "clients/cpp/connection.h"
#include "clients/cpp/normalizer_wire.h"
#include "sextant/v1/normalizer_service.grpc.pb.h"

namespace sextant::client {
namespace {

using NormalizerStub = v1::NormalizerService::Stub;

ChangeProgress ProgressFromWire(const v1::ChangeProgress& wire) {
  return {wire.version(), wire.done(), wire.total(), wire.error()};
}

}  // namespace

Bank FromWire(const v1::Bank& wire) {
  Bank bank{wire.name(),    wire.field(), wire.gallery(),
            wire.version(), wire.count(), absl::nullopt};
  if (wire.has_change()) {
    bank.change = {ProgressFromWire(wire.change().progress()),
                   wire.change().count(), wire.change().gallery()};
  }
  return bank;
}

Normalizer FromWire(const v1::Normalizer& wire) {
  Normalizer normalizer;
  normalizer.name = wire.name();
  normalizer.field = wire.field();
  normalizer.method = wire.method();
  normalizer.beta = wire.beta();
  normalizer.gallery_beta = wire.gallery_beta();
  normalizer.alpha = wire.alpha();
  normalizer.k = wire.k();
  normalizer.gate_k = wire.gate_k();
  normalizer.tau = wire.tau();
  normalizer.iterations = wire.iterations();
  normalizer.candidates = wire.candidates();
  normalizer.query_bank = wire.query_bank();
  normalizer.gallery_bank = wire.gallery_bank();
  normalizer.is_default = wire.is_default();
  normalizer.version = wire.version();
  normalizer.query_bank_version = wire.query_bank_version();
  normalizer.gallery_bank_version = wire.gallery_bank_version();
  if (wire.has_change()) {
    normalizer.change = ProgressFromWire(wire.change());
  }
  normalizer.segments_ready = wire.segments_ready();
  normalizer.segments = wire.segments();
  normalizer.memory_bytes = wire.memory_bytes();
  if (wire.has_query_shift()) {
    const v1::QueryShift& shift = wire.query_shift();
    normalizer.query_shift = {shift.queries(), shift.query_similarity(),
                              shift.bank_similarity(), shift.distance(),
                              shift.is_shifted()};
  }
  return normalizer;
}

void ToWire(const Normalizer& normalizer, v1::Normalizer* wire) {
  wire->set_name(normalizer.name);
  wire->set_field(normalizer.field);
  wire->set_method(normalizer.method);
  if (normalizer.beta.has_value()) {
    wire->set_beta(*normalizer.beta);
  }
  if (normalizer.gallery_beta.has_value()) {
    wire->set_gallery_beta(*normalizer.gallery_beta);
  }
  if (normalizer.alpha.has_value()) {
    wire->set_alpha(*normalizer.alpha);
  }
  if (normalizer.k.has_value()) {
    wire->set_k(*normalizer.k);
  }
  if (normalizer.gate_k.has_value()) {
    wire->set_gate_k(*normalizer.gate_k);
  }
  if (normalizer.tau.has_value()) {
    wire->set_tau(*normalizer.tau);
  }
  if (normalizer.iterations.has_value()) {
    wire->set_iterations(*normalizer.iterations);
  }
  if (normalizer.candidates.has_value()) {
    wire->set_candidates(*normalizer.candidates);
  }
  wire->set_query_bank(normalizer.query_bank);
  wire->set_gallery_bank(normalizer.gallery_bank);
  wire->set_is_default(normalizer.is_default);
}

absl::StatusOr<Bank> Client::PutBank(absl::string_view collection,
                                     const Bank& bank,
                                     std::span<const std::vector<float>> rows,
                                     const CallOptions& call, ReturnWhen when) {
  v1::PutBankRequest request;
  request.set_collection(std::string(collection));
  request.set_name(bank.name);
  request.set_field(bank.field);
  request.set_gallery(bank.gallery);
  for (const std::vector<float>& row : rows) {
    request.add_vectors()->set_raw(row.data(), row.size() * sizeof(float));
  }
  request.set_no_wait(when == ReturnWhen::kStored);
  v1::PutBankResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->normalizers(),
                                    &NormalizerStub::PutBank, request,
                                    &response, call));
  return FromWire(response.bank());
}

absl::StatusOr<Bank> Client::SampleBank(absl::string_view collection,
                                        const Bank& bank,
                                        const BankSample& sample,
                                        const CallOptions& call,
                                        ReturnWhen when) {
  v1::SampleBankRequest request;
  request.set_collection(std::string(collection));
  request.set_name(bank.name);
  request.set_field(bank.field);
  request.set_count(sample.count);
  request.set_seed(sample.seed);
  request.set_no_wait(when == ReturnWhen::kStored);
  v1::SampleBankResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->normalizers(),
                                    &NormalizerStub::SampleBank, request,
                                    &response, call));
  return FromWire(response.bank());
}

absl::StatusOr<std::vector<Bank>> Client::ListBanks(
    absl::string_view collection, const CallOptions& call) {
  v1::ListBanksRequest request;
  request.set_collection(std::string(collection));
  v1::ListBanksResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->normalizers(),
                                    &NormalizerStub::ListBanks, request,
                                    &response, call));
  std::vector<Bank> banks;
  for (const v1::Bank& bank : response.banks()) {
    banks.push_back(FromWire(bank));
  }
  return banks;
}

absl::Status Client::DeleteBank(absl::string_view collection,
                                absl::string_view name,
                                const CallOptions& call) {
  v1::DeleteBankRequest request;
  request.set_collection(std::string(collection));
  request.set_name(std::string(name));
  v1::DeleteBankResponse response;
  return connection_->Call(connection_->normalizers(),
                           &NormalizerStub::DeleteBank, request, &response,
                           call);
}

absl::StatusOr<Normalizer> Client::PutNormalizer(absl::string_view collection,
                                                 const Normalizer& normalizer,
                                                 const CallOptions& call,
                                                 ReturnWhen when) {
  v1::PutNormalizerRequest request;
  request.set_collection(std::string(collection));
  ToWire(normalizer, request.mutable_normalizer());
  request.set_no_wait(when == ReturnWhen::kStored);
  v1::PutNormalizerResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->normalizers(),
                                    &NormalizerStub::PutNormalizer, request,
                                    &response, call));
  return FromWire(response.normalizer());
}

absl::StatusOr<std::vector<Normalizer>> Client::ListNormalizers(
    absl::string_view collection, const CallOptions& call) {
  v1::ListNormalizersRequest request;
  request.set_collection(std::string(collection));
  v1::ListNormalizersResponse response;
  RETURN_IF_ERROR(connection_->Call(connection_->normalizers(),
                                    &NormalizerStub::ListNormalizers, request,
                                    &response, call));
  std::vector<Normalizer> normalizers;
  for (const v1::Normalizer& normalizer : response.normalizers()) {
    normalizers.push_back(FromWire(normalizer));
  }
  return normalizers;
}

absl::Status Client::DeleteNormalizer(absl::string_view collection,
                                      absl::string_view name,
                                      const CallOptions& call) {
  v1::DeleteNormalizerRequest request;
  request.set_collection(std::string(collection));
  request.set_name(std::string(name));
  v1::DeleteNormalizerResponse response;
  return connection_->Call(connection_->normalizers(),
                           &NormalizerStub::DeleteNormalizer, request,
                           &response, call);
}

}  // namespace sextant::client
