// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/adapter_types.h"
#include "clients/cpp/client_options.h"
#include "clients/cpp/hubness_types.h"
#include "clients/cpp/normalizer_types.h"
#include "clients/cpp/scroll_cursor.h"
#include "clients/cpp/search_types.h"
#include "clients/cpp/types.h"
#include "clients/cpp/upsert_stream.h"

// The C++ client of Sextant.
//
//   ASSIGN_OR_RETURN(auto client, Client::Connect("127.0.0.1:6350"));
//   ASSIGN_OR_RETURN(SearchResult result,
//                    client->Search("docs", {.target = vector, .limit = 5}));
//   for (const Hit& hit : result.hits) ...
namespace sextant::client {

class Connection;

// One connection to one server. Thread-safe; owned by the application, and the
// streams and cursors it opened may outlive it. No call throws; errors carry
// gRPC's code and the server's message, which names the field and the limit.
// Every call ends by its deadline. UNAVAILABLE and RESOURCE_EXHAUSTED are tried
// again until then (ClientOptions::retry); every write here may be repeated
// without harm, except that a repeated CreateCollection may find its own work
// and say ALREADY_EXISTS.
class Client {
 public:
  // `target` is "host:port", or "unix:/path" for a server's Unix socket. Does
  // not wait for the server: one that is not
  // there is reported by the first call (UNAVAILABLE, kCannotReach).
  static absl::StatusOr<std::unique_ptr<Client>> Connect(
      absl::string_view target, const ClientOptions& options = {});

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // ALREADY_EXISTS when the name is taken.
  absl::StatusOr<CollectionInfo> CreateCollection(
      absl::string_view name, const CollectionSchema& schema,
      const CallOptions& call = {});
  // NOT_FOUND when there is none, as with every call below.
  absl::StatusOr<CollectionInfo> GetCollection(absl::string_view name,
                                               const CallOptions& call = {});
  // All of them, by name; the timeout is that of one page.
  absl::StatusOr<std::vector<CollectionInfo>> ListCollections(
      const CallOptions& call = {});
  // Declares one payload field more. CollectionInfo::fills shows how far its
  // values are filled in; until they are, who filters by it gets
  // FAILED_PRECONDITION. ALREADY_EXISTS when the name is taken.
  absl::StatusOr<CollectionInfo> AddPayloadField(absl::string_view collection,
                                                 const PayloadField& field,
                                                 const CallOptions& call = {});
  // Changes how the texts of a text field are indexed, in the background:
  // CollectionInfo::text_field_change shows how far. Until it is done, searches
  // stay as they are, and another change is refused: FAILED_PRECONDITION.
  absl::StatusOr<CollectionInfo> UpdateTextField(absl::string_view collection,
                                                 const TextFieldUpdate& update,
                                                 const CallOptions& call = {});
  // The tokens that a text becomes in a text field.
  absl::StatusOr<std::vector<Token>> Analyze(absl::string_view collection,
                                             absl::string_view field,
                                             absl::string_view text,
                                             const CallOptions& call = {});
  // Returns how many points it held.
  absl::StatusOr<uint64_t> DeleteCollection(absl::string_view name,
                                            const CallOptions& call = {});

  // Inserts or overwrites 1 to 10,000 points, all or nothing; durable when it
  // returns. The last of several points with one id wins.
  absl::StatusOr<UpsertResult> Upsert(absl::string_view collection,
                                      std::span<const Point> points,
                                      const CallOptions& call = {});
  // For more points than fit one call. Errors come from Send() and Finish().
  std::unique_ptr<UpsertStream> OpenUpsertStream(
      absl::string_view collection, const UpsertStreamOptions& options = {});

  // Points in the order of `ids`; ids that do not exist are left out.
  absl::StatusOr<std::vector<Point>> Get(
      absl::string_view collection, std::span<const PointId> ids,
      const Projection& projection = {.payload = true, .vectors = {}},
      const CallOptions& call = {});
  // Ids that do not exist are ignored.
  absl::StatusOr<DeleteResult> Delete(absl::string_view collection,
                                      std::span<const PointId> ids,
                                      const CallOptions& call = {});
  // All points that match `filter` (as text) when the call begins; see
  // DeletePoints in the API for what happens to those written meanwhile.
  absl::StatusOr<DeleteResult> DeleteMatching(absl::string_view collection,
                                              absl::string_view filter,
                                              const CallOptions& call = {});
  std::unique_ptr<ScrollCursor> Scroll(absl::string_view collection,
                                       const ScrollOptions& options = {});
  absl::StatusOr<CountResult> Count(absl::string_view collection,
                                    const CallOptions& call = {});

