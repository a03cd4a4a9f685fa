// SPDX-License-Identifier: Apache-2.0
//
// Every method of the API, against a real server.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;

#define ASSERT_RPC_OK(call)                                     \
  do {                                                          \
    const grpc::Status rpc_status = (call);                     \
    ASSERT_TRUE(rpc_status.ok()) << rpc_status.error_message(); \
  } while (false)

class RpcTest : public ServerTest {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(StartServer()); }
};

TEST_F(RpcTest, CollectionsAreMadeDescribedListedAndDropped) {
  for (const char* name : {"b", "a", "c"}) {
    ASSERT_RPC_OK(CreateCollection(name));
  }
  EXPECT_EQ(CreateCollection("a").error_code(),
            grpc::StatusCode::ALREADY_EXISTS);

  v1::GetCollectionRequest get;
  get.set_name("a");
  v1::GetCollectionResponse got;
  {
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->collections->GetCollection(&context, get, &got));
  }
  const v1::CollectionInfo& info = got.collection();
  EXPECT_EQ(info.name(), "a");
  EXPECT_EQ(info.schema().vector_fields(0).dimension(), kDimension);
  EXPECT_EQ(info.schema().vector_fields(0).metric(), v1::METRIC_COSINE);
  EXPECT_EQ(info.schema().id_kind(), v1::ID_KIND_NUMBER);
  EXPECT_GT(info.create_time().seconds(), 1'700'000'000);
  EXPECT_EQ(info.content_hash(), std::string(32, '0'));
  EXPECT_EQ(info.point_count(), 0);
  EXPECT_EQ(info.damage(), "");

  std::vector<std::string> names;
  v1::ListCollectionsRequest list;
  list.set_page_size(2);
  do {
    v1::ListCollectionsResponse page;
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->collections->ListCollections(&context, list, &page));
    EXPECT_LE(page.collections_size(), 2);
    for (const auto& collection : page.collections()) {
      names.push_back(collection.name());
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(names, testing::ElementsAre("a", "b", "c"));

  ASSERT_RPC_OK(Upsert(UpsertOf("a", 0, 5)));
  v1::DeleteCollectionRequest drop;
  drop.set_name("a");
  v1::DeleteCollectionResponse dropped;
  {
    grpc::ClientContext context;
    ASSERT_RPC_OK(
        api_->collections->DeleteCollection(&context, drop, &dropped));
  }
  EXPECT_EQ(dropped.point_count(), 5);
  grpc::ClientContext context;
  EXPECT_EQ(api_->collections->GetCollection(&context, get, &got).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(RpcTest, PointsAreWrittenReadAndDeleted) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  v1::UpsertPointsResponse written;
  ASSERT_RPC_OK(Upsert(UpsertOf("docs", 0, 10), &written));
  EXPECT_EQ(written.inserted(), 10);
  EXPECT_EQ(written.updated(), 0);
  EXPECT_EQ(written.applied_seq(), 1);
  ASSERT_RPC_OK(Upsert(UpsertOf("docs", 5, 12), &written));
  EXPECT_EQ(written.inserted(), 2);
  EXPECT_EQ(written.updated(), 5);
  EXPECT_EQ(CountPoints("docs"), 12);

  v1::GetPointsRequest get;
  get.set_collection("docs");
  for (const uint64_t id : {11U, 99U, 3U}) {
    get.add_ids()->set_num(id);
  }
  v1::GetPointsResponse got;
  {
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->points->GetPoints(&context, get, &got));
  }
  // In the order asked for, without those that do not exist; by default with
  // the payload and without vectors.
  ASSERT_EQ(got.points_size(), 2);
  EXPECT_EQ(got.points(0).id().num(), 11);
  EXPECT_EQ(got.points(0).payload(), "{\"n\":11}");
  EXPECT_TRUE(got.points(0).vectors().empty());
  EXPECT_EQ(got.points(1).id().num(), 3);

  get.mutable_projection()->add_vectors("*");
  {
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->points->GetPoints(&context, get, &got));
  }
  const std::vector<float> expected = VectorOf(11, kDimension);
  const auto& values = got.points(0).vectors().at("v").values();
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()), expected);
  EXPECT_EQ(got.points(0).payload(), "");

  v1::DeletePointsRequest erase;
  erase.set_collection("docs");
  for (const uint64_t id : {0U, 1U, 77U}) {
    erase.add_ids()->set_num(id);
  }
  v1::DeletePointsResponse erased;
  {
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->points->DeletePoints(&context, erase, &erased));
  }
  EXPECT_EQ(erased.deleted(), 2);
  EXPECT_EQ(CountPoints("docs"), 10);
}

