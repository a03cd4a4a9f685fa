// SPDX-License-Identifier: Apache-2.0
#include "index/text/text_index_builder.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "index/text/byte_chains.h"
#include "index/text/posting_list.h"
#include "index/text/term_table.h"
#include "index/text/text_index_writer.h"

namespace sextant {
namespace {

// A term so far. The last posting is kept open until the next row is known to
// be another one, because its count is not known before.
struct TermState {
  uint32_t postings = 0;
  Ordinal last_row = 0;
  uint32_t gap = 0;  // from the row before
  uint32_t tf = 0;
  uint32_t last_position = 0;
  ByteChains::Chain rows;       // varint gap * 2 + (tf is 1), or gap * 2, tf
  ByteChains::Chain positions;  // varint distances, restarting in each row
};

// The postings of one term, unpacked.
struct TermBuffers {
  std::vector<Ordinal> rows;
  std::vector<uint32_t> tfs;
  std::vector<uint32_t> positions;
};

}  // namespace

struct TextIndexBuilder::Rep {
  TextIndexOptions options;
  TermTable terms;
  std::vector<TermState> states;  // by number of the term
  ByteChains chains;
  std::vector<uint32_t> lengths;
  uint64_t tokens = 0;

  std::vector<uint32_t> numbers;  // of the tokens at hand

  void AddToken(Ordinal row, uint32_t number, uint32_t position);
  void ClosePosting(TermState* state);
  void Unpack(const TermState& state, TermBuffers* buffers) const;
};

absl::Status CheckRowTokens(const TokenList& tokens) {
  if (tokens.size() > kRowTokensMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("text index: ", tokens.size(),
                     " tokens in one row, at most ", kRowTokensMax));
  }
  return absl::OkStatus();
}

TextIndexBuilder::TextIndexBuilder(TextIndexOptions options)
    : rep_(std::make_unique<Rep>()) {
  rep_->options = options;
}

TextIndexBuilder::~TextIndexBuilder() = default;

uint64_t TextIndexBuilder::tokens() const {
  return rep_->tokens;
}

absl::Status TextIndexBuilder::Add(Ordinal row, const TokenList& tokens) {
  Rep& rep = *rep_;
  RETURN_IF_ERROR(CheckRowTokens(tokens));
  CHECK_GE(row, rep.lengths.size()) << "rows come in ascending order";
  // A token takes at most two numbers of 5 bytes in each chain, and a slice.
  const uint64_t bytes_max = uint64_t{tokens.size()} * 64;
  if (row > std::numeric_limits<Ordinal>::max() / 2 ||
      rep.tokens + tokens.size() > std::numeric_limits<uint32_t>::max() ||
      rep.chains.bytes() + bytes_max > ByteChains::kBytesMax ||
      !rep.terms.HasRoomFor(tokens)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "text index: too many rows or tokens in one segment, at row ", row));
  }
  rep.lengths.resize(size_t{row} + 1);
  rep.lengths[row] = static_cast<uint32_t>(tokens.size());
  rep.tokens += tokens.size();
  rep.terms.NumbersOf(tokens, &rep.numbers);
  rep.states.resize(rep.terms.size());
  for (const uint32_t number : rep.numbers) {
    __builtin_prefetch(&rep.states[number]);
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    rep.AddToken(row, rep.numbers[i], tokens.position(i));
  }
  return absl::OkStatus();
}

void TextIndexBuilder::Rep::AddToken(Ordinal row, uint32_t number,
                                     uint32_t position) {
  TermState& state = states[number];
  if (state.tf == 0 || state.last_row != row) {
    ClosePosting(&state);
    state.gap = row - state.last_row;  // of the first row, the row itself
    state.last_row = row;
    state.last_position = 0;
    ++state.postings;
  }
  ++state.tf;
  if (options.positions) {
    chains.AppendVarint(&state.positions, position - state.last_position);
    state.last_position = position;
  }
}

void TextIndexBuilder::Rep::ClosePosting(TermState* state) {
  if (state->tf == 0) {
    return;
  }
  chains.AppendVarint(&state->rows,
                      (state->gap << 1U) | (state->tf == 1 ? 1U : 0U));
  if (state->tf != 1) {
    chains.AppendVarint(&state->rows, state->tf);
  }
  state->tf = 0;
}

void TextIndexBuilder::Rep::Unpack(const TermState& state,
                                   TermBuffers* buffers) const {
  buffers->rows.clear();
  buffers->tfs.clear();
  buffers->positions.clear();
  ByteChains::Reader rows(chains, state.rows);
  ByteChains::Reader positions(chains, state.positions);
  Ordinal row = 0;
  for (uint32_t i = 0; i < state.postings; ++i) {
    const uint32_t head = rows.ReadVarint();
    row += head >> 1U;
    const uint32_t tf = (head & 1U) != 0 ? 1 : rows.ReadVarint();
    buffers->rows.push_back(row);
    buffers->tfs.push_back(tf);
    uint32_t position = 0;
    for (uint32_t j = 0; options.positions && j < tf; ++j) {
      position += positions.ReadVarint();
      buffers->positions.push_back(position);
    }
  }
}

absl::StatusOr<std::string> TextIndexBuilder::Finish(uint32_t rows) && {
  Rep& rep = *rep_;
  CHECK_GE(rows, rep.lengths.size()) << "a row past the end";
  rep.lengths.resize(rows);
  TextIndexWriter writer(rep.options.positions, std::move(rep.lengths));
  TermBuffers buffers;
  for (const uint32_t number : rep.terms.Sorted()) {
    TermState& state = rep.states[number];
    rep.ClosePosting(&state);
    rep.Unpack(state, &buffers);
    writer.Add(rep.terms.term(number),
               {buffers.rows, buffers.tfs, {}, buffers.positions});
  }
  return std::move(writer).Finish();
}

}  // namespace sextant
