// SPDX-License-Identifier: Apache-2.0
#include "index/text/bound_text_query.h"

#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "index/text/text_tail.h"

namespace sextant {
namespace {

constexpr absl::string_view kPath = "text query";
// Of all boosts above a leaf and the weight of its field.
constexpr float kWeightMax = 1e12F;

absl::Status CheckFields(std::span<const TextSearchField> fields) {
  if (fields.empty()) {
    return InvalidField(kPath, "needs a text field to search");
  }
  for (const TextSearchField& field : fields) {
    const std::string path = absl::StrCat("text field '", field.name, "'");
    if (!(field.weight >= 0 && field.weight <= kBoostMax)) {
      return InvalidField(path,
                          absl::StrCat("weight must be from 0 to ", kBoostMax));
    }
    if (!(field.bm25.k1 >= 0 && field.bm25.k1 <= kBm25K1Max)) {
      return InvalidField(path,
                          absl::StrCat("k1 must be from 0 to ", kBm25K1Max));
    }
    if (!(field.bm25.b >= 0 && field.bm25.b <= 1)) {
      return InvalidField(path, "b must be from 0 to 1");
    }
  }
  return absl::OkStatus();
}

}  // namespace

// Makes leaves and nodes of a validated query.
class TextQueryBinder {
 public:
  explicit TextQueryBinder(std::span<const TextSearchField> fields) {
    query_.fields_.assign(fields.begin(), fields.end());
  }

  absl::StatusOr<BoundTextQuery> Run(const TextQuery& query) {
    RETURN_IF_ERROR(Bind(query, 1, &query_.root_));
    return std::move(query_);
  }

 private:
  using Node = BoundTextQuery::Node;

  // A node without a leaf and without parts matches nothing, and is left out of
  // what it stands in.
  static bool IsEmpty(const Node& node) {
    return node.leaf == Node::kNoLeaf && node.must.empty() &&
           node.should.empty();
  }

  absl::Status Bind(const TextQuery& query, float weight, Node* node) {
    weight *= query.boost;
    if (query.kind == TextQueryKind::kBool) {
      return BindBool(query, weight, node);
    }
    bool found = query.field.empty();
    for (size_t field = 0; field < query_.fields_.size(); ++field) {
      if (!query.field.empty() && query.field != query_.fields_[field].name) {
        continue;
      }
      found = true;
      const float total = weight * query_.fields_[field].weight;
      if (!(total <= kWeightMax)) {
        return InvalidField(
            kPath, absl::StrCat("boosts multiply to more than ", kWeightMax));
      }
      Node part;
      RETURN_IF_ERROR(BindText(query, field, total, &part));
      if (!IsEmpty(part)) {
        node->should.push_back(std::move(part));
      }
    }
    if (!found) {
      return InvalidField(kPath, absl::StrCat("no text field '",
                                              ShownText(query.field, 64), "'"));
    }
    Unwrap(node);
    return absl::OkStatus();
  }

  absl::Status BindBool(const TextQuery& query, float weight, Node* node) {
    RETURN_IF_ERROR(BindParts(query.must, weight, &node->must));
    RETURN_IF_ERROR(BindParts(query.should, weight, &node->should));
    in_must_not_ += 1;
    RETURN_IF_ERROR(BindParts(query.must_not, weight, &node->must_not));
    in_must_not_ -= 1;
    node->minimum_should_match = query.minimum_should_match;
    if (node->minimum_should_match > node->should.size()) {
      // Some parts had no tokens. Those that are left must all match.
      node->minimum_should_match = static_cast<uint32_t>(node->should.size());
    }
    if (node->must.empty() && node->should.empty()) {
      node->must_not.clear();
    } else if (node->must.empty() && node->minimum_should_match == 0) {
      node->minimum_should_match = 1;
    }
    Unwrap(node);
    return absl::OkStatus();
  }

  absl::Status BindParts(const std::vector<TextQuery>& parts, float weight,
                         std::vector<Node>* nodes) {
    for (const TextQuery& part : parts) {
      Node node;
      RETURN_IF_ERROR(Bind(part, weight, &node));
      if (!IsEmpty(node)) {
        nodes->push_back(std::move(node));
      }
    }
    return absl::OkStatus();
  }

  // A bool of one part is that part.
  static void Unwrap(Node* node) {
    if (node->must_not.empty() &&
        node->must.size() + node->should.size() == 1) {
      Node only = std::move(node->must.empty() ? node->should.front()
                                               : node->must.front());
      *node = std::move(only);
    } else if (node->must.empty() && !node->should.empty() &&
               node->minimum_should_match == 0) {
      node->minimum_should_match = 1;
    }
  }

