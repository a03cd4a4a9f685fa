// SPDX-License-Identifier: Apache-2.0
//
// Text fields, fusion and boosts as clients of the API meet them.

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "tests/integration/server_fixture.h"
#include "tests/support/eventually.h"

namespace sextant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class HybridTest : public ServerTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    v1::CreateCollectionResponse response;
    const grpc::Status created = Create("docs", "english", &response);
    ASSERT_TRUE(created.ok()) << created.error_message();
    const v1::TextField& field = response.collection().schema().text_fields(0);
    EXPECT_EQ(field.name(), "body");
    EXPECT_EQ(field.analyzer().language(), "english");
    EXPECT_EQ(field.k1(), 0.9F);
    EXPECT_EQ(field.b(), 0.75F);
    const std::vector<std::string> texts = {
        "Edit photos and other pictures", "A text editor for programs",
        "Plays music and edits sound",    "A photo gallery, edited by hand",
        "The weather, on every morning",  "Photos of the weather"};
    v1::UpsertPointsRequest upsert = UpsertOf("docs", 0, texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      upsert.mutable_points(static_cast<int>(i))
          ->set_payload(
              absl::StrCat(R"({"body":")", texts[i], R"(","stars":)", i, "}"));
    }
    const grpc::Status written = Upsert(upsert);
    ASSERT_TRUE(written.ok()) << written.error_message();
  }

  grpc::Status Create(const std::string& name, const std::string& language,
                      v1::CreateCollectionResponse* response) {
    v1::CreateCollectionRequest request;
    request.set_name(name);
    auto* const schema = request.mutable_schema();
    auto* const vector = schema->add_vector_fields();
    vector->set_name("v");
    vector->set_dimension(kDimension);
    vector->set_metric(v1::METRIC_COSINE);
    auto* const stars = schema->add_payload_fields();
    stars->set_name("stars");
    stars->set_type(v1::FIELD_TYPE_INTEGER);
    auto* const text = schema->add_text_fields();
    text->set_name("body");
    text->mutable_analyzer()->set_language(language);
    text->set_k1(0.9F);
    grpc::ClientContext context;
    return api_->collections->CreateCollection(&context, request, response);
  }

  static v1::SearchRequest TextOf(const std::string& text) {
    v1::SearchRequest request;
    request.set_collection("docs");
    request.set_limit(10);
    request.add_sources()->mutable_text()->set_text(text);
    return request;
  }

  std::vector<uint64_t> IdsOf(const v1::SearchRequest& request) {
    v1::SearchResponse response;
    const grpc::Status status = Search(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<uint64_t> ids;
    for (const v1::Hit& hit : response.hits()) {
      ids.push_back(hit.id().num());
    }
    return ids;
  }

  std::string ErrorOf(const v1::SearchRequest& request) {
    v1::SearchResponse response;
    const grpc::Status status = Search(request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  }
};

TEST_F(HybridTest, FindsWordsInTheirForms) {
  // An editor is a word of its own to the stemmer.
  EXPECT_THAT(IdsOf(TextOf("editing photo")), UnorderedElementsAre(0, 2, 3, 5));
  EXPECT_THAT(IdsOf(TextOf("+photos -weather")), UnorderedElementsAre(0, 3));
  EXPECT_THAT(IdsOf(TextOf("\"text editor\"")), ElementsAre(1));
  EXPECT_THAT(IdsOf(TextOf("weath*")), UnorderedElementsAre(4, 5));
  EXPECT_THAT(IdsOf(TextOf("nothing")), ElementsAre());
}

TEST_F(HybridTest, TreesAreStrings) {
  v1::SearchRequest request = TextOf("");
  auto* const tree = request.mutable_sources(0)->mutable_text()->mutable_tree();
  tree->mutable_bool_()->add_must()->set_all_of("photo edit");
  tree->mutable_bool_()->add_must_not()->mutable_phrase()->set_text("by hand");
  EXPECT_THAT(IdsOf(request), ElementsAre(0));
}

TEST_F(HybridTest, FusesAndExplains) {
  v1::SearchRequest request = TextOf("photos");
  request.add_sources()->mutable_dense()->mutable_stored_point()->set_num(4);
  request.mutable_fusion()->set_method(v1::FUSION_METHOD_LINEAR);
  request.mutable_sources(1)->set_weight(0.25);
  auto* const boost = request.add_boosts();
  boost->set_field("stars");
  boost->mutable_number()->set_factor(0.001);
  request.set_explain(true);
  v1::SearchResponse response;
  const grpc::Status status = Search(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.hits_size(), 5);  // not the point searched by
  for (const v1::Hit& hit : response.hits()) {
    const v1::HitExplanation& why = hit.explanation();
    ASSERT_EQ(why.sources_size(), 2);
    EXPECT_NEAR(why.sources(0).share() + why.sources(1).share(), why.fused(),
                1e-9);
    EXPECT_NEAR(why.boosts(0).score(), hit.score(), 1e-6);
    EXPECT_EQ(why.sources(0).terms_size() > 0, why.sources(0).score() > 0);
    EXPECT_TRUE(why.sources(1).has_score());
  }
  EXPECT_THAT(response.explanation().plan(), HasSubstr("fusion by linear"));
  EXPECT_THAT(response.explanation().plan(), HasSubstr("text body"));
}

TEST_F(HybridTest, ShowsTokens) {
  v1::AnalyzeRequest request;
  request.set_collection("docs");
  request.set_field("body");
  request.set_text("Editing, Photos");
  const auto analyze = [&](v1::AnalyzeResponse* response) {
    grpc::ClientContext context;
    return api_->collections->Analyze(&context, request, response);
  };
  v1::AnalyzeResponse response;
  ASSERT_TRUE(analyze(&response).ok());
  ASSERT_EQ(response.tokens_size(), 2);
  EXPECT_EQ(response.tokens(1).term(), "photo");
  EXPECT_EQ(response.tokens(1).position(), 1U);
  EXPECT_EQ(response.tokens(1).begin(), 9U);
  EXPECT_EQ(response.tokens(1).end(), 15U);
  request.mutable_analyzer()->set_kind(v1::ANALYZER_KIND_KEYWORD);
  EXPECT_THAT(analyze(&response).error_message(), HasSubstr("analyzer"));
  request.clear_collection();
  request.clear_field();
  response.Clear();
  ASSERT_TRUE(analyze(&response).ok());
  ASSERT_EQ(response.tokens_size(), 1);
  EXPECT_EQ(response.tokens(0).term(), "editing, photos");
}

TEST_F(HybridTest, NamesWhatIsWrong) {
  EXPECT_THAT(ErrorOf(TextOf("")), HasSubstr("sources[0].text.text"));
  EXPECT_THAT(ErrorOf(TextOf("\"open")), HasSubstr("column"));
  EXPECT_THAT(ErrorOf(TextOf(std::string(1U << 20U, 'x'))),
              HasSubstr("sources[0].text"));
  std::string words;
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&words, "w", i, " ");
  }
  EXPECT_THAT(ErrorOf(TextOf(words)), HasSubstr("sources[0].text"));
  const auto spoiled = [&](const std::function<void(v1::Source*)>& spoil) {
    v1::SearchRequest request = TextOf("a");
    *request.add_sources() = request.sources(0);
    spoil(request.mutable_sources(1));
    return ErrorOf(request);
  };
  EXPECT_THAT(spoiled([](v1::Source* s) { s->set_weight(-1); }),
              HasSubstr("sources[1].weight: -1 is below 0"));
  EXPECT_THAT(spoiled([](v1::Source* s) {
                s->mutable_text()->add_fields()->set_name("x");
              }),
              HasSubstr("sources[1].text.fields[0].name"));
  EXPECT_THAT(spoiled([](v1::Source* s) {
                auto* const field = s->mutable_text()->add_fields();
                field->set_name("body");
                field->set_weight(-1);
              }),
              HasSubstr("sources[1].text.fields[0].weight"));
  EXPECT_THAT(spoiled([](v1::Source* s) {
                v1::TextQuery* tree = s->mutable_text()->mutable_tree();
                for (int i = 0; i < 20; ++i) {
                  tree = tree->mutable_bool_()->add_must();
                }
                tree->set_term("a");
              }),
              HasSubstr("nested deeper"));
  EXPECT_THAT(spoiled([](v1::Source* s) {
                for (int i = 0; i < 20; ++i) {
                  v1::Source inner = *s;
                  s->mutable_group()->clear_sources();
                  *s->mutable_group()->add_sources() = inner;
                }
              }),
              HasSubstr("groups nest at most 3 deep"));
  v1::CreateCollectionResponse response;
  const grpc::Status unknown = Create("other", "klingon", &response);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(unknown.error_message(),
              HasSubstr("schema.text_fields[0].analyzer.language"));
}

