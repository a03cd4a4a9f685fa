// SPDX-License-Identifier: Apache-2.0
#include "engine/highlight_hits.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "engine/limits.h"
#include "engine/payload.h"
#include "engine/stage_clock.h"
#include "engine/validate_query.h"
#include "index/text/highlight.h"

namespace sextant {
namespace {

// Those of groups, too, in the order of the request.
void AddTextSources(const std::vector<Source>& sources,
                    std::vector<const TextSource*>* found) {
  for (const Source& source : sources) {
    if (const auto* group = std::get_if<SourceGroup>(&source)) {
      AddTextSources(group->sources, found);
    } else if (const auto* text = std::get_if<TextSource>(&source)) {
      found->push_back(text);
    }
  }
}

// A field to highlight and the source that says what matches in it.
struct Asked {
  size_t field = 0;         // of the schema
  size_t source = 0;        // among the text sources
  size_t source_field = 0;  // among the fields of the source
};

absl::StatusOr<std::vector<Asked>> AskedFields(
    const Schema& schema, const std::vector<const TextSource*>& sources,
    const std::vector<std::string>& names) {
  std::vector<std::optional<Asked>> by_field(schema.text_fields.size());
  for (size_t i = 0; i < sources.size(); ++i) {
    ASSIGN_OR_RETURN(const std::vector<TextSearchField> fields,
                     TextFieldsOf(schema, *sources[i]));
    for (size_t j = 0; j < fields.size(); ++j) {
      std::optional<Asked>& asked = by_field[fields[j].number];
      if (!asked.has_value()) {
        asked = Asked{fields[j].number, i, j};
      }
    }
  }
  std::vector<Asked> wanted;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string path = absl::StrCat("highlight.fields[", i, "]");
    const std::optional<uint16_t> field = schema.FindTextField(names[i]);
    if (!field.has_value()) {
      return InvalidField(path, "the collection has no such text field");
    }
    if (!by_field[*field].has_value()) {
      return InvalidField(path, "no text source of the search asks this field");
    }
    wanted.push_back(*by_field[*field]);
  }
  if (names.empty()) {
    for (const std::optional<Asked>& asked : by_field) {
      if (asked.has_value()) {
        wanted.push_back(*asked);
      }
    }
  }
  return wanted;
}

// A highlight of one of the strings of a field.
struct FoundFragment {
  uint32_t value = 0;
  Highlight highlight;

  bool IsBetterThan(const FoundFragment& other) const {
    return highlight.terms != other.highlight.terms
               ? highlight.terms > other.highlight.terms
               : highlight.matches.size() > other.highlight.matches.size();
  }
};

// Highlights the hits of one search, one after the other.
class Highlighter {
 public:
  Highlighter(const Schema& schema, const Highlighting& highlight)
      : schema_(schema), payloads_(no_fields_, schema.text_fields) {
    options_.fragments_max = std::max(1U, highlight.fragments);
    if (highlight.whole_texts) {
      options_.fragment_bytes = 0;
    } else if (highlight.fragment_bytes != 0) {
      options_.fragment_bytes = highlight.fragment_bytes;
    }
  }