  absl::Status BindText(const TextQuery& query, size_t field, float weight,
                        Node* node) {
    const Analyzer& analyzer = *query_.fields_[field].analyzer;
    const bool is_prefix = query.kind == TextQueryKind::kPrefix;
    const absl::Status status =
        is_prefix ? analyzer.AnalyzePrefix(query.text, tokens_)
                  : analyzer.Analyze(query.text, tokens_);
    if (!status.ok()) {
      return InvalidField(kPath, status.message());
    }
    if (tokens_.empty()) {
      return absl::OkStatus();
    }
    switch (query.kind) {
      case TextQueryKind::kPrefix:
        return BindPrefix(field, weight, node);
      case TextQueryKind::kTerm:
      case TextQueryKind::kPhrase:
        return tokens_.size() == 1 ? BindTerm(0, field, weight, node)
                                   : BindPhrase(query, field, weight, node);
      default:
        break;
    }
    std::vector<Node>& parts = query.all_tokens ? node->must : node->should;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      RETURN_IF_ERROR(BindTerm(i, field, weight, &parts.emplace_back()));
    }
    Unwrap(node);
    return absl::OkStatus();
  }

  absl::Status BindTerm(size_t token, size_t field, float weight, Node* node) {
    TextLeaf leaf;
    leaf.field = field;
    leaf.weight = weight;
    leaf.terms.push_back(NumberOf(field, tokens_.term(token)));
    return AddLeaf(std::move(leaf), node);
  }

  // The last token is the prefix; those before it are words.
  absl::Status BindPrefix(size_t field, float weight, Node* node) {
    if (tokens_.size() > 1) {
      return InvalidField(
          kPath, absl::StrCat("a prefix is the beginning of one word, but '",
                              ShownText(tokens_.term(0), 64),
                              "' ends before it does"));
    }
    TextLeaf leaf;
    leaf.kind = TextLeaf::Kind::kPrefix;
    leaf.field = field;
    leaf.weight = weight;
    leaf.prefix = std::string(tokens_.term(0));
    return AddLeaf(std::move(leaf), node);
  }

  absl::Status BindPhrase(const TextQuery& query, size_t field, float weight,
                          Node* node) {
    if (!query_.fields_[field].has_positions) {
      return InvalidField(
          kPath, absl::StrCat("field '", query_.fields_[field].name,
                              "' has no positions, which phrases need"));
    }
    if (tokens_.size() > kPhraseTermsMax) {
      return InvalidField(kPath, absl::StrCat("a phrase has at most ",
                                              kPhraseTermsMax, " tokens"));
    }
    TextLeaf leaf;
    leaf.kind = TextLeaf::Kind::kPhrase;
    leaf.field = field;
    leaf.weight = weight;
    leaf.slop = query.slop;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      leaf.terms.push_back(NumberOf(field, tokens_.term(i)));
      leaf.positions.push_back(tokens_.position(i) - tokens_.position(0));
    }
    return AddLeaf(std::move(leaf), node);
  }

  absl::Status AddLeaf(TextLeaf leaf, Node* node) {
    if (query_.leaves_.size() == kTextQueryTermsMax) {
      return InvalidField(kPath, absl::StrCat("more than ", kTextQueryTermsMax,
                                              " terms over all fields"));
    }
    leaf.is_scored = in_must_not_ == 0;
    node->leaf = static_cast<uint32_t>(query_.leaves_.size());
    query_.leaves_.push_back(std::move(leaf));
    return absl::OkStatus();
  }

  uint32_t NumberOf(size_t field, absl::string_view term) {
    const auto [at, is_new] =
        numbers_.try_emplace({field, std::string(term)},
                             static_cast<uint32_t>(query_.terms_.size()));
    if (is_new) {
      query_.terms_.push_back({field, std::string(term)});
    }
    return at->second;
  }

  BoundTextQuery query_;
  TokenList tokens_;
  uint32_t in_must_not_ = 0;
  std::map<std::pair<size_t, std::string>, uint32_t> numbers_;
};

absl::StatusOr<BoundTextQuery> BoundTextQuery::Bind(
    const TextQuery& query, std::span<const TextSearchField> fields) {
  RETURN_IF_ERROR(CheckFields(fields));
  RETURN_IF_ERROR(ValidateTextQuery(query, kPath));
  return TextQueryBinder(fields).Run(query);
}

absl::Status BoundTextQuery::ExpandPrefixes(
    std::span<const TextSegment> segments, const RequestContext& context) {
  for (TextLeaf& leaf : leaves_) {
    if (leaf.kind != TextLeaf::Kind::kPrefix) {
      continue;
    }
    std::set<std::string> found;
    const auto add = [&](absl::string_view term) {
      found.emplace(term);
      return found.size() <= kPrefixTermsMax;
    };
    const size_t field = fields_[leaf.field].number;
    for (const TextSegment& segment : segments) {
      for (const TextPart& part : segment.parts()) {
        RETURN_IF_ERROR(context.Check());
        if (part.tail != nullptr) {
          part.tail->VisitPrefix(field, leaf.prefix, part.rows, add);
        } else {
          part.fields[field]->VisitPrefix(
              leaf.prefix, [&](absl::string_view term, const PostingList&) {
                return add(term);
              });
        }
      }
    }
    if (found.size() > kPrefixTermsMax) {
      return InvalidField(
          kPath,
          absl::StrCat("more than ", kPrefixTermsMax, " terms begin with '",
                       ShownText(leaf.prefix, 64), "' in field '",
                       fields_[leaf.field].name, "'; make it longer"));
    }
    leaf.expansion.assign(found.begin(), found.end());
  }
  return absl::OkStatus();
}

}  // namespace sextant