  // Those that match `filter` (as text).
  absl::StatusOr<CountResult> CountMatching(absl::string_view collection,
                                            absl::string_view filter,
                                            const CallOptions& call = {});
  // The values of a payload field that most points have.
  absl::StatusOr<FacetResult> Facets(absl::string_view collection,
                                     const FacetRequest& request,
                                     const CallOptions& call = {});

  absl::StatusOr<SearchResult> Search(absl::string_view collection,
                                      const SearchRequest& request,
                                      const CallOptions& call = {});
  // Up to 1,000 searches in one call, answered in order, all or nothing.
  absl::StatusOr<std::vector<SearchResult>> SearchBatch(
      absl::string_view collection, std::span<const SearchRequest> requests,
      const CallOptions& call = {});

  // See normalizer_service.proto. Of `bank` name, field, gallery are read.
  absl::StatusOr<Bank> PutBank(absl::string_view collection, const Bank& bank,
                               std::span<const std::vector<float>> rows,
                               const CallOptions& call = {},
                               ReturnWhen when = ReturnWhen::kServed);
  absl::StatusOr<Bank> SampleBank(absl::string_view collection,
                                  const Bank& bank, const BankSample& sample,
                                  const CallOptions& call = {},
                                  ReturnWhen when = ReturnWhen::kServed);
  absl::StatusOr<std::vector<Bank>> ListBanks(absl::string_view collection,
                                              const CallOptions& call = {});
  absl::Status DeleteBank(absl::string_view collection, absl::string_view name,
                          const CallOptions& call = {});
  absl::StatusOr<Normalizer> PutNormalizer(
      absl::string_view collection, const Normalizer& normalizer,
      const CallOptions& call = {}, ReturnWhen when = ReturnWhen::kServed);
  absl::StatusOr<std::vector<Normalizer>> ListNormalizers(
      absl::string_view collection, const CallOptions& call = {});
  absl::Status DeleteNormalizer(absl::string_view collection,
                                absl::string_view name,
                                const CallOptions& call = {});

  // Works on hubs, of minutes: see hubness_service.proto. Give them time.
  absl::StatusOr<TuneReport> TuneNormalizer(absl::string_view collection,
                                            const TuneRequest& request,
                                            const OnProgress& on_progress = {},
                                            const CallOptions& call = {});
  absl::StatusOr<HubnessReport> DiagnoseHubness(
      absl::string_view collection, const DiagnoseRequest& request,
      const OnProgress& on_progress = {}, const CallOptions& call = {});
  // Pairs of points of two collections, or of one (`target` empty), best scores
  // first. A stream that breaks is taken up where it was, as UNAVAILABLE and
  // RESOURCE_EXHAUSTED are tried again; ABORTED when that cannot be.
  absl::Status MinePairs(absl::string_view source, absl::string_view target,
                         const MineRequest& request, const OnMined& on_mined,
                         const CallOptions& call = {});

  // Samples of queries: see sextant/v1/query_sample_service.proto. Of `sample`
  // field, capacity (0: off) and seed are read, of `bank` name and field.
  absl::StatusOr<QuerySample> SetQuerySample(absl::string_view collection,
                                             const QuerySample& sample,
                                             const CallOptions& call = {});
  absl::StatusOr<std::vector<QuerySample>> ListQuerySamples(
      absl::string_view collection, const CallOptions& call = {});
  absl::StatusOr<QuerySample> ClearQuerySample(absl::string_view collection,
                                               absl::string_view field,
                                               const CallOptions& call = {});
  absl::StatusOr<Bank> PutBankOfQueries(absl::string_view collection,
                                        const Bank& bank,
                                        const CallOptions& call = {},
                                        ReturnWhen when = ReturnWhen::kServed);

  // Cosine Adapters: see adapter_service.proto. A fit may take minutes.
  absl::StatusOr<CosineAdapter> FitAdapter(
      absl::string_view collection, const AdapterFitRequest& fit,
      const OnFitProgress& on_progress = {}, const CallOptions& call = {});
  absl::StatusOr<CosineAdapter> PutAdapter(absl::string_view collection,
                                           const CosineAdapter& adapter,
                                           const CallOptions& call = {});
  absl::StatusOr<std::vector<CosineAdapter>> ListAdapters(
      absl::string_view collection, bool with_layers,
      const CallOptions& call = {});
  absl::Status DeleteAdapter(absl::string_view collection,
                             absl::string_view name,
                             const CallOptions& call = {});

 private:
  explicit Client(std::shared_ptr<Connection> connection);

  const std::shared_ptr<Connection> connection_;
};

}  // namespace sextant::client