TEST_F(RpcTest, TheLastOfEqualIdsWins) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  v1::UpsertPointsRequest request = UpsertOf("docs", 1, 2);
  *request.add_points() = request.points(0);
  request.mutable_points(1)->set_payload("{\"last\":true}");
  v1::UpsertPointsResponse written;
  ASSERT_RPC_OK(Upsert(request, &written));
  EXPECT_EQ(written.inserted(), 1);
  v1::GetPointsRequest get;
  get.set_collection("docs");
  get.add_ids()->set_num(1);
  v1::GetPointsResponse got;
  grpc::ClientContext context;
  ASSERT_RPC_OK(api_->points->GetPoints(&context, get, &got));
  EXPECT_EQ(got.points(0).payload(), "{\"last\":true}");
}

TEST_F(RpcTest, ScrollVisitsEveryPointOnce) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  ASSERT_RPC_OK(CreateCollection("other"));
  ASSERT_RPC_OK(Upsert(UpsertOf("docs", 0, 500)));
  v1::ScrollPointsRequest scroll;
  scroll.set_collection("docs");
  scroll.set_page_size(130);
  std::vector<uint64_t> ids;
  std::string token;
  do {
    v1::ScrollPointsResponse page;
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->points->ScrollPoints(&context, scroll, &page));
    for (const v1::Point& point : page.points()) {
      ids.push_back(point.id().num());
    }
    token = token.empty() ? page.next_page_token() : token;
    scroll.set_page_token(page.next_page_token());
  } while (!scroll.page_token().empty());
  ASSERT_EQ(ids.size(), 500);
  for (uint64_t id = 0; id < 500; ++id) {
    EXPECT_EQ(ids[id], id);
  }

  scroll.set_collection("other");
  scroll.set_page_token(token);
  v1::ScrollPointsResponse page;
  grpc::ClientContext context;
  const grpc::Status foreign =
      api_->points->ScrollPoints(&context, scroll, &page);
  EXPECT_EQ(foreign.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(foreign), "page_token");
}