  absl::Status Bind(const SearchQuery& query) {
    std::vector<const TextSource*> sources;
    AddTextSources(query.sources, &sources);
    ASSIGN_OR_RETURN(asked_,
                     AskedFields(schema_, sources, query.highlight->fields));
    for (const TextSource* source : sources) {
      ASSIGN_OR_RETURN(const std::vector<TextSearchField> fields,
                       TextFieldsOf(schema_, *source));
      ASSIGN_OR_RETURN(BoundTextQuery bound,
                       BoundTextQuery::Bind(source->query, fields));
      queries_.push_back(std::move(bound));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<FieldHighlight>> Run(
      absl::string_view payload) const {
    uint64_t misfits = 0;
    PayloadTexts texts;
    payloads_.ReadStored(payload, &misfits, &texts);
    std::vector<FieldHighlight> highlights;
    for (const Asked& asked : asked_) {
      ASSIGN_OR_RETURN(FieldHighlight found, OfField(asked, texts));
      if (!found.fragments.empty()) {
        highlights.push_back(std::move(found));
      }
    }
    return highlights;
  }

 private:
  absl::StatusOr<FieldHighlight> OfField(const Asked& asked,
                                         const PayloadTexts& texts) const {
    const std::vector<std::string>& values = texts[asked.field];
    std::vector<FoundFragment> found;
    for (uint32_t i = 0; i < values.size(); ++i) {
      ASSIGN_OR_RETURN(std::vector<Highlight> highlights,
                       HighlightText(queries_[asked.source], asked.source_field,
                                     values[i], options_));
      for (Highlight& highlight : highlights) {
        found.push_back({i, std::move(highlight)});
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const FoundFragment& a, const FoundFragment& b) {
                       return a.IsBetterThan(b);
                     });
    found.resize(std::min(found.size(), options_.fragments_max));
    FieldHighlight field{.field = schema_.text_fields[asked.field].name};
    for (FoundFragment& one : found) {
      const TextRange range = one.highlight.fragment;
      for (TextRange& match : one.highlight.matches) {
        match.begin -= range.begin;
        match.end -= range.begin;
      }
      field.fragments.push_back(
          {values[one.value].substr(range.begin, range.end - range.begin),
           one.value, range.begin, std::move(one.highlight.matches)});
    }
    return field;
  }

  const Schema& schema_;
  const std::vector<PayloadFieldSchema> no_fields_ = {};
  const PayloadReader payloads_;
  HighlightOptions options_;
  std::vector<Asked> asked_;
  std::deque<BoundTextQuery> queries_;  // by text source
};

}  // namespace

absl::Status ValidateHighlighting(const Schema& schema,
                                  const SearchQuery& query) {
  if (!query.highlight.has_value()) {
    return absl::OkStatus();
  }
  const Highlighting& highlight = *query.highlight;
  std::vector<const TextSource*> sources;
  AddTextSources(query.sources, &sources);
  if (sources.empty()) {
    return InvalidField("highlight",
                        "needs a text source, whose words it "
                        "shows");
  }
  if (highlight.fields.size() > limits::kTextFieldsMax) {
    return InvalidField("highlight.fields",
                        absl::StrCat("at most ", limits::kTextFieldsMax,
                                     ", got ", highlight.fields.size()));
  }
  if (highlight.fragment_bytes > kFragmentBytesMax) {
    return InvalidField("highlight.fragment_bytes",
                        absl::StrCat("at most ", kFragmentBytesMax, ", got ",
                                     highlight.fragment_bytes));
  }
  if (highlight.whole_texts && highlight.fragment_bytes != 0) {
    return InvalidField("highlight.fragment_bytes",
                        "has no meaning with whole_texts");
  }
  if (highlight.fragments > limits::kHighlightFragmentsMax) {
    return InvalidField("highlight.fragments",
                        absl::StrCat("at most ", limits::kHighlightFragmentsMax,
                                     ", got ", highlight.fragments));
  }
  return AskedFields(schema, sources, highlight.fields).status();
}

absl::Status HighlightHits(const SearchTarget& target,
                           const std::vector<Candidate>& page,
                           const SearchQuery& query,
                           const RequestContext& context,
                           std::vector<Hit>* hits, StageTiming* timing) {
  const StageClock clock;
  Highlighter highlighter(*target.schema, *query.highlight);
  RETURN_IF_ERROR(highlighter.Bind(query));
  const auto highlight = [&](Hit* hit,
                             absl::string_view payload) -> absl::Status {
    ASSIGN_OR_RETURN(hit->highlights, highlighter.Run(payload));
    return absl::OkStatus();
  };
  if (query.projection.payload) {
    for (Hit& hit : *hits) {
      RETURN_IF_ERROR(context.Check());
      RETURN_IF_ERROR(highlight(&hit, hit.point.payload));
    }
  } else {
    std::vector<absl::string_view> ids;
    for (const Candidate& candidate : page) {
      ids.push_back(candidate.id);
    }
    Projection payload;
    payload.payload = true;
    uint64_t bytes = 0;
    absl::Status status;
    context.AboutToWait();
    RETURN_IF_ERROR(target.reader->ReadEach(
        {target.snapshot->store_view.get(), ids, payload}, context,
        [&](size_t i, const Point& point) {
          bytes += point.payload.size();
          status = highlight(&(*hits)[i], point.payload);
          return status.ok() && bytes <= query.fetch_bytes_max;
        }));
    RETURN_IF_ERROR(status);
    if (bytes > query.fetch_bytes_max) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the payloads of the hits are larger than ", query.fetch_bytes_max,
          " bytes; ask for fewer hits, or for no highlights"));
    }
  }
  timing->name = "highlight";
  timing->candidates_in = page.size();
  timing->candidates_out = page.size();
  timing->seconds = clock.seconds();
  return absl::OkStatus();
}

}  // namespace sextant
