// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "bench/text_contestant.h"

#ifdef SEXTANT_HAVE_XAPIAN
#include <stdlib.h>
#include <unistd.h>
#include <xapian.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#endif

namespace sextant {
#ifdef SEXTANT_HAVE_XAPIAN
namespace {

// Xapian's glass in a folder, which belongs on a tmpfs; words are given to it
// one by one. One commit at the end. BM25 as it comes.
class XapianText final : public TextContestant {
 public:
  explicit XapianText(const std::string& folder)
      : folder_(absl::StrCat(folder, "/sextant-text-bench-", getpid())) {}
  ~XapianText() override {
    database_ = Xapian::Database();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string name() const override { return "xapian"; }

  void Build(const TextCorpus& corpus) override {
    std::filesystem::create_directories(folder_);
    // Its default of 10,000 documents a flush is meant for small memories.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread
    setenv("XAPIAN_FLUSH_THRESHOLD", "250000", 1);
    Xapian::WritableDatabase database(absl::StrCat(folder_, "/built"),
                                      Xapian::DB_CREATE_OR_OVERWRITE |
                                          Xapian::DB_NO_SYNC |
                                          Xapian::DB_DANGEROUS);
    std::string word;
    for (const std::string& text : corpus.texts) {
      Xapian::Document document;
      Xapian::termpos position = 0;
      for (const absl::string_view token : absl::StrSplit(text, ' ')) {
        word.assign(token.data(), token.size());
        document.add_posting(word, ++position);
      }
      database.add_document(document);
    }
    database.commit();
  }
  void Optimize() override {
    const std::string compact = absl::StrCat(folder_, "/compact");
    Xapian::Database(absl::StrCat(folder_, "/built")).compact(compact);
    std::filesystem::remove_all(absl::StrCat(folder_, "/built"));
    database_ = Xapian::Database(compact);
    for (const auto& file : std::filesystem::directory_iterator(compact)) {
      bytes_ += file.file_size();
    }
  }
  uint64_t index_bytes() const override { return bytes_; }

  std::vector<uint32_t> Search(const BenchTextQuery& query) override {
    Xapian::Query::op op = Xapian::Query::OP_OR;
    if (query.form == TextQueryForm::kAll) {
      op = Xapian::Query::OP_AND;
    } else if (query.form == TextQueryForm::kPhrase) {
      op = Xapian::Query::OP_PHRASE;
    }
    Xapian::Enquire enquire(database_);
    enquire.set_query(
        Xapian::Query(op, query.words.begin(), query.words.end()));
    std::vector<uint32_t> rows;
    const Xapian::MSet found = enquire.get_mset(0, 10);
    for (Xapian::MSetIterator hit = found.begin(); hit != found.end(); ++hit) {
      rows.push_back(*hit - 1);
    }
    return rows;
  }

 private:
  std::string folder_;
  uint64_t bytes_ = 0;
  Xapian::Database database_;
};

}  // namespace

std::unique_ptr<TextContestant> MakeXapianText(const std::string& folder) {
  return std::make_unique<XapianText>(folder);
}
#else
std::unique_ptr<TextContestant> MakeXapianText(const std::string& /*folder*/) {
  return nullptr;
}
#endif

}  // namespace sextant
