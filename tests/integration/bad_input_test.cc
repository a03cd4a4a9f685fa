// SPDX-License-Identifier: Apache-2.0
//
// What a client may get wrong: each mistake is answered with its code, the path
// of the field and the limit, and harms nothing.

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"

#include "tests/integration/server_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;

struct Mistake {
  const char* name;
  std::function<grpc::Status()> call;
  grpc::StatusCode code;
  const char* field;
  const char* problem;
};

class BadInputTest : public ServerTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    ASSERT_TRUE(CreateCollection("docs").ok());
    ASSERT_TRUE(CreateCollection("words", kDimension, v1::ID_KIND_STRING).ok());
    ASSERT_TRUE(Upsert(UpsertOf("docs", 0, 10)).ok());
  }

  void TearDown() override {
    // Whatever was sent: the server lives and its data is as it was.
    EXPECT_EQ(CountPoints("docs"), 10);
    EXPECT_EQ(CountPoints("words"), 0);
    ServerTest::TearDown();
    ASSERT_OK_AND_ASSIGN(const int code, server_->Terminate());
    EXPECT_EQ(code, 0);
  }

  void Expect(const std::vector<Mistake>& mistakes) {
    for (const Mistake& mistake : mistakes) {
      const grpc::Status status = mistake.call();
      EXPECT_EQ(status.error_code(), mistake.code)
          << mistake.name << ": " << status.error_message();
      EXPECT_EQ(FieldOf(status), mistake.field) << mistake.name;
      EXPECT_THAT(status.error_message(), HasSubstr(mistake.problem))
          << mistake.name;
    }
  }

  grpc::Status Create(
      const std::function<void(v1::CreateCollectionRequest*)>& spoil) {
    v1::CreateCollectionRequest request;
    request.set_name("new");
    auto* const field = request.mutable_schema()->add_vector_fields();
    field->set_name("v");
    field->set_dimension(4);
    field->set_metric(v1::METRIC_L2);
    spoil(&request);
    v1::CreateCollectionResponse response;
    grpc::ClientContext context;
    return api_->collections->CreateCollection(&context, request, &response);
  }

  // An upsert of two points, the second of which is spoilt.
  grpc::Status Write(
      const std::function<void(v1::UpsertPointsRequest*)>& spoil) {
    v1::UpsertPointsRequest request = UpsertOf("docs", 100, 102);
    spoil(&request);
    return Upsert(request);
  }

  grpc::Status Find(const std::function<void(v1::SearchRequest*)>& spoil) {
    v1::SearchRequest request = SearchOf("docs", VectorOf(1, kDimension), 3);
    spoil(&request);
    v1::SearchResponse response;
    return Search(request, &response);
  }

  static v1::Vector* VectorIn(v1::UpsertPointsRequest* request) {
    return &(*request->mutable_points(1)->mutable_vectors())["v"];
  }

  // Sends bytes as they are.
  grpc::Status CallWithBytes(const std::string& method,
                             const std::string& bytes) {
    grpc::GenericStub stub(api_->channel);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
    grpc::ByteBuffer response;
    grpc::Status status;
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }
};

constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr auto kNotFound = grpc::StatusCode::NOT_FOUND;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_F(BadInputTest, Collections) {
  using Request = v1::CreateCollectionRequest;
  const auto create = [this](const std::function<void(Request*)>& spoil) {
    return [this, spoil] { return Create(spoil); };
  };
  const auto field = [](Request* request) {
    return request->mutable_schema()->mutable_vector_fields(0);
  };
  Expect({
      {"empty name", create([](Request* r) { r->set_name(""); }), kInvalid,
       "name", "1 to 64 characters, got 0"},
      {"over-long name",
       create([](Request* r) { r->set_name(std::string(65, 'n')); }), kInvalid,
       "name", "1 to 64 characters, got 65"},
      {"huge name",
       create([](Request* r) { r->set_name(std::string(1 << 20, 'n')); }),
       kInvalid, "name", "got 1048576"},
      {"path in a name", create([](Request* r) { r->set_name("../etc"); }),
       kInvalid, "name", "A-Z, a-z, 0-9"},
      {"zero byte in a name",
       create([](Request* r) { r->set_name(std::string("a\0b", 3)); }),
       kInvalid, "name", "A-Z, a-z, 0-9"},
      {"no fields", create([](Request* r) { r->clear_schema(); }), kInvalid,
       "schema.vector_fields", "1 to 16 vector fields, got 0"},
      {"too many fields", create([&](Request* r) {
         for (int i = 0; i < 16; ++i) {
           *r->mutable_schema()->add_vector_fields() = *field(r);
         }
       }),
       kInvalid, "schema.vector_fields", "got 17"},
      {"field name twice", create([&](Request* r) {
         *r->mutable_schema()->add_vector_fields() = *field(r);
       }),
       kInvalid, "schema.vector_fields[1].name", "earlier field"},
      {"dimension 0", create([&](Request* r) { field(r)->set_dimension(0); }),
       kInvalid, "schema.vector_fields[0].dimension",
       "must be 1 to 65536, got 0"},
      {"dimension 2^32 - 1",
       create([&](Request* r) { field(r)->set_dimension(~0U); }), kInvalid,
       "schema.vector_fields[0].dimension", "got 4294967295"},
      {"no metric", create([&](Request* r) { field(r)->clear_metric(); }),
       kInvalid, "schema.vector_fields[0].metric", "required"},
      {"unknown encoding", create([&](Request* r) {
         field(r)->set_encoding(static_cast<v1::Encoding>(77));
       }),
       kInvalid, "schema.vector_fields[0].encoding",
       "_INT4 or _BINARY, got number 77"},
      {"unknown re-rank placement", create([&](Request* r) {
         field(r)->set_rerank(static_cast<v1::Rerank>(-1));
       }),
       kInvalid, "schema.vector_fields[0].rerank",
       "must be RERANK_MEMORY, _MAPPED or _NONE, got number -1"},
      {"no re-ranking of unnamed codes",
       create([&](Request* r) { field(r)->set_rerank(v1::RERANK_NONE); }),
       kInvalid, "schema.vector_fields[0].rerank",
       "needs the encoding bf16, int8, int4 or binary, got auto"},
      {"m out of range",
       create([&](Request* r) { field(r)->mutable_graph()->set_m(65); }),
       kInvalid, "schema.vector_fields[0].graph.m", "4 to 64, got 65"},
      {"ef_construction out of range", create([&](Request* r) {
         field(r)->mutable_graph()->set_ef_construction(7);
       }),
       kInvalid, "schema.vector_fields[0].graph.ef_construction",
       "8 to 2000, got 7"},
  });
}