TEST_F(RpcTest, SearchFindsTheNearest) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  ASSERT_RPC_OK(Upsert(UpsertOf("docs", 0, 300)));
  v1::SearchRequest request = SearchOf("docs", VectorOf(42, kDimension), 3);
  request.set_explain(true);
  request.mutable_projection()->set_payload(true);
  request.mutable_projection()->add_vectors("v");
  request.mutable_projection()->set_raw_vectors(true);
  v1::SearchResponse response;
  ASSERT_RPC_OK(Search(request, &response));
  ASSERT_EQ(response.hits_size(), 3);
  EXPECT_EQ(response.hits(0).id().num(), 42);
  EXPECT_NEAR(response.hits(0).score(), 1, 1e-5);
  EXPECT_GE(response.hits(0).score(), response.hits(1).score());
  EXPECT_EQ(response.hits(0).payload(), "{\"n\":42}");
  EXPECT_EQ(response.hits(0).vectors().at("v").raw().size(), 4 * kDimension);
  EXPECT_EQ(response.applied_seq(), 1);
  EXPECT_GT(response.server_seconds(), 0);
  EXPECT_FALSE(response.explanation().plan().empty());
  EXPECT_GT(response.explanation().stages_size(), 0);

  // The same by a raw vector, and by the stored point, which is left out.
  const std::vector<float> vector = VectorOf(42, kDimension);
  v1::SearchRequest raw = SearchOf("docs", {}, 3);
  raw.mutable_sources(0)->mutable_dense()->mutable_vector()->set_raw(
      std::string(reinterpret_cast<const char*>(vector.data()),
                  vector.size() * sizeof(float)));
  v1::SearchResponse same;
  ASSERT_RPC_OK(Search(raw, &same));
  v1::SearchRequest stored = SearchOf("docs", {}, 2);
  stored.mutable_sources(0)->mutable_dense()->mutable_stored_point()->set_num(
      42);
  v1::SearchResponse others;
  ASSERT_RPC_OK(Search(stored, &others));
  ASSERT_EQ(same.hits_size(), 3);
  ASSERT_EQ(others.hits_size(), 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(same.hits(i).id().num(), response.hits(i).id().num());
  }
  EXPECT_EQ(others.hits(0).id().num(), response.hits(1).id().num());
  EXPECT_EQ(others.hits(1).id().num(), response.hits(2).id().num());

  stored.mutable_sources(0)->mutable_dense()->mutable_stored_point()->set_num(
      4711);
  EXPECT_EQ(Search(stored, &others).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(RpcTest, PackedHitsAreTheSameHits) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  ASSERT_RPC_OK(Upsert(UpsertOf("docs", 0, 300)));
  v1::SearchRequest request = SearchOf("docs", VectorOf(42, kDimension), 20);
  v1::SearchResponse plain;
  ASSERT_RPC_OK(Search(request, &plain));
  EXPECT_FALSE(plain.has_packed());
  request.set_packed_hits(true);
  v1::SearchResponse packed;
  ASSERT_RPC_OK(Search(request, &packed));
  EXPECT_TRUE(packed.hits().empty());
  ASSERT_EQ(packed.packed().nums_size(), 20);
  ASSERT_EQ(packed.packed().scores_size(), 20);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(packed.packed().nums(i), plain.hits(i).id().num());
    EXPECT_EQ(packed.packed().scores(i), plain.hits(i).score());
  }
  request.mutable_projection()->set_payload(true);
  const grpc::Status refused = Search(request, &packed);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(refused), "packed_hits");
}

TEST_F(RpcTest, BatchAnswersInOrder) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  ASSERT_RPC_OK(Upsert(UpsertOf("docs", 0, 300)));
  v1::SearchBatchRequest batch;
  batch.set_collection("docs");
  for (uint64_t id = 0; id < 100; ++id) {
    *batch.add_searches() = SearchOf("", VectorOf(id, kDimension), 2);
  }
  v1::SearchBatchResponse response;
  {
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->searches->SearchBatch(&context, batch, &response));
  }
  ASSERT_EQ(response.responses_size(), 100);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(response.responses(i).hits(0).id().num(), i);
  }
  // The first search that is wrong is the one that is named.
  batch.mutable_searches(60)->set_limit(0);
  batch.mutable_searches(30)->set_collection("missing");
  grpc::ClientContext context;
  const grpc::Status missing =
      api_->searches->SearchBatch(&context, batch, &response);
  EXPECT_EQ(missing.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(missing.error_message(), HasSubstr("searches[30]"));
  batch.mutable_searches(30)->clear_collection();
  grpc::ClientContext again;
  const grpc::Status wrong =
      api_->searches->SearchBatch(&again, batch, &response);
  EXPECT_EQ(wrong.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(wrong), "searches[60].limit");
}

TEST_F(RpcTest, StreamAcknowledgesEveryMessageInOrder) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  grpc::ClientContext context;
  const auto stream = api_->points->StreamUpsertPoints(&context);
  for (uint64_t i = 0; i < 20; ++i) {
    v1::StreamUpsertPointsRequest request;
    if (i % 2 == 0) {
      request.set_collection("docs");
    }
    for (uint64_t id = i * 10; id < i * 10 + 15; ++id) {
      *request.add_points() = PointOf(id, kDimension);
    }
    ASSERT_TRUE(stream->Write(request));
  }
  ASSERT_TRUE(stream->WritesDone());
  v1::StreamUpsertPointsResponse ack;
  for (uint64_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(stream->Read(&ack));
    EXPECT_EQ(ack.message_index(), i);
    EXPECT_EQ(ack.applied_seq(), i + 1);
    EXPECT_EQ(ack.inserted(), i == 0 ? 15 : 10);
    EXPECT_EQ(ack.updated(), i == 0 ? 0 : 5);
  }
  EXPECT_FALSE(stream->Read(&ack));
  ASSERT_RPC_OK(stream->Finish());
  EXPECT_EQ(CountPoints("docs"), 205);
}

