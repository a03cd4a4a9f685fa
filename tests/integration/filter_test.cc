// SPDX-License-Identifier: Apache-2.0
//
// Payload fields and filters as clients of the API meet them.

#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "tests/integration/server_fixture.h"
#include "tests/support/eventually.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint64_t kTestPoints = 60;

class FilterTest : public ServerTest {
 protected:
  // Point `id`: size = id, section "even" or "odd", "a.b" = id / 2.
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    v1::CreateCollectionRequest request;
    request.set_name("docs");
    auto* const schema = request.mutable_schema();
    auto* const vector = schema->add_vector_fields();
    vector->set_name("v");
    vector->set_dimension(kDimension);
    vector->set_metric(v1::METRIC_COSINE);
    AddField(schema, "size", v1::FIELD_TYPE_INTEGER);
    AddField(schema, "section", v1::FIELD_TYPE_KEYWORD);
    AddField(schema, "a.b", v1::FIELD_TYPE_FLOAT);
    v1::CreateCollectionResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(
        api_->collections->CreateCollection(&context, request, &response).ok());
    ASSERT_EQ(response.collection().schema().payload_fields_size(), 3);
    EXPECT_EQ(response.collection().schema().payload_fields(2).name(), "a.b");
    v1::UpsertPointsRequest upsert = UpsertOf("docs", 0, kTestPoints);
    for (uint64_t id = 0; id < kTestPoints; ++id) {
      upsert.mutable_points(static_cast<int>(id))->set_payload(PayloadOf(id));
    }
    const grpc::Status written = Upsert(upsert);
    ASSERT_TRUE(written.ok()) << written.error_message();
  }

  static void AddField(v1::CollectionSchema* schema, const std::string& name,
                       v1::FieldType type) {
    auto* const field = schema->add_payload_fields();
    field->set_name(name);
    field->set_type(type);
  }
  static std::string PayloadOf(uint64_t id) {
    return absl::StrCat("{\"size\":", id, ",\"section\":\"",
                        id % 2 == 0 ? "even" : "odd", "\",\"a\":{\"b\":", id,
                        "e-1}}");
  }
  // section = "odd" and size >= from and size < below
  static v1::Filter OddSizes(int64_t from, int64_t below) {
    v1::Filter filter;
    auto* const section = filter.mutable_and_()->add_parts()->mutable_in();
    section->set_field("section");
    section->add_values()->set_text("odd");
    auto* const range = filter.mutable_and_()->add_parts()->mutable_range();
    range->set_field("size");
    range->mutable_from()->set_integer(from);
    range->mutable_below()->set_integer(below);
    return filter;
  }

  grpc::Status Scroll(v1::ScrollPointsRequest request,
                      std::vector<uint64_t>* ids) {
    request.set_collection("docs");
    do {
      v1::ScrollPointsResponse response;
      grpc::ClientContext context;
      const grpc::Status status =
          api_->points->ScrollPoints(&context, request, &response);
      if (!status.ok()) {
        return status;
      }
      for (const v1::Point& point : response.points()) {
        ids->push_back(point.id().num());
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return grpc::Status::OK;
  }

  grpc::Status SearchWith(const v1::Filter& filter,
                          v1::SearchResponse* response) {
    v1::SearchRequest request =
        SearchOf("docs", VectorOf(1000, kDimension), 10);
    *request.mutable_filter() = filter;
    request.set_explain(true);
    return Search(request, response);
  }
};

TEST_F(FilterTest, SearchesAmongWhatMatches) {
  v1::SearchResponse response;
  ASSERT_TRUE(SearchWith(OddSizes(50, 57), &response).ok());
  std::vector<uint64_t> ids;
  for (const v1::Hit& hit : response.hits()) {
    ids.push_back(hit.id().num());
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_THAT(ids, ElementsAre(51, 53, 55));
  EXPECT_THAT(response.explanation().plan(), HasSubstr("matching 3"));
  // The same as text.
  v1::Filter text;
  text.set_text("section = \"odd\" and size >= 50 and size < 57");
  v1::SearchResponse same;
  ASSERT_TRUE(SearchWith(text, &same).ok());
  EXPECT_EQ(same.hits_size(), 3);
}

TEST_F(FilterTest, AFieldIsAddedLater) {
  v1::AddPayloadFieldRequest request;
  request.set_collection("docs");
  request.mutable_field()->set_name("late");
  const auto add = [&] {
    grpc::ClientContext context;
    v1::AddPayloadFieldResponse response;
    const grpc::Status status =
        api_->collections->AddPayloadField(&context, request, &response);
    if (status.ok()) {
      EXPECT_EQ(response.collection().schema().payload_fields_size(), 4);
    }
    return status;
  };
  EXPECT_EQ(FieldOf(add()), "field.type");
  request.mutable_field()->set_type(v1::FIELD_TYPE_INTEGER);
  ASSERT_TRUE(add().ok());
  EXPECT_EQ(add().error_code(), grpc::StatusCode::ALREADY_EXISTS);
  request.mutable_field()->set_name("a.b.c");
  EXPECT_EQ(FieldOf(add()), "field.name");
  request.set_collection("nothing");
  EXPECT_EQ(add().error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_collection("no such name");
  EXPECT_EQ(FieldOf(add()), "collection");

  v1::UpsertPointsRequest upsert =
      UpsertOf("docs", kTestPoints, kTestPoints + 1);
  upsert.mutable_points(0)->set_payload("{\"late\":5}");
  ASSERT_TRUE(Upsert(upsert).ok());
  v1::Filter filter;
  filter.set_text("late = 5");
  EXPECT_TRUE(Eventually(
      [&] {
        v1::SearchResponse found;
        const grpc::Status status = SearchWith(filter, &found);
        EXPECT_TRUE(status.ok() || status.error_code() ==
                                       grpc::StatusCode::FAILED_PRECONDITION);
        return status.ok() && found.hits_size() == 1 &&
               found.hits(0).id().num() == kTestPoints;
      },
      absl::Seconds(60)));
}

TEST_F(FilterTest, ARadiusAndAFilterTogether) {
  v1::SearchRequest request = SearchOf("docs", VectorOf(1000, kDimension), 60);
  request.mutable_filter()->set_text("section = \"odd\"");
  v1::SearchResponse all;
  ASSERT_TRUE(Search(request, &all).ok());
  ASSERT_EQ(all.hits_size(), 30);
  request.mutable_cut_off()->set_min_score(all.hits(9).score());
  v1::SearchResponse near;
  ASSERT_TRUE(Search(request, &near).ok());
  ASSERT_EQ(near.hits_size(), 10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(near.hits(i).id().num(), all.hits(i).id().num());
  }
  request.mutable_cut_off()->clear_kind();
  const grpc::Status status = Search(request, &near);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("cut_off: required: a kind"));
}

TEST_F(FilterTest, CountsFacetsScrollsAndDeletes) {
  v1::CountPointsRequest count;
  count.set_collection("docs");
  *count.mutable_filter() = OddSizes(0, 20);
  v1::CountPointsResponse counted;
  grpc::ClientContext count_context;
  ASSERT_TRUE(api_->points->CountPoints(&count_context, count, &counted).ok());
  EXPECT_EQ(counted.count(), 10U);

  v1::FacetPointsRequest facets;
  facets.set_collection("docs");
  facets.set_field("section");
  facets.mutable_filter()->set_text("size < 11");
  v1::FacetPointsResponse found;
  grpc::ClientContext facet_context;
  ASSERT_TRUE(api_->points->FacetPoints(&facet_context, facets, &found).ok());
  ASSERT_EQ(found.facets_size(), 2);
  EXPECT_EQ(found.facets(0).key().text(), "even");
  EXPECT_EQ(found.facets(0).points(), 6U);
  EXPECT_EQ(found.facets(1).points(), 5U);
  EXPECT_EQ(found.points(), 11U);

  std::vector<uint64_t> ids;
  v1::ScrollPointsRequest scroll;
  scroll.set_page_size(2);
  *scroll.mutable_filter() = OddSizes(0, 10);
  scroll.mutable_order_by()->set_field("a.b");
  scroll.mutable_order_by()->set_descending(true);
  ASSERT_TRUE(Scroll(scroll, &ids).ok());
  EXPECT_THAT(ids, ElementsAre(9, 7, 5, 3, 1));

  v1::DeletePointsRequest remove;
  remove.set_collection("docs");
  *remove.mutable_filter() = OddSizes(10, kTestPoints);
  v1::DeletePointsResponse removed;
  grpc::ClientContext delete_context;
  ASSERT_TRUE(
      api_->points->DeletePoints(&delete_context, remove, &removed).ok());
  EXPECT_EQ(removed.deleted(), 25U);
  EXPECT_EQ(CountPoints("docs"), kTestPoints - 25);
}

TEST_F(FilterTest, MistakesAreNamed) {
  const auto problem = [this](const v1::Filter& filter) {
    v1::SearchResponse response;
    const grpc::Status status = SearchWith(filter, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::Filter filter;
  EXPECT_THAT(problem(filter), HasSubstr("filter: required: a kind"));
  filter.mutable_and_()->add_parts()->mutable_exists()->set_field("size");
  filter.mutable_and_()->add_parts()->mutable_exists()->set_field("colour");
  EXPECT_THAT(problem(filter), HasSubstr("filter.and.parts[1].exists"));
  filter.mutable_not_()->mutable_in()->set_field("size");
  EXPECT_THAT(problem(filter), HasSubstr("filter.not.in.values: 1 to 65536"));
  filter.mutable_not_()->mutable_in()->add_values()->set_text("large");
  EXPECT_THAT(problem(filter), HasSubstr("filter.not.in"));
  filter.mutable_range()->set_field("size");
  EXPECT_THAT(problem(filter), HasSubstr("filter.range: required: an end"));
  filter.mutable_range()->mutable_above()->set_integer(1);
  filter.mutable_range()->mutable_from()->set_integer(1);
  EXPECT_THAT(problem(filter),
              HasSubstr("filter.range.above: not with `from`"));
  filter.set_text("size < large");
  EXPECT_THAT(problem(filter), HasSubstr("filter text, column 8"));
  filter.mutable_in()->set_field("size");
  for (int i = 0; i <= 65'536; ++i) {
    filter.mutable_in()->add_values()->set_integer(i);
  }
  EXPECT_THAT(problem(filter), HasSubstr("65536 values, got 65537"));

  v1::DeletePointsRequest remove;
  remove.set_collection("docs");
  remove.add_ids()->set_num(1);
  remove.mutable_filter()->set_text("size = 1");
  v1::DeletePointsResponse removed;
  grpc::ClientContext context;
  EXPECT_THAT(
      api_->points->DeletePoints(&context, remove, &removed).error_message(),
      HasSubstr("filter: not with ids"));
  EXPECT_EQ(CountPoints("docs"), kTestPoints);

  v1::UpsertPointsRequest upsert = UpsertOf("docs", 0, 3);
  upsert.mutable_points(2)->set_payload("{\"size\":\"12\"}");
  EXPECT_THAT(Upsert(upsert).error_message(),
              HasSubstr("points[2].payload.size: must be a 64-bit integer, got "
                        "\"12\""));
}

TEST_F(FilterTest, ATokenFitsItsFilterOnly) {
  v1::ScrollPointsRequest request;
  request.set_collection("docs");
  request.set_page_size(2);
  *request.mutable_filter() = OddSizes(0, 10);
  v1::ScrollPointsResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(api_->points->ScrollPoints(&context, request, &response).ok());
  request.set_page_token(response.next_page_token());
  *request.mutable_filter() = OddSizes(0, 12);
  grpc::ClientContext other_context;
  const grpc::Status status =
      api_->points->ScrollPoints(&other_context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("page_token"));
}

}  // namespace
}  // namespace sextant