TEST_F(BadInputTest, Writes) {
  using Request = v1::UpsertPointsRequest;
  const auto write = [this](const std::function<void(Request*)>& spoil) {
    return [this, spoil] { return Write(spoil); };
  };
  const auto id = [](Request* r) { return r->mutable_points(1)->mutable_id(); };
  const char* const vector = "points[1].vectors[v]";
  Expect({
      {"unknown collection",
       write([](Request* r) { r->set_collection("missing"); }), kNotFound, "",
       "missing"},
      {"no collection", write([](Request* r) { r->clear_collection(); }),
       kInvalid, "collection", "got 0"},
      {"empty batch", write([](Request* r) { r->clear_points(); }), kInvalid,
       "points", "1 to 10000 in a request, got 0"},
      {"too many points", write([](Request* r) {
         for (int i = 0; i < 10'000; ++i) {
           r->add_points();
         }
       }),
       kInvalid, "points", "got 10002"},
      {"short vector",
       write([](Request* r) { VectorIn(r)->mutable_values()->Truncate(5); }),
       kInvalid, vector, "expected 8 numbers, got 5"},
      {"raw of another dimension", write([](Request* r) {
         VectorIn(r)->Clear();
         VectorIn(r)->set_raw(std::string(400, '\0'));
       }),
       kInvalid, vector, "expected 8 numbers, got 100"},
      {"raw of 33 bytes", write([](Request* r) {
         VectorIn(r)->Clear();
         VectorIn(r)->set_raw(std::string(33, '\0'));
       }),
       kInvalid, "points[1].vectors[v].raw", "got 33 bytes"},
      {"both encodings",
       write([](Request* r) { VectorIn(r)->set_raw(std::string(32, '\1')); }),
       kInvalid, vector, "not both"},
      {"NaN", write([](Request* r) { VectorIn(r)->set_values(3, kNan); }),
       kInvalid, vector, "number 3 is NaN"},
      {"infinity",
       write([](Request* r) { VectorIn(r)->set_values(0, -kInfinity); }),
       kInvalid, vector, "number 0 is infinite"},
      {"zero vector under cosine", write([](Request* r) {
         VectorIn(r)->Clear();
         VectorIn(r)->set_raw(std::string(32, '\0'));
       }),
       kInvalid, vector, "all zeros"},
      {"unknown vector field", write([](Request* r) {
         (*r->mutable_points(1)->mutable_vectors())["w"].add_values(1);
       }),
       kInvalid, "points[1].vectors[w]", "no such vector field"},
      {"no vectors",
       write([](Request* r) { r->mutable_points(1)->clear_vectors(); }),
       kInvalid, "points[1].vectors", "at least one vector"},
      {"no id", write([](Request* r) { r->mutable_points(1)->clear_id(); }),
       kInvalid, "points[1].id", "required"},
      {"string id in a collection of numbers",
       write([&](Request* r) { id(r)->set_str("seven"); }), kInvalid,
       "points[1].id", "numbers, got the string"},
      {"number in a collection of strings", write([&](Request* r) {
         r->set_collection("words");
         r->mutable_points(0)->mutable_id()->set_str("one");
       }),
       kInvalid, "points[1].id", "strings, got the number 101"},
      {"over-long id",
       write([&](Request* r) { id(r)->set_str(std::string(513, 'i')); }),
       kInvalid, "points[1].id", "1 to 512 bytes, got 513"},
      {"payload that is no JSON",
       write([](Request* r) { r->mutable_points(1)->set_payload("{"); }),
       kInvalid, "points[1].payload", ""},
      {"payload that is no object",
       write([](Request* r) { r->mutable_points(1)->set_payload("[1]"); }),
       kInvalid, "points[1].payload", ""},
      {"payload too deep", write([](Request* r) {
         std::string deep;
         for (int i = 0; i < 100; ++i) {
           deep += "{\"a\":";
         }
         deep += "1" + std::string(100, '}');
         r->mutable_points(1)->set_payload(deep);
       }),
       kInvalid, "points[1].payload", ""},
      {"payload too large", write([](Request* r) {
         r->mutable_points(1)->set_payload("{\"a\":\"" +
                                           std::string(1 << 20, 'x') + "\"}");
       }),
       kInvalid, "points[1].payload", "at most 1048576 bytes"},
  });
}

