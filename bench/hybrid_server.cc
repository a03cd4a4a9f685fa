// SPDX-License-Identifier: Apache-2.0
#include "bench/hybrid_server.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"

#include "base/status_macros.h"
#include "bench/processor.h"
#include "clients/cpp/client.h"
#include "tests/support/server_process.h"

namespace sextant {
namespace {

// Of all queries, a query.
absl::StatusOr<double> SecondsOf(
    client::Client& client,
    const std::vector<client::SearchRequest>& requests) {
  const double begin = WallSeconds();
  for (const client::SearchRequest& request : requests) {
    RETURN_IF_ERROR(client.Search("docs", request).status());
  }
  return (WallSeconds() - begin) / static_cast<double>(requests.size());
}

// Words alone: marks have a meaning in a query string.
std::string WordsOf(const std::string& text) {
  std::string words = text;
  std::ranges::replace_if(
      words,
      [](char c) { return absl::ascii_ispunct(static_cast<unsigned char>(c)); },
      ' ');
  return words;
}

}  // namespace

absl::StatusOr<HybridSeconds> MeasureHybridServer(
    const std::string& data_dir, std::span<const std::string> queries,
    std::span<const std::vector<float>> vectors, uint32_t candidates,
    uint32_t limit, uint32_t part_limit) {
  constexpr int kRounds = 7;
  ServerProcessOptions options;
  options.data_dir = data_dir;
  ASSIGN_OR_RETURN(const std::unique_ptr<ServerProcess> server,
                   ServerProcess::Start(options));
  ASSIGN_OR_RETURN(const std::unique_ptr<client::Client> client,
                   client::Client::Connect(server->grpc_address()));
  std::vector<client::SearchRequest> text;
  std::vector<client::SearchRequest> dense;
  std::vector<client::SearchRequest> fused;
  for (size_t i = 0; i < queries.size(); ++i) {
    client::SearchRequest request;
    request.limit = part_limit;
    request.target = vectors[i];
    dense.push_back(request);
    request.text = client::TextRequest{.query = WordsOf(queries[i])};
    request.limit = limit;
    request.candidates = candidates;
    fused.push_back(request);
    request.limit = part_limit;
    request.candidates = 0;
    request.target = std::vector<float>();
    text.push_back(std::move(request));
  }
  HybridSeconds best;
  for (int round = 0; round < kRounds; ++round) {
    ASSIGN_OR_RETURN(const double by_text, SecondsOf(*client, text));
    ASSIGN_OR_RETURN(const double by_vector, SecondsOf(*client, dense));
    ASSIGN_OR_RETURN(const double by_both, SecondsOf(*client, fused));
    best.text = round == 0 ? by_text : std::min(best.text, by_text);
    best.dense = round == 0 ? by_vector : std::min(best.dense, by_vector);
    best.fused = round == 0 ? by_both : std::min(best.fused, by_both);
  }
  RETURN_IF_ERROR(server->Terminate().status());
  return best;
}

}  // namespace sextant