TEST_F(RpcTest, StreamEndsAtTheFirstMistakeAndKeepsWhatItAcknowledged) {
  ASSERT_RPC_OK(CreateCollection("docs"));
  grpc::ClientContext context;
  const auto stream = api_->points->StreamUpsertPoints(&context);
  v1::StreamUpsertPointsRequest request;
  request.set_collection("docs");
  *request.add_points() = PointOf(1, kDimension);
  ASSERT_TRUE(stream->Write(request));
  v1::StreamUpsertPointsResponse ack;
  ASSERT_TRUE(stream->Read(&ack));
  *request.add_points() = PointOf(2, kDimension + 1);
  ASSERT_TRUE(stream->Write(request));
  EXPECT_FALSE(stream->Read(&ack));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(FieldOf(status), "points[1].vectors[v]");
  EXPECT_EQ(CountPoints("docs"), 1);

  // A stream writes to one collection.
  grpc::ClientContext second;
  const auto other = api_->points->StreamUpsertPoints(&second);
  request.mutable_points()->RemoveLast();
  ASSERT_TRUE(other->Write(request));
  ASSERT_TRUE(other->Read(&ack));
  request.set_collection("elsewhere");
  ASSERT_TRUE(other->Write(request));
  EXPECT_FALSE(other->Read(&ack));
  EXPECT_EQ(FieldOf(other->Finish()), "collection");
}

TEST_F(RpcTest, LargePagesEndEarlyAndLargeAnswersAreRefused) {
  server_.reset();
  ASSERT_NO_FATAL_FAILURE(StartServer({"--grpc.max_message_mb", "2"}));
  ASSERT_RPC_OK(CreateCollection("docs"));
  const std::string filler(200'000, 'x');
  for (uint64_t id = 0; id < 20; id += 5) {
    v1::UpsertPointsRequest request = UpsertOf("docs", id, id + 5);
    for (v1::Point& point : *request.mutable_points()) {
      point.set_payload(absl::StrCat("{\"x\":\"", filler, "\"}"));
    }
    ASSERT_RPC_OK(Upsert(request));
  }
  v1::ScrollPointsRequest scroll;
  scroll.set_collection("docs");
  int seen = 0;
  do {
    v1::ScrollPointsResponse page;
    grpc::ClientContext context;
    ASSERT_RPC_OK(api_->points->ScrollPoints(&context, scroll, &page));
    EXPECT_LE(page.ByteSizeLong(), 2 << 20);
    seen += page.points_size();
    scroll.set_page_token(page.next_page_token());
  } while (!scroll.page_token().empty());
  EXPECT_EQ(seen, 20);

  v1::GetPointsRequest get;
  get.set_collection("docs");
  for (uint64_t id = 0; id < 20; ++id) {
    get.add_ids()->set_num(id);
  }
  v1::GetPointsResponse got;
  grpc::ClientContext context;
  const grpc::Status status = api_->points->GetPoints(&context, get, &got);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("ask for fewer ids"));

  v1::SearchRequest search = SearchOf("docs", VectorOf(1, kDimension), 20);
  search.mutable_projection()->set_payload(true);
  v1::SearchResponse response;
  const grpc::Status too_large = Search(search, &response);
  EXPECT_EQ(too_large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(too_large.error_message(), HasSubstr("ask for fewer hits"));

  // Four answers that are each small enough, and too large together.
  v1::SearchBatchRequest batch;
  search.set_limit(5);
  for (int i = 0; i < 4; ++i) {
    *batch.add_searches() = search;
  }
  v1::SearchBatchResponse responses;
  grpc::ClientContext batch_context;
  const grpc::Status together =
      api_->searches->SearchBatch(&batch_context, batch, &responses);
  EXPECT_EQ(together.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(together.error_message(), HasSubstr("ask for fewer hits"));
}

}  // namespace
}  // namespace sextant
