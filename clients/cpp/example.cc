// SPDX-License-Identifier: Apache-2.0
// Creates a collection, writes three points, searches it and drops it again:
//   client_example 127.0.0.1:6350
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "base/status_macros.h"
#include "clients/cpp/client.h"

namespace {

using sextant::client::Client;
using sextant::client::CollectionSchema;
using sextant::client::Hit;
using sextant::client::Metric;
using sextant::client::Point;
using sextant::client::SearchRequest;
using sextant::client::SearchResult;
using sextant::client::ToString;

constexpr char kCollection[] = "example";

absl::Status WriteAndSearch(Client& client) {
  const std::vector<Point> points = {
      {.id = uint64_t{1},
       .vectors = {{"embedding", {1, 0, 0}}},
       .payload = R"({"name":"red"})"},
      {.id = uint64_t{2},
       .vectors = {{"embedding", {0, 1, 0}}},
       .payload = R"({"name":"green"})"},
      {.id = uint64_t{3},
       .vectors = {{"embedding", {.9F, .1F, 0}}},
       .payload = R"({"name":"orange"})"},
  };
  RETURN_IF_ERROR(client.Upsert(kCollection, points).status());

  SearchRequest request;
  request.target = std::vector<float>{1, .2F, 0};
  request.limit = 2;
  request.projection.payload = true;
  ASSIGN_OR_RETURN(const SearchResult result,
                   client.Search(kCollection, request));
  for (const Hit& hit : result.hits) {
    std::cout << ToString(hit.id) << "  " << hit.score << "  " << hit.payload
              << "\n";
  }
  return absl::OkStatus();
}

absl::Status Run(const std::string& target) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Client> client,
                   Client::Connect(target));
  const CollectionSchema schema = {
      .vector_fields = {
          {.name = "embedding", .dimension = 3, .metric = Metric::kCosine}}};
  RETURN_IF_ERROR(client->CreateCollection(kCollection, schema).status());
  const absl::Status searched = WriteAndSearch(*client);
  const absl::Status dropped = client->DeleteCollection(kCollection).status();
  return searched.ok() ? dropped : searched;
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run(argc > 1 ? argv[1] : "127.0.0.1:6350");
  if (!status.ok()) {
    std::cerr << "client_example: " << status << "\n";
    return 1;
  }
  return 0;
}
