// SPDX-License-Identifier: Apache-2.0
#include "engine/highlight_hits.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "base/errors.h"
#include "base/status_matchers.h"
#include "engine/engine_fixture.h"

namespace sextant {
namespace {

using test::Unlimited;
using testing::ElementsAre;

class HighlightHitsTest : public test::DatabaseFixture {
 protected:
  void SetUp() override {
    Open();
    Schema schema = test::OneFieldSchema(2);
    schema.text_fields = {{.name = "body", .analysis = {.language = "english"}},
                          {.name = "book.title"},
                          {.name = "unasked"}};
    collection_ = Create("c", schema);
    ASSERT_NE(collection_, nullptr);
    Write(1, R"({"body":["A photo.","Editing a photo of photos"],)"
             R"("book":{"title":"Photo editing"},"unasked":"photo"})");
    Write(2, R"({"body":"Ein großes Foto, the photo — and a “photo”"})");
    Write(3, R"({"book":{"title":"Weather"}})");
  }

  void Write(uint64_t id, const std::string& payload) {
    ASSERT_OK(collection_->Upsert(
        {test::MakePoint(id, {1, static_cast<float>(id)}, payload)},
        Unlimited()));
  }

  static SearchQuery Query(const std::string& text) {
    TextSource source;
    source.query.text = text;
    source.fields = {{"body"}, {"book.title"}};
    SearchQuery query;
    query.sources = {source};
    query.limit = 10;
    query.highlight = Highlighting();
    return query;
  }

  // By id: each field with its fragments, the matches in brackets.
  std::map<uint64_t, std::vector<std::string>> Shown(const SearchQuery& query) {
    std::map<uint64_t, std::vector<std::string>> shown;
    const auto result = collection_->Search(query, Unlimited());
    EXPECT_OK(result);
    for (const Hit& hit : result->hits) {
      std::vector<std::string>& lines = shown[std::get<uint64_t>(hit.point.id)];
      for (const FieldHighlight& field : hit.highlights) {
        for (const HighlightFragment& fragment : field.fragments) {
          std::string line = absl::StrCat(field.field, " ", fragment.value, "+",
                                          fragment.begin, ": ");
          uint32_t at = 0;
          for (const TextRange& match : fragment.matches) {
            absl::StrAppend(
                &line, fragment.text.substr(at, match.begin - at), "[",
                fragment.text.substr(match.begin, match.end - match.begin),
                "]");
            at = match.end;
          }
          lines.push_back(absl::StrCat(line, fragment.text.substr(at)));
        }
      }
    }
    return shown;
  }

  std::shared_ptr<Collection> collection_;
};

TEST_F(HighlightHitsTest, ShowsTheBestOfEachField) {
  for (const bool payload : {false, true}) {
    SearchQuery query = Query("editing photo");
    query.projection.payload = payload;
    auto shown = Shown(query);
    EXPECT_THAT(shown[1], ElementsAre("body 1+0: [Editing] a [photo] of "
                                      "[photos]",
                                      "book.title 0+0: [Photo] [editing]"));
    EXPECT_THAT(
        shown[2],
        ElementsAre(
            "body 0+0: Ein großes Foto, the [photo] — and a “[photo]”"));
    // The answer carries a payload only when it was asked for.
    const auto result = collection_->Search(query, Unlimited());
    ASSERT_OK(result);
    EXPECT_EQ(!result->hits[0].point.payload.empty(), payload);
    EXPECT_EQ(result->stages.back().name, "highlight");
  }
}

TEST_F(HighlightHitsTest, FragmentsLieApartInBytes) {
  SearchQuery query = Query("photo");
  query.highlight->fields = {"body"};
  query.highlight->fragment_bytes = 9;
  query.highlight->fragments = 3;
  auto shown = Shown(query);
  EXPECT_THAT(shown[1],
              ElementsAre("body 0+0: A [photo].", "body 1+8: a [photo]",
                          "body 1+16: of [photos]"));
  query.highlight->fragment_bytes = 0;
  query.highlight->fragments = 1;
  query.highlight->whole_texts = true;
  EXPECT_THAT(Shown(query)[2],
              ElementsAre("body 0+0: Ein großes Foto, the [photo] — and a "
                          "“[photo]”"));
}

TEST_F(HighlightHitsTest, HitsOfOtherSourcesHaveWhatMatches) {
  SearchQuery query = Query("photo editing");
  std::get<TextSource>(query.sources[0]).query.kind = TextQueryKind::kPhrase;
  query.sources.emplace_back(DenseSource{.target = std::vector<float>{1, 3}});
  auto shown = Shown(query);
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_THAT(shown[1], ElementsAre("book.title 0+0: [Photo] [editing]"));
  EXPECT_TRUE(shown[2].empty());
  EXPECT_TRUE(shown[3].empty());
  // A source in a group counts, too.
  SourceGroup group;
  group.sources = {query.sources[0]};
  query.sources[0] = group;
  EXPECT_EQ(Shown(query)[1].size(), 1U);
}

TEST_F(HighlightHitsTest, NamesWhatIsWrong) {
  const auto path = [&](const std::function<void(SearchQuery*)>& change) {
    SearchQuery query = Query("photo");
    change(&query);
    return InvalidFieldPath(collection_->Search(query, Unlimited()).status());
  };
  EXPECT_EQ(path([](SearchQuery*) {}), "");
  EXPECT_EQ(path([](SearchQuery* q) {
              q->sources = {DenseSource{.target = std::vector<float>{1, 3}}};
            }),
            "highlight");
  EXPECT_EQ(path([](SearchQuery* q) {
              q->highlight->fields = {"body", "x"};
            }),
            "highlight.fields[1]");
  EXPECT_EQ(path([](SearchQuery* q) { q->highlight->fields = {"unasked"}; }),
            "highlight.fields[0]");
  EXPECT_EQ(path([](SearchQuery* q) { q->highlight->fragment_bytes = 65'537; }),
            "highlight.fragment_bytes");
  EXPECT_EQ(path([](SearchQuery* q) { q->highlight->fragments = 17; }),
            "highlight.fragments");
  EXPECT_EQ(path([](SearchQuery* q) {
              q->highlight->fragment_bytes = 5;
              q->highlight->whole_texts = true;
            }),
            "highlight.fragment_bytes");
  EXPECT_EQ(
      path([](SearchQuery* q) { q->highlight->fields.assign(17, "body"); }),
      "highlight.fields");
  SearchQuery query = Query("photo");
  query.fetch_bytes_max = 20;
  EXPECT_THAT(collection_->Search(query, Unlimited()),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace sextant