TEST_F(HybridTest, HighlightsInBytes) {
  v1::SearchRequest request = TextOf("editing photo");
  request.mutable_highlight()->set_fragment_bytes(16);
  request.mutable_highlight()->set_fragments(2);
  v1::SearchResponse response;
  const grpc::Status status = Search(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  for (const v1::Hit& hit : response.hits()) {
    ASSERT_EQ(hit.highlights_size(), 1);
    EXPECT_EQ(hit.highlights(0).field(), "body");
    EXPECT_TRUE(hit.payload().empty());
    if (hit.id().num() != 3) {
      continue;
    }
    // "A photo gallery, edited by hand"
    const auto& fragments = hit.highlights(0).fragments();
    ASSERT_EQ(fragments.size(), 2);
    EXPECT_EQ(fragments[0].text(), "A photo gallery");
    EXPECT_EQ(fragments[0].begin(), 0);
    ASSERT_EQ(fragments[0].matches_size(), 1);
    EXPECT_EQ(fragments[0].matches(0).begin(), 2);
    EXPECT_EQ(fragments[0].matches(0).end(), 7);
    EXPECT_EQ(fragments[1].text(), "edited by hand");
    EXPECT_EQ(fragments[1].begin(), 17);
  }
  request.mutable_highlight()->add_fields("stars");
  EXPECT_THAT(ErrorOf(request), HasSubstr("highlight.fields[0]"));
  request.clear_highlight();
  request.mutable_highlight();
  request.set_packed_hits(true);
  EXPECT_THAT(ErrorOf(request), HasSubstr("packed_hits: not with highlight"));
}

TEST_F(HybridTest, AnAnalyserIsChangedLater) {
  v1::UpdateTextFieldRequest request;
  v1::CollectionInfo info;
  const auto update = [&] {
    grpc::ClientContext context;
    v1::UpdateTextFieldResponse response;
    grpc::Status status =
        api_->collections->UpdateTextField(&context, request, &response);
    info = response.collection();
    return status;
  };
  request.set_collection("docs");
  request.set_field("body");
  EXPECT_EQ(FieldOf(update()), "analyzer") << "nothing to change";
  request.mutable_analyzer()->set_language("klingon");
  EXPECT_EQ(FieldOf(update()), "analyzer.language");
  request.mutable_analyzer()->set_language("");
  request.set_field("stars");
  EXPECT_EQ(FieldOf(update()), "field");
  request.set_collection("nothing");
  EXPECT_EQ(update().error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_collection("no such name");
  EXPECT_EQ(FieldOf(update()), "collection");

  request.set_collection("docs");
  request.set_field("body");
  request.set_no_positions(true);
  ASSERT_TRUE(update().ok());
  if (info.has_text_field_change()) {
    EXPECT_TRUE(info.text_field_change().field().no_positions());
    EXPECT_EQ(info.text_field_change().points_total(), 6U);
  }
  EXPECT_TRUE(Eventually(
      [&] {
        EXPECT_TRUE(update().ok()) << "the same again";
        return !info.has_text_field_change();
      },
      absl::Seconds(30)));
  const v1::TextField& field = info.schema().text_fields(0);
  EXPECT_EQ(field.analyzer().language(), "");
  EXPECT_TRUE(field.no_positions());
  EXPECT_EQ(field.k1(), 0.9F);
  EXPECT_THAT(IdsOf(TextOf("editing photo")), ElementsAre(3));
  EXPECT_THAT(ErrorOf(TextOf("\"a photo\"")), HasSubstr("positions"));
  v1::AnalyzeRequest analyze;
  analyze.set_collection("docs");
  analyze.set_field("body");
  analyze.set_text("Photos");
  v1::AnalyzeResponse tokens;
  grpc::ClientContext context;
  ASSERT_TRUE(api_->collections->Analyze(&context, analyze, &tokens).ok());
  EXPECT_EQ(tokens.tokens(0).term(), "photos");
}

}  // namespace
}  // namespace sextant
