// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "bench/text_contestant.h"

#ifdef SEXTANT_HAVE_FTS5
#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/check.h"
#endif

namespace sextant {
#ifdef SEXTANT_HAVE_FTS5
namespace {

// SQLite's FTS5 in memory: no copy of the texts, the tokenizer "ascii", its own
// bm25().
class Fts5Text final : public TextContestant {
 public:
  ~Fts5Text() override {
    sqlite3_finalize(search_);
    sqlite3_close(database_);
  }

  std::string name() const override { return "fts5"; }

  void Build(const TextCorpus& corpus) override {
    CHECK_EQ(sqlite3_open(":memory:", &database_), SQLITE_OK);
    Run("PRAGMA synchronous = off; PRAGMA journal_mode = off;"
        "PRAGMA cache_size = -1000000;"
        "CREATE VIRTUAL TABLE t USING fts5(body, content = '',"
        " tokenize = 'ascii')");
    Run("BEGIN");
    sqlite3_stmt* insert = Prepare("INSERT INTO t(rowid, body) VALUES(?, ?)");
    for (size_t row = 0; row < corpus.texts.size(); ++row) {
      sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(row) + 1);
      Bind(insert, 2, corpus.texts[row]);
      CHECK_EQ(sqlite3_step(insert), SQLITE_DONE) << sqlite3_errmsg(database_);
      sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    Run("COMMIT");
  }
  void Optimize() override {
    Run("INSERT INTO t(t) VALUES('optimize')");
    search_ =
        Prepare("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT 10");
  }
  uint64_t index_bytes() const override {
    return static_cast<uint64_t>(
        Number("SELECT sum(length(block)) FROM t_data") +
        Number("SELECT sum(length(sz)) FROM t_docsize"));
  }

  std::vector<uint32_t> Search(const BenchTextQuery& query) override {
    std::string match;
    switch (query.form) {
      case TextQueryForm::kAny:
        match = absl::StrJoin(query.words, " OR ");
        break;
      case TextQueryForm::kAll:
        match = absl::StrJoin(query.words, " AND ");
        break;
      case TextQueryForm::kPhrase:
        match = absl::StrCat("\"", absl::StrJoin(query.words, " "), "\"");
        break;
    }
    Bind(search_, 1, match);
    std::vector<uint32_t> rows;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(search_)) == SQLITE_ROW) {
      rows.push_back(
          static_cast<uint32_t>(sqlite3_column_int64(search_, 0) - 1));
    }
    CHECK_EQ(code, SQLITE_DONE) << sqlite3_errmsg(database_);
    sqlite3_reset(search_);
    return rows;
  }

 private:
  void Run(const char* sql) const {
    CHECK_EQ(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database_);
  }
  sqlite3_stmt* Prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    CHECK_EQ(sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr),
             SQLITE_OK)
        << sqlite3_errmsg(database_);
    return statement;
  }
  static void Bind(sqlite3_stmt* statement, int at, const std::string& text) {
    // Null: the text outlives the step.
    sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()),
                      nullptr);
  }
  int64_t Number(const char* sql) const {
    sqlite3_stmt* statement = Prepare(sql);
    CHECK_EQ(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* search_ = nullptr;
};

}  // namespace

std::unique_ptr<TextContestant> MakeFts5Text() {
  return std::make_unique<Fts5Text>();
}
#else
std::unique_ptr<TextContestant> MakeFts5Text() {
  return nullptr;
}
#endif

}  // namespace sextant
