// SPDX-License-Identifier: Apache-2.0
// `sextant bank` and `sextant normalizer`.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/output.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/verb.h"
#include "clients/cli/wait_served.h"
#include "clients/formats/vector_file.h"

namespace sextant::cli {
namespace {

struct NormalizerOptions {
  std::string collection;
  client::Bank bank;
  client::Normalizer normalizer;
  std::string file;
  uint64_t first = 0;
  uint64_t count = 0;
  uint64_t seed = 1;
  bool no_wait = false;
};

nlohmann::json ToJson(const client::ChangeProgress& change) {
  nlohmann::json object = {{"version", change.version},
                           {"done", change.done},
                           {"total", change.total}};
  if (!change.error.empty()) {
    object["error"] = change.error;
  }
  return object;
}

nlohmann::json ToJson(const client::Bank& bank) {
  nlohmann::json object = {{"name", bank.name},
                           {"field", bank.field},
                           {"gallery", bank.gallery},
                           {"version", bank.version},
                           {"count", bank.count}};
  if (bank.change.has_value()) {
    nlohmann::json change = ToJson(bank.change->progress);
    change["count"] = bank.change->count;
    change["gallery"] = bank.change->gallery;
    object["change"] = std::move(change);
  }
  return object;
}

nlohmann::json ToJson(const client::QueryShift& shift) {
  return {{"queries", shift.queries},
          {"query_similarity", shift.query_similarity},
          {"bank_similarity", shift.bank_similarity},
          {"distance", shift.distance},
          {"is_shifted", shift.is_shifted}};
}

std::string ShiftText(const absl::optional<client::QueryShift>& shift) {
  if (!shift.has_value()) {
    return "";
  }
  return absl::StrFormat("%s (%.2f)",
                         shift->is_shifted ? "not like the bank" : "like it",
                         shift->distance);
}

// With the parameters that answers always have.
nlohmann::json ToJson(const client::Normalizer& normalizer) {
  nlohmann::json object = {
      {"name", normalizer.name},
      {"field", normalizer.field},
      {"method", normalizer.method},
      {"beta", normalizer.beta.value_or(0)},
      {"gallery_beta", normalizer.gallery_beta.value_or(0)},
      {"alpha", normalizer.alpha.value_or(0)},
      {"k", normalizer.k.value_or(0)},
      {"gate_k", normalizer.gate_k.value_or(0)},
      {"tau", normalizer.tau.value_or(0)},
      {"iterations", normalizer.iterations.value_or(0)},
      {"candidates", normalizer.candidates.value_or(0)},
      {"query_bank", normalizer.query_bank},
      {"gallery_bank", normalizer.gallery_bank},
      {"default", normalizer.is_default},
      {"version", normalizer.version},
      {"query_bank_version", normalizer.query_bank_version},
      {"gallery_bank_version", normalizer.gallery_bank_version},
      {"segments_ready", normalizer.segments_ready},
      {"segments", normalizer.segments},
      {"memory_bytes", normalizer.memory_bytes}};
  if (normalizer.query_shift.has_value()) {
    object["query_shift"] = ToJson(*normalizer.query_shift);
  }
  if (normalizer.change.has_value()) {
    object["change"] = ToJson(*normalizer.change);
  }
  return object;
}

absl::Status Show(Session& session, const std::vector<client::Bank>& banks) {
  if (session.json()) {
    nlohmann::json all = nlohmann::json::array();
    for (const client::Bank& bank : banks) {
      all.push_back(ToJson(bank));
    }
    return PrintLine(all.dump());
  }
  Table table({{"bank"},
               {"field"},
               {"like"},
               {"vectors", Align::kRight},
               {"version", Align::kRight},
               {"change"}});
  for (const client::Bank& bank : banks) {
    absl::optional<client::ChangeProgress> change;
    if (bank.change.has_value()) {
      change = bank.change->progress;
    }
    table.AddRow({bank.name, bank.field, bank.gallery ? "points" : "queries",
                  WithCommas(bank.count), absl::StrCat(bank.version),
                  ChangeText(change)});
  }
  return Print(table.Render(OutputWidth()));
}

absl::Status Show(Session& session,
                  const std::vector<client::Normalizer>& normalizers) {
  if (session.json()) {
    nlohmann::json all = nlohmann::json::array();
    for (const client::Normalizer& normalizer : normalizers) {
      all.push_back(ToJson(normalizer));
    }
    return PrintLine(all.dump());
  }
  Table table({{"normalizer"},
               {"field"},
               {"method"},
               {"banks"},
               {"default"},
               {"ready"},
               {"queries"},
               {"version", Align::kRight},
               {"change"}});
  for (const client::Normalizer& one : normalizers) {
    table.AddRow(
        {one.name, one.field, one.method,
         absl::StrCat(one.query_bank, one.gallery_bank.empty() ? "" : ", ",
                      one.gallery_bank),
         one.is_default ? "yes" : "",
         absl::StrCat(one.segments_ready, " of ", one.segments),
         ShiftText(one.query_shift), absl::StrCat(one.version),
         ChangeText(one.change)});
  }
  return Print(table.Render(OutputWidth()));
}

// Of what the server has stored.
template <typename Item>
absl::Status WaitAndShow(Session& session, const NormalizerOptions& options,
                         Item item) {
  if (!options.no_wait) {
    ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
    ASSIGN_OR_RETURN(item, WaitServed(*client, options.collection, item));
  }
  return Show(session, std::vector<Item>{item});
}

absl::Status PutBank(Session& session, const NormalizerOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<VectorFile> file,
                   OpenVectorFile(options.file));
  const uint64_t first = std::min(options.first, file->rows());
  const uint64_t rest = file->rows() - first;
  const uint64_t count =
      options.count == 0 ? rest : std::min(options.count, rest);
  std::vector<std::vector<float>> rows;
  for (uint64_t i = 0; i < count; ++i) {
    rows.emplace_back(file->dimension());
    RETURN_IF_ERROR(file->ReadRows(first + i, rows.back()));
  }
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::Bank bank,
                   client->PutBank(options.collection, options.bank, rows, {},
                                   client::ReturnWhen::kStored));
  return WaitAndShow(session, options, bank);
}