TEST_F(BadInputTest, Searches) {
  using Request = v1::SearchRequest;
  const auto find = [this](const std::function<void(Request*)>& spoil) {
    return [this, spoil] { return Find(spoil); };
  };
  const auto dense = [](Request* r) {
    return r->mutable_sources(0)->mutable_dense();
  };
  const char* const vector = "sources[0].dense.vector";
  Expect({
      {"unknown collection",
       find([](Request* r) { r->set_collection("missing"); }), kNotFound, "",
       "missing"},
      {"limit 0", find([](Request* r) { r->set_limit(0); }), kInvalid, "limit",
       "1 to 10000, got 0"},
      {"limit 2^31", find([](Request* r) { r->set_limit(1U << 31U); }),
       kInvalid, "limit", "got 2147483648"},
      {"offset 2^32 - 1", find([](Request* r) { r->set_offset(~0U); }),
       kInvalid, "offset", "at most 10000"},
      {"no source", find([](Request* r) { r->clear_sources(); }), kInvalid,
       "sources", "1 to 16, got 0"},
      {"unknown field", find([&](Request* r) { dense(r)->set_field("w"); }),
       kInvalid, "sources[0].dense.field", "no such vector field"},
      {"wrong dimension",
       find([&](Request* r) { dense(r)->mutable_vector()->add_values(1); }),
       kInvalid, vector, "expected 8 numbers, got 9"},
      {"NaN", find([&](Request* r) {
         dense(r)->mutable_vector()->set_values(7, kNan);
       }),
       kInvalid, vector, "number 7 is NaN"},
      {"zero vector", find([&](Request* r) {
         dense(r)->mutable_vector()->Clear();
         dense(r)->mutable_vector()->set_raw(std::string(32, '\0'));
       }),
       kInvalid, vector, "all zeros"},
      {"stored point of the wrong kind", find([&](Request* r) {
         dense(r)->mutable_stored_point()->set_str("a");
       }),
       kInvalid, "sources[0].dense.stored_point", "numbers, got the string"},
      {"ef too large", find([&](Request* r) { dense(r)->set_ef(10'001); }),
       kInvalid, "sources[0].dense.ef", "10000"},
      {"recall target above 1",
       find([](Request* r) { r->set_recall_target(1.5); }), kInvalid,
       "recall_target", "at most 1"},
      {"recall target of no number",
       find([](Request* r) { r->set_recall_target(kNan); }), kInvalid,
       "recall_target", "nan"},
      {"recall target and ef", find([&](Request* r) {
         r->set_recall_target(0.9);
         dense(r)->set_ef(10);
       }),
       kInvalid, "recall_target", "sources[0].dense.ef"},
      {"unknown field in the projection",
       find([](Request* r) { r->mutable_projection()->add_vectors("w"); }),
       kInvalid, "projection.vectors[0]", "no such vector field"},
  });
}

TEST_F(BadInputTest, PageTokens) {
  const auto scroll = [this](const std::string& token) {
    v1::ScrollPointsRequest request;
    request.set_collection("docs");
    request.set_page_token(token);
    v1::ScrollPointsResponse response;
    grpc::ClientContext context;
    return api_->points->ScrollPoints(&context, request, &response);
  };
  const auto list = [this](const std::string& token) {
    v1::ListCollectionsRequest request;
    request.set_page_token(token);
    v1::ListCollectionsResponse response;
    grpc::ClientContext context;
    return api_->collections->ListCollections(&context, request, &response);
  };
  for (const std::string& token :
       {std::string("x"), std::string("AAAAAAAAAAAAAAAAAAAAAA"),
        std::string(100'000, 'A'), std::string("docs")}) {
    for (const grpc::Status& status : {scroll(token), list(token)}) {
      EXPECT_EQ(status.error_code(), kInvalid);
      EXPECT_EQ(FieldOf(status), "page_token");
    }
  }
}

TEST_F(BadInputTest, TextThatIsNotUtf8) {
  v1::UpsertPointsRequest request = UpsertOf("words", 1, 3);
  request.mutable_points(0)->mutable_id()->set_str("ok");
  request.mutable_points(1)->mutable_id()->set_str("BROKEN");
  std::string bytes = request.SerializeAsString();
  bytes[bytes.find("BROKEN")] = '\xc0';
  const grpc::Status status =
      CallWithBytes("/sextant.v1.PointService/UpsertPoints", bytes);
  EXPECT_EQ(status.error_code(), kInvalid);
  EXPECT_EQ(FieldOf(status), "points[1].id.str");
  EXPECT_THAT(status.error_message(), HasSubstr("not valid UTF-8"));

  v1::SearchRequest search = SearchOf("BROKEN", VectorOf(1, kDimension), 1);
  bytes = search.SerializeAsString();
  bytes[bytes.find("BROKEN")] = '\xff';
  EXPECT_EQ(FieldOf(CallWithBytes("/sextant.v1.SearchService/Search", bytes)),
            "collection");
}

TEST_F(BadInputTest, BytesThatAreNoMessage) {
  for (const std::string& bytes : {std::string("\xff\xff\xff\xff"),
                                   std::string("\x0a\x7f"
                                               "abc",
                                               5),
                                   std::string(1000, '\x0a')}) {
    const grpc::Status status =
        CallWithBytes("/sextant.v1.SearchService/Search", bytes);
    EXPECT_EQ(status.error_code(), kInvalid);
    EXPECT_THAT(status.error_message(), HasSubstr("sextant.v1.SearchRequest"));
  }
  EXPECT_EQ(CallWithBytes("/sextant.v1.SearchService/Nothing", "").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(BadInputTest, ErrorsStaySmallWhateverTheyQuote) {
  v1::UpsertPointsRequest request = UpsertOf("docs", 100, 101);
  (*request.mutable_points(0)->mutable_vectors())[std::string(1 << 20, 'w')]
      .add_values(1);
  const grpc::Status status = Upsert(request);
  EXPECT_EQ(status.error_code(), kInvalid);
  EXPECT_LT(status.error_message().size(), 2000);
  EXPECT_THAT(FieldOf(status), HasSubstr("points[0].vectors[www"));
}

TEST_F(BadInputTest, MessagesOverTheLimitAreRefused) {
  std::string bytes(65 << 20, '\0');
  const grpc::Status status =
      CallWithBytes("/sextant.v1.PointService/UpsertPoints", bytes);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace sextant
