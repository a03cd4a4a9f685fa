// SPDX-License-Identifier: Apache-2.0
//
// HubnessService over gRPC: streams of progress and a result, cancellation,
// deadlines, a stop of the server.

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"

#include "sextant/v1/hubness_service.grpc.pb.h"
#include "sextant/v1/normalizer_service.grpc.pb.h"
#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;

class HubnessTest : public ServerTest {
 protected:
  using TuneReader =
      std::unique_ptr<grpc::ClientReader<v1::TuneNormalizerResponse>>;

  void StartWithStubs(std::vector<std::string> arguments = {}) {
    ASSERT_NO_FATAL_FAILURE(StartServer(std::move(arguments)));
    hubness_ = v1::HubnessService::NewStub(api_->channel);
    normalizers_ = v1::NormalizerService::NewStub(api_->channel);
  }

  // 600 points in which queries like VectorOf(id) + something in common.
  void FillDocs() {
    ASSERT_TRUE(CreateCollection("docs").ok());
    ASSERT_TRUE(Upsert(UpsertOf("docs", 0, 600)).ok());
    PutBank("docs", 1000, 200, kDimension);
  }

  static std::vector<float> Query(uint64_t id, uint32_t dimension) {
    std::vector<float> vector = VectorOf(id, dimension);
    const std::vector<float> noise = VectorOf(id + 50'000, dimension);
    for (size_t i = 0; i < vector.size(); ++i) {
      vector[i] += 0.4F * noise[i];
    }
    vector[0] += 1.5F;
    return vector;
  }
  static void Set(const std::vector<float>& values, v1::Vector* vector) {
    vector->mutable_values()->Add(values.begin(), values.end());
  }

  void PutBank(const std::string& collection, uint64_t first, uint64_t count,
               uint32_t dimension) {
    v1::PutBankRequest request;
    request.set_collection(collection);
    request.set_name("asked");
    for (uint64_t id = first; id < first + count; ++id) {
      Set(Query(id, dimension), request.add_vectors());
    }
    v1::PutBankResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        normalizers_->PutBank(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  static v1::TuneNormalizerRequest TuneOf(const std::string& collection,
                                          uint64_t pairs, uint32_t dimension) {
    v1::TuneNormalizerRequest request;
    request.set_collection(collection);
    request.set_query_bank("asked");
    for (uint64_t id = 0; id < pairs; ++id) {
      v1::LabelledPair* const pair = request.add_pairs();
      Set(Query(id, dimension), pair->mutable_query());
      pair->mutable_id()->set_num(id);
    }
    return request;
  }

  grpc::Status Tune(const v1::TuneNormalizerRequest& request) {
    grpc::ClientContext context;
    const TuneReader reader = hubness_->TuneNormalizer(&context, request);
    v1::TuneNormalizerResponse response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  }

  // A tuning that takes seconds, as far as its first message.
  void FillWideWithBank() {
    ASSERT_NO_FATAL_FAILURE(FillWideCollection());
    ASSERT_NO_FATAL_FAILURE(PutBank("wide", 1000, 2000, kWide));
  }
  TuneReader StartTuning(grpc::ClientContext* context) {
    TuneReader reader =
        hubness_->TuneNormalizer(context, TuneOf("wide", 500, kWide));
    v1::TuneNormalizerResponse response;
    EXPECT_TRUE(reader->Read(&response));
    EXPECT_TRUE(response.has_progress());
    return reader;
  }

  // The same points in two collections, with noise.
  static constexpr uint64_t kSide = 2500;
  void FillSides() {
    for (const auto& [name, first] :
         {std::pair<std::string, uint64_t>("left", 0),
          std::pair<std::string, uint64_t>("right", 10'000)}) {
      ASSERT_TRUE(CreateCollection(name).ok());
      v1::UpsertPointsRequest request;
      request.set_collection(name);
      for (uint64_t id = 0; id < kSide; ++id) {
        std::vector<float> vector = VectorOf(id, kDimension);
        const std::vector<float> noise =
            VectorOf(id + 20'000 + first, kDimension);
        for (size_t i = 0; i < vector.size(); ++i) {
          vector[i] += 0.05F * noise[i];
        }
        v1::Point* const point = request.add_points();
        point->mutable_id()->set_num(first + id);
        Set(vector, &(*point->mutable_vectors())["v"]);
      }
      ASSERT_TRUE(Upsert(request).ok());
    }
  }
  static v1::MinePairsRequest MineOf(const std::string& source,
                                     const std::string& target) {
    v1::MinePairsRequest request;
    request.set_source_collection(source);
    request.set_target_collection(target);
    request.set_mode(v1::MINING_MODE_FORWARD);
    // So that a segment that is sealed meanwhile gives the same.
    request.set_exact(true);
    return request;
  }
  struct Mined {
    std::vector<v1::MinedPair> pairs;
    std::vector<std::string> tokens;  // of messages with pairs
    uint64_t total = 0;
    grpc::Status status;
  };
  Mined Mine(v1::MinePairsRequest request, const std::string& token = "") {
    if (!token.empty()) {
      request.set_resume_token(token);
    }
    Mined mined;
    grpc::ClientContext context;
    const auto reader = hubness_->MinePairs(&context, request);
    v1::MinePairsResponse response;
    while (reader->Read(&response)) {
      EXPECT_FALSE(response.resume_token().empty());
      if (response.has_pairs()) {
        mined.pairs.insert(mined.pairs.end(), response.pairs().pairs().begin(),
                           response.pairs().pairs().end());
        mined.tokens.push_back(response.resume_token());
        mined.total = response.pairs().total();
      }
    }
    mined.status = reader->Finish();
    return mined;
  }
  void ExpectGoesOn(const v1::MinePairsRequest& request, const Mined& all,
                    const std::string& token) {
    const Mined rest = Mine(request, token);
    ASSERT_TRUE(rest.status.ok()) << rest.status.error_message();
    ASSERT_LT(rest.pairs.size(), all.pairs.size());
    ASSERT_FALSE(rest.pairs.empty());
    const size_t skipped = all.pairs.size() - rest.pairs.size();
    EXPECT_EQ(skipped % 1000, 0U);
    for (size_t i = 0; i < rest.pairs.size(); ++i) {
      EXPECT_EQ(rest.pairs[i].SerializeAsString(),
                all.pairs[skipped + i].SerializeAsString());
    }
  }

  std::unique_ptr<v1::HubnessService::Stub> hubness_;
  std::unique_ptr<v1::NormalizerService::Stub> normalizers_;
};

TEST_F(HubnessTest, TuneTellsProgressThenWhatItFound) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_NO_FATAL_FAILURE(FillDocs());
  grpc::ClientContext context;
  const TuneReader reader =
      hubness_->TuneNormalizer(&context, TuneOf("docs", 400, kDimension));
  v1::TuneNormalizerResponse response;
  std::vector<uint64_t> done;
  v1::TuneReport report;
  while (reader->Read(&response)) {
    ASSERT_FALSE(report.trials_size() > 0) << "the report is the last";
    if (response.has_progress()) {
      EXPECT_EQ(response.progress().stage(), "trials");
      EXPECT_EQ(response.progress().done(), done.size());
      done.push_back(response.progress().done());
    } else {
      report = response.report();
    }
  }
  const grpc::Status status = reader->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_GT(report.trials_size(), 10);
  EXPECT_EQ(done.size(), static_cast<size_t>(report.trials_size()) + 1);
  EXPECT_EQ(report.gallery_points(), 600);
  EXPECT_EQ(report.tuning_pairs() + report.held_out_pairs(), 400);
  EXPECT_EQ(report.raw_hubness().points(), 600);
  EXPECT_EQ(report.raw_hubness().k(), 10);
  for (int i = 1; i < report.trials_size(); ++i) {
    EXPECT_GE(report.trials(i - 1).tuning().mean_reciprocal_rank(),
              report.trials(i).tuning().mean_reciprocal_rank());
  }
  // What helps can be put as it is.
  ASSERT_TRUE(report.has_recommended()) << report.reason();
  EXPECT_GT(report.trials(0).held_out().recall_at_1(),
            report.raw_held_out().recall_at_1());
  EXPECT_LT(report.trials(0).hubness().skewness(),
            report.raw_hubness().skewness());
  v1::PutNormalizerRequest put;
  put.set_collection("docs");
  *put.mutable_normalizer() = report.recommended();
  put.mutable_normalizer()->set_name("tuned");
  v1::PutNormalizerResponse made;
  grpc::ClientContext put_context;
  const grpc::Status made_status =
      normalizers_->PutNormalizer(&put_context, put, &made);
  ASSERT_TRUE(made_status.ok()) << made_status.error_message();
  EXPECT_EQ(made.normalizer().method(), report.recommended().method());
  EXPECT_EQ(Metric(R"(sextant_requests_total{code="OK",)"
                   R"(method="TuneNormalizer"})"),
            1);
}

TEST_F(HubnessTest, TuneNamesWhatIsWrong) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_NO_FATAL_FAILURE(FillDocs());
  const v1::TuneNormalizerRequest good = TuneOf("docs", 40, kDimension);
  const auto expect = [this](const v1::TuneNormalizerRequest& request,
                             const std::string& field) {
    const grpc::Status status = Tune(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << status.error_message();
    EXPECT_EQ(FieldOf(status), field) << status.error_message();
  };
  v1::TuneNormalizerRequest bad = good;
  bad.mutable_pairs()->DeleteSubrange(19, 21);
  expect(bad, "pairs");
  bad = good;
  bad.mutable_pairs(7)->mutable_query()->clear_values();
  expect(bad, "pairs[7].query");
  bad = good;
  bad.mutable_pairs(8)->clear_id();
  expect(bad, "pairs[8].id");
  bad.mutable_pairs(8)->mutable_id()->set_num(600);
  expect(bad, "pairs[8].id");
  bad = good;
  bad.set_query_bank("nobody");
  expect(bad, "query_bank");
  bad = good;
  bad.set_collection("*");
  expect(bad, "collection");
  bad = good;
  bad.set_held_out(0);
  expect(bad, "held_out");
  bad = good;
  bad.set_collection("nothing");
  EXPECT_EQ(Tune(bad).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(Tune(good).ok());
}

TEST_F(HubnessTest, WorkEndsWithItsClientItsDeadlineAndTheServer) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_NO_FATAL_FAILURE(FillWideWithBank());
  const std::string working = R"(sextant_requests_working{pool="analysis"})";
  {
    grpc::ClientContext context;
    const TuneReader reader = StartTuning(&context);
    EXPECT_EQ(Metric(working), 1);
    context.TryCancel();
    v1::TuneNormalizerResponse response;
    while (reader->Read(&response)) {
      EXPECT_TRUE(response.has_progress());
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  WaitForMetric(R"(sextant_requests_total{code="CANCELLED",)"
                R"(method="TuneNormalizer"})",
                1);
  EXPECT_EQ(Metric(working), 0);
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::milliseconds(1));
    const TuneReader reader =
        hubness_->TuneNormalizer(&context, TuneOf("wide", 500, kWide));
    v1::TuneNormalizerResponse response;
    while (reader->Read(&response)) {
      EXPECT_TRUE(response.has_progress());
    }
    EXPECT_EQ(reader->Finish().error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  grpc::ClientContext context;
  const TuneReader reader = StartTuning(&context);
  server_->Signal(SIGTERM);
  v1::TuneNormalizerResponse response;
  while (reader->Read(&response)) {
    EXPECT_TRUE(response.has_progress());
  }
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the server is stopping"));
  EXPECT_TRUE(HasRetryInfo(status));
  ASSERT_OK_AND_ASSIGN(const int code, server_->WaitForExit());
  EXPECT_EQ(code, 0);
}

TEST_F(HubnessTest, DiagnoseMeasuresAndLeavesMetrics) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_NO_FATAL_FAILURE(FillDocs());
  v1::PutNormalizerRequest put;
  put.set_collection("docs");
  put.mutable_normalizer()->set_name("is");
  put.mutable_normalizer()->set_method("inverted_softmax");
  put.mutable_normalizer()->set_query_bank("asked");
  v1::PutNormalizerResponse made;
  grpc::ClientContext put_context;
  ASSERT_TRUE(normalizers_->PutNormalizer(&put_context, put, &made).ok());

  v1::DiagnoseHubnessRequest request;
  request.set_collection("docs");
  request.set_bank("asked");
  request.set_normalizer("is");
  request.set_k(4);
  request.set_hubs_max(3);
  grpc::ClientContext context;
  const auto reader = hubness_->DiagnoseHubness(&context, request);
  v1::DiagnoseHubnessResponse response;
  v1::HubnessReport report;
  size_t told = 0;
  while (reader->Read(&response)) {
    if (response.has_progress()) {
      EXPECT_LE(response.progress().done(), response.progress().total());
      ++told;
    } else {
      report = response.report();
    }
  }
  const grpc::Status status = reader->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_GE(told, 6U);
  EXPECT_EQ(report.field(), "v");
  EXPECT_EQ(report.normalizer(), "is");
  EXPECT_EQ(report.raw().hubness().queries(), 200);
  EXPECT_EQ(report.raw().hubness().points(), 600);
  EXPECT_EQ(report.raw().hubness().k(), 4);
  ASSERT_EQ(report.raw().hubs_size(), 3);
  EXPECT_EQ(report.raw().hubs(0).occurrences(),
            report.raw().hubness().greatest());
  EXPECT_LT(report.raw().hubs(0).id().num(), 600);
  EXPECT_LT(report.corrected().hubness().skewness(),
            report.raw().hubness().skewness());
  EXPECT_GT(report.geometry().intrinsic_dimension_mean(), 2);
  EXPECT_LT(report.geometry().intrinsic_dimension_mean(), 9);
  EXPECT_TRUE(report.geometry().has_uniformity());
  EXPECT_TRUE(report.geometry().has_iso_score());
  EXPECT_DOUBLE_EQ(Metric(R"(sextant_hubness_skewness{collection="docs",)"
                          R"(field="v",normalizer="none"})"),
                   report.raw().hubness().skewness());
  EXPECT_DOUBLE_EQ(Metric(R"(sextant_hubness_anti_hub_ratio{collection="docs",)"
                          R"(field="v",normalizer="is"})"),
                   report.corrected().hubness().anti_hub_share());

  request.set_k(101);
  grpc::ClientContext bad_context;
  const auto bad = hubness_->DiagnoseHubness(&bad_context, request);
  EXPECT_FALSE(bad->Read(&response));
  EXPECT_EQ(FieldOf(bad->Finish()), "k");
}

TEST_F(HubnessTest, MiningListsPairsAndGoesOnAfterABreak) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_NO_FATAL_FAILURE(FillSides());
  const v1::MinePairsRequest request = MineOf("left", "right");
  const Mined all = Mine(request);
  ASSERT_TRUE(all.status.ok()) << all.status.error_message();
  ASSERT_EQ(all.pairs.size(), kSide);
  EXPECT_EQ(all.total, kSide);
  EXPECT_EQ(all.tokens.size(), 3U);
  size_t right = 0;
  double last = all.pairs.front().score();
  for (const v1::MinedPair& pair : all.pairs) {
    EXPECT_LE(pair.score(), last);
    last = pair.score();
    right += pair.source().num() + 10'000 == pair.target().num() ? 1U : 0U;
  }
  EXPECT_GT(right, kSide / 2);

  // From what the server kept.
  ExpectGoesOn(request, all, all.tokens[0]);
  // After the last pair there is nothing more.
  const Mined rest = Mine(request, all.tokens[2]);
  EXPECT_TRUE(rest.status.ok());
  EXPECT_TRUE(rest.pairs.empty());
  EXPECT_EQ(rest.total, kSide);

  // A restart forgets it, and finds it again.
  server_->Kill();
  server_.reset();
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ExpectGoesOn(request, all, all.tokens[1]);

  // Not so after a write.
  server_->Kill();
  server_.reset();
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_TRUE(Upsert(UpsertOf("right", 5, 6)).ok());
  const Mined changed = Mine(request, all.tokens[1]);
  EXPECT_EQ(changed.status.error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(HubnessTest, ABrokenMiningKeepsItsSearches) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_NO_FATAL_FAILURE(FillWideCollection());
  v1::MinePairsRequest request = MineOf("wide", "");
  v1::MinePairsResponse response;
  uint64_t done = 0;
  {
    grpc::ClientContext context;
    const auto reader = hubness_->MinePairs(&context, request);
    while (done == 0) {
      ASSERT_TRUE(reader->Read(&response));
      ASSERT_TRUE(response.has_progress());
      EXPECT_EQ(response.progress().total(), kWidePoints);
      done = response.progress().done();
    }
    request.set_resume_token(response.resume_token());
    context.TryCancel();
    while (reader->Read(&response)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  for (;;) {
    grpc::ClientContext context;
    const auto reader = hubness_->MinePairs(&context, request);
    if (reader->Read(&response)) {
      EXPECT_TRUE(response.has_progress());
      EXPECT_GE(response.progress().done(), done);
      context.TryCancel();
      break;
    }
    // While the server has not noticed.
    const grpc::Status status = reader->Finish();
    ASSERT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE)
        << status.error_message();
    EXPECT_TRUE(HasRetryInfo(status));
  }
}

TEST_F(HubnessTest, MiningNamesWhatIsWrong) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs());
  ASSERT_NO_FATAL_FAILURE(FillDocs());
  const v1::MinePairsRequest good = MineOf("docs", "");
  const Mined own = Mine(good);
  EXPECT_TRUE(own.status.ok()) << own.status.error_message();
  ASSERT_FALSE(own.pairs.empty());
  for (const v1::MinedPair& pair : own.pairs) {
    EXPECT_NE(pair.source().num(), pair.target().num());
  }
  const auto expect = [this](const v1::MinePairsRequest& request,
                             const std::string& field) {
    const grpc::Status status = Mine(request).status;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << status.error_message();
    EXPECT_EQ(FieldOf(status), field) << status.error_message();
  };
  v1::MinePairsRequest bad = good;
  bad.set_source_collection("*");
  expect(bad, "source_collection");
  bad = good;
  bad.set_target_collection("*");
  expect(bad, "target_collection");
  bad = good;
  bad.set_k(101);
  expect(bad, "k");
  bad = good;
  bad.set_candidates(2);
  expect(bad, "candidates");
  bad = good;
  bad.set_source_field("w");
  expect(bad, "source_field");
  bad = good;
  bad.set_margin(static_cast<v1::MarginKind>(77));
  expect(bad, "margin");
  bad = good;
  bad.set_mode(static_cast<v1::MiningMode>(77));
  expect(bad, "mode");
  bad = good;
  bad.set_resume_token("abc");
  expect(bad, "resume_token");
  bad = good;
  bad.set_k(5);
  bad.set_resume_token(own.tokens.back());
  expect(bad, "resume_token");
  bad = good;
  bad.set_target_collection("nothing");
  EXPECT_EQ(Mine(bad).status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HubnessTest, TooManyWorksAreRefused) {
  ASSERT_NO_FATAL_FAILURE(StartWithStubs(
      {"--grpc.analysis_threads", "1", "--grpc.analysis_queue", "1"}));
  ASSERT_NO_FATAL_FAILURE(FillWideWithBank());
  grpc::ClientContext running_context;
  const TuneReader running = StartTuning(&running_context);
  grpc::ClientContext waiting_context;
  const TuneReader waiting =
      hubness_->TuneNormalizer(&waiting_context, TuneOf("wide", 500, kWide));
  WaitForMetric(R"(sextant_requests_waiting{pool="analysis"})", 1);
  const grpc::Status refused = Tune(TuneOf("wide", 40, kWide));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("grpc.analysis_queue"));
  EXPECT_TRUE(HasRetryInfo(refused));
  // Searches have threads of their own.
  v1::SearchResponse response;
  EXPECT_TRUE(Search(SearchOf("wide", VectorOf(3, kWide), 1), &response).ok());
  running_context.TryCancel();
  waiting_context.TryCancel();
}

}  // namespace
}  // namespace sextant