absl::Status SampleBank(Session& session, const NormalizerOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::Bank bank,
                   client->SampleBank(options.collection, options.bank,
                                      {options.count, options.seed}, {},
                                      client::ReturnWhen::kStored));
  return WaitAndShow(session, options, bank);
}

absl::Status ListBanks(Session& session, const NormalizerOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::Bank> banks,
                   client->ListBanks(options.collection));
  return Show(session, banks);
}

absl::Status DeleteBank(Session& session, const NormalizerOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  return client->DeleteBank(options.collection, options.bank.name);
}

absl::Status PutNormalizer(Session& session, const NormalizerOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const client::Normalizer normalizer,
                   client->PutNormalizer(options.collection, options.normalizer,
                                         {}, client::ReturnWhen::kStored));
  return WaitAndShow(session, options, normalizer);
}

absl::Status ListNormalizers(Session& session,
                             const NormalizerOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  ASSIGN_OR_RETURN(const std::vector<client::Normalizer> normalizers,
                   client->ListNormalizers(options.collection));
  return Show(session, normalizers);
}

absl::Status DeleteNormalizer(Session& session,
                              const NormalizerOptions& options) {
  ASSIGN_OR_RETURN(client::Client* const client, session.Connect());
  return client->DeleteNormalizer(options.collection, options.normalizer.name);
}

constexpr char kNoWaitText[] =
    "Do not wait until searches meet it; `list` shows how far it is";

}  // namespace

