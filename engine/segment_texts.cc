// SPDX-License-Identifier: Apache-2.0
#include "engine/segment_texts.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/status_macros.h"
#include "engine/payload.h"
#include "engine/text_content.h"
#include "index/text/frozen_parts.h"
#include "index/text/growing_text.h"
#include "index/text/text_index_builder.h"
#include "index/text/text_merger.h"
#include "index/vector_index_builder.h"

namespace sextant {
namespace {

static_assert(VectorIndexInput::kDropped == kDroppedRow);

// Analyses the stored texts of one segment. A text may be newer than its row:
// the row is dead then when the build is published.
class StoredTextReader {
 public:
  StoredTextReader(const TextFieldSchema& field, const SegmentView& view,
                   const SegmentBuildOptions& options)
      : fields_({field}),
        view_(view),
        options_(options),
        reader_(no_fields_, fields_) {}

  // Indexes of consecutive rows, each of a size that does not matter in memory.
  absl::StatusOr<TextParts> Run(const RequestContext& context) {
    TextParts parts;
    Ordinal first = 0;
    while (first < view_.rows) {
      ASSIGN_OR_RETURN(TextPart part, MakePart(first, context));
      first += part.rows;
      parts.push_back(std::move(part));
    }
    return parts;
  }

  uint64_t misfits() const { return misfits_; }

 private:
  static constexpr uint32_t kRowsAtOnce = 512;
  static constexpr uint64_t kTokensAPart = uint64_t{1} << 24U;

  absl::StatusOr<TextPart> MakePart(Ordinal first,
                                    const RequestContext& context) {
    TextIndexBuilder builder({.positions = fields_.front().positions});
    TextPart part;
    part.first_row = first;
    while (first + part.rows < view_.rows && builder.tokens() < kTokensAPart) {
      RETURN_IF_ERROR(context.Check());
      const Ordinal begin = first + part.rows;
      const Ordinal end = begin + std::min(kRowsAtOnce, view_.rows - begin);
      RETURN_IF_ERROR(AddRows(begin, end, first, &builder));
      part.rows = end - first;
    }
    ASSIGN_OR_RETURN(std::string bytes, std::move(builder).Finish(part.rows));
    ASSIGN_OR_RETURN(std::shared_ptr<const TextIndex> index,
                     OwnIndex<TextIndex>(std::move(bytes), part.rows));
    part.fields.push_back(std::move(index));
    return part;
  }

  absl::Status AddRows(Ordinal begin, Ordinal end, Ordinal first_of_part,
                       TextIndexBuilder* builder) {
    std::vector<Ordinal> rows;
    std::vector<absl::string_view> ids;
    for (Ordinal row = begin; row < end; ++row) {
      if (!view_.dead.Contains(row)) {
        rows.push_back(row);
        ids.push_back(view_.id(row));
      }
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> payloads,
                     options_.payloads(ids));
    for (size_t i = 0; i < rows.size(); ++i) {
      PayloadTexts texts;
      reader_.ReadStored(payloads[i], &misfits_, &texts);
      RETURN_IF_ERROR(builder->Add(
          rows[i] - first_of_part,
          AnalyzeStoredField(fields_.front(), texts.front(), &misfits_)));
    }
    if (options_.rows_analyzed != nullptr) {
      *options_.rows_analyzed += rows.size();
    }
    return absl::OkStatus();
  }

  const std::vector<PayloadFieldSchema> no_fields_;
  const std::vector<TextFieldSchema> fields_;  // the one
  const SegmentView& view_;
  const SegmentBuildOptions& options_;
  const PayloadReader reader_;
  uint64_t misfits_ = 0;
};

// What one index is merged from; owns it.
class IndexSources {
 public:
  void Add(const TextParts& parts, size_t number,
           std::span<const Ordinal> new_rows) {
    for (const TextPart& part : parts) {
      owned_.push_back(part.fields[number]);
      sources_.push_back(
          {owned_.back().get(), new_rows.subspan(part.first_row, part.rows)});
    }
  }
  std::span<const TextMergeSource> sources() const { return sources_; }

 private:
  std::vector<std::shared_ptr<const TextIndex>> owned_;
  std::vector<TextMergeSource> sources_;
};

// Makes the indexes of one build, one after another.
class TextsMaker {
 public:
  // By input: its parts without tails, where it has any index, and the new
  // ordinals of its rows. Both outlive this.
  TextsMaker(const Schema& schema, std::span<const TextParts> frozen,
             const OrdinalMaps& maps, SegmentBuild* build)
      : schema_(schema), frozen_(frozen), maps_(maps), build_(build) {}

  // Index `i` of the schema.
  absl::Status Make(size_t i, const SegmentBuildOptions& options,
                    const RequestContext& context) {
    const TextFieldSchema& field = schema_.text_index(i);
    IndexSources sources;
    for (size_t input = 0; input < build_->inputs.size(); ++input) {
      const SegmentView& view = *build_->inputs[input];
      if (i < view.text.fields()) {
        sources.Add(frozen_[input], i, maps_[input]);
        continue;
      }
      if (options.payloads == nullptr) {
        return absl::OkStatus();
      }
      StoredTextReader texts(field, view, options);
      ASSIGN_OR_RETURN_WITH(const TextParts parts, texts.Run(context),
                            field.name);
      build_->misfits += texts.misfits();
      sources.Add(parts, 0, maps_[input]);
    }
    const auto rows = static_cast<uint32_t>(build_->origins.size());
    ASSIGN_OR_RETURN_WITH(std::string bytes,
                          MergeTextIndexes(sources.sources(), rows, context),
                          field.name);
    build_->texts.push_back({TextIndexIdAt(schema_, i), std::move(bytes)});
    return absl::OkStatus();
  }

 private:
  const Schema& schema_;
  const std::span<const TextParts> frozen_;
  const OrdinalMaps& maps_;
  SegmentBuild* const build_;
};

}  // namespace

absl::Status BuildTexts(const Schema& schema, const OrdinalMaps& maps,
                        const SegmentBuildOptions& options,
                        const RequestContext& context, SegmentBuild* build) {
  if (schema.text_fields.empty()) {
    return absl::OkStatus();
  }
  std::vector<TextIndexOptions> indexes;
  for (size_t i = 0; i < schema.text_index_count(); ++i) {
    indexes.push_back({.positions = schema.text_index(i).positions});
  }
  std::vector<TextParts> frozen;  // by input
  for (const auto& input : build->inputs) {
    ASSIGN_OR_RETURN(
        TextParts parts,
        FreezeTextParts(input->text.parts(),
                        std::span(indexes).first(input->text.fields())));
    frozen.push_back(std::move(parts));
  }
  TextsMaker maker(schema, frozen, maps, build);
  for (size_t i = 0; i < indexes.size(); ++i) {
    RETURN_IF_ERROR(maker.Make(i, options, context));
  }
  return absl::OkStatus();
}

absl::Status FillTexts(const Schema& schema, const SegmentBuildOptions& options,
                       const RequestContext& context, SegmentBuild* build) {
  const SegmentView& input = *build->inputs.front();
  if (input.has_texts_of(schema)) {
    return absl::OkStatus();
  }
  OrdinalMaps maps(1, std::vector<Ordinal>(input.rows));
  std::iota(maps.front().begin(), maps.front().end(), Ordinal{0});
  TextsMaker maker(schema, {}, maps, build);
  for (size_t i = input.text.fields(); i < schema.text_index_count(); ++i) {
    RETURN_IF_ERROR(maker.Make(i, options, context));
  }
  return absl::OkStatus();
}

}  // namespace sextant