void AddBankCommand(CLI::App& app, Action* action) {
  CLI::App* noun = app.add_subcommand(
      "bank", "Vectors that normalizers compare points with");
  noun->require_subcommand(1);
  auto options = std::make_shared<NormalizerOptions>();
  CLI::App* put = AddVerb(noun, "put", "Make a bank from a file", options);
  put->add_option("NAME", options->bank.name, "The bank")->required();
  put->add_option("--file", options->file, "A .npy or .fvecs file")->required();
  put->add_option("--field", options->bank.field, "Vector field");
  put->add_flag("--gallery", options->bank.gallery,
                "Vectors like the points, not like the queries");
  put->add_option("--first", options->first, "Row to begin with");
  put->add_option("--count", options->count, "Rows; 0: all that follow");
  put->add_flag("--no-wait", options->no_wait, kNoWaitText);
  put->footer(
      "Example:\n"
      "  sextant bank put docs asked --file queries.npy --count 5000");
  RunBy(put, options, &PutBank, action);

  CLI::App* sample = AddVerb(
      noun, "sample", "Make a bank from points of the collection", options);
  sample->add_option("NAME", options->bank.name, "The bank")->required();
  sample->add_option("--count", options->count, "Points")->required();
  sample->add_option("--seed", options->seed, "Which points")
      ->capture_default_str();
  sample->add_option("--field", options->bank.field, "Vector field");
  sample->add_flag("--no-wait", options->no_wait, kNoWaitText);
  RunBy(sample, options, &SampleBank, action);

  RunBy(AddVerb(noun, "list", "Show the banks of a collection", options),
        options, &ListBanks, action);
  CLI::App* remove = AddVerb(noun, "delete", "Delete a bank", options);
  remove->add_option("NAME", options->bank.name, "The bank")->required();
  RunBy(remove, options, &DeleteBank, action);
}

void AddNormalizerCommand(CLI::App& app, Action* action) {
  CLI::App* noun =
      app.add_subcommand("normalizer", "Corrections of scores for hubness");
  noun->require_subcommand(1);
  auto options = std::make_shared<NormalizerOptions>();
  client::Normalizer* const wanted = &options->normalizer;
  CLI::App* put = AddVerb(noun, "put", "Make or change a normalizer", options);
  put->add_option("NAME", wanted->name, "The normalizer")->required();
  put->add_option("--method", wanted->method,
                  "inverted_softmax, dynamic_inverted_softmax, csls, "
                  "nearest_neighbor, margin_distance, dual_inverted_softmax, "
                  "dual_dynamic_inverted_softmax, sinkhorn, dual_sinkhorn; "
                  "or, to rescore the best: globally_corrected, margin_ratio, "
                  "mutual_proximity, local_scaling, nicdm")
      ->required();
  put->add_option("--query-bank", wanted->query_bank,
                  "A bank like queries; mutual_proximity, local_scaling and "
                  "nicdm do without one");
  put->add_option("--gallery-bank", wanted->gallery_bank,
                  "A bank like points, for dual methods");
  put->add_option("--field", wanted->field, "Vector field");
  put->add_flag("--default", wanted->is_default,
                "Searches of the field use it that name none");
  put->add_flag("--no-wait", options->no_wait, kNoWaitText);
  AddParameter(put, "--beta", "Inverse temperature", &wanted->beta);
  AddParameter(put, "--gallery-beta", "That of the gallery bank",
               &wanted->gallery_beta);
  AddParameter(put, "--alpha", "Share of the mean that is taken off",
               &wanted->alpha);
  AddParameter(put, "-k", "Neighbours in the bank or among the points",
               &wanted->k);
  AddParameter(put, "--gate-k", "Nearest points that open a gate",
               &wanted->gate_k);
  AddParameter(put, "--tau", "Temperature of Sinkhorn's methods", &wanted->tau);
  AddParameter(put, "--iterations", "Of Sinkhorn's methods",
               &wanted->iterations);
  AddParameter(put, "--candidates",
               "Best points that are rescored, by methods that do",
               &wanted->candidates);
  put->footer(
      "Examples:\n"
      "  sextant normalizer put docs is --method inverted_softmax --query-bank "
      "asked --beta 20\n"
      "  sextant normalizer put docs mp --method mutual_proximity -k 50 "
      "--candidates 200");
  RunBy(put, options, &PutNormalizer, action);

  AddTuneCommand(noun, action);
  RunBy(AddVerb(noun, "list", "Show the normalizers of a collection", options),
        options, &ListNormalizers, action);
  CLI::App* remove = AddVerb(noun, "delete", "Delete a normalizer", options);
  remove->add_option("NAME", wanted->name, "The normalizer")->required();
  RunBy(remove, options, &DeleteNormalizer, action);
}

}  // namespace sextant::cli
