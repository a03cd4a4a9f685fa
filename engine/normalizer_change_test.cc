// SPDX-License-Identifier: Apache-2.0
// Changes of banks and normalisers while they are computed: what serves
// meanwhile, writers, newer changes, deletions, and a restart in the middle.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/mutex.h"
#include "base/status_matchers.h"
#include "base/thread.h"
#include "engine/normalizer_catalog.h"
#include "engine/normalizer_fixture.h"

namespace sextant {
namespace {

using test::Unlimited;
using test::WaitUntil;
using testing::HasSubstr;

// Holds the thread whose event has some text, until it is opened.
class EventGate {
 public:
  void Pass(const std::string& line) {
    MutexLock lock(&mutex_);
    if (text_.empty() || !absl::StrContains(line, text_)) {
      return;
    }
    is_held_ = true;
    changed_.NotifyAll();
    while (!text_.empty()) {
      changed_.Wait(&mutex_);
    }
    is_held_ = false;
  }
  void Close(const std::string& text) {
    MutexLock lock(&mutex_);
    text_ = text;
  }
  void Open() {
    MutexLock lock(&mutex_);
    text_.clear();
    changed_.NotifyAll();
  }
  bool WaitHeld() {
    return WaitUntil([this] {
      MutexLock lock(&mutex_);
      return is_held_;
    });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
  bool is_held_ ABSL_GUARDED_BY(mutex_) = false;
};

class NormalizerChangeTest : public test::NormalizerFixture {
 protected:
  NormalizerChangeTest() {
    options_.on_event = [this, log = events_.Sink()](bool severe,
                                                     const std::string& line) {
      log(severe, line);
      gate_.Pass(line);
    };
  }
  void TearDown() override {
    gate_.Open();
    collection_.reset();
    database_.reset();
  }

  // 300 sealed points, 50 others, all normalisers.
  void Fill() {
    PutBank("queries", false, 60);
    PutBank("gallery", true, 40);
    Upsert(0, 300);
    ASSERT_OK(collection_->SealAndWait(Unlimited()));
    Upsert(300, 50);
    for (const NormalizerMethod method : methods_) {
      ASSERT_OK(Catalog().PutNormalizer(Record(method), Unlimited()));
    }
    RememberServed();
  }
  bool WaitMade() {
    return WaitUntil([this] {
      for (const BankStatus& bank : Catalog().ListBanks()) {
        if (bank.next.has_value()) {
          return false;
        }
      }
      for (const NormalizerStatus& normalizer : Catalog().ListNormalizers()) {
        if (normalizer.next.has_value()) {
          return false;
        }
      }
      return true;
    });
  }
  BankStatus QueryBank() {
    for (const BankStatus& bank : Catalog().ListBanks()) {
      if (bank.record.name() == "queries") {
        return bank;
      }
    }
    return {};
  }
  NormalizerStatus StatusOf(const std::string& name) {
    for (const NormalizerStatus& status : Catalog().ListNormalizers()) {
      if (status.record.name() == name) {
        return status;
      }
    }
    return {};
  }
  absl::Status SearchBy(const std::string& normalizer) {
    SearchQuery search = test::DenseQuery(Vector(), 5, true);
    std::get<DenseSource>(search.sources[0]).normalizer = normalizer;
    return collection_->Search(search, Unlimited()).status();
  }

  EventGate gate_;
};

TEST_F(NormalizerChangeTest, WhatWasThereServesUntilTheSwitch) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  const uint64_t served = QueryBank().record.version();
  gate_.Close("computing normalizer 'dual_dynamic_inverted_softmax'");
  PutBank("queries", false, 50, ReturnWhen::kStored);
  ASSERT_TRUE(gate_.WaitHeld());

  const BankStatus bank = QueryBank();
  EXPECT_EQ(bank.record.version(), served);
  EXPECT_EQ(bank.record.rows(), 60U);
  ASSERT_TRUE(bank.next.has_value());
  EXPECT_EQ(bank.next->rows(), 50U);
  EXPECT_EQ(bank.progress.version, bank.next->version());
  // CSLS is the first; a gate is a pass more, a second bank doubles.
  EXPECT_EQ(bank.progress.done, 350U);
  EXPECT_EQ(bank.progress.total, 350U * (1 + 4 + 2 + 2 + 1 + 1 + 1));
  const NormalizerStatus csls = StatusOf("csls");
  EXPECT_EQ(csls.query_bank_version, served);
  ASSERT_TRUE(csls.next.has_value());
  EXPECT_GT(csls.next->version, csls.record.version());
  EXPECT_TRUE(csls.next->error.ok());

  // Writers go on, merges too, and every search is exact.
  CheckAgainstModel("before the switch");
  Upsert(200, 150);
  Delete({1, 2, 3, 40, 50});
  CheckAgainstModel("after writes before the switch");
  ASSERT_OK(collection_->SealAndWait(Unlimited()));
  Upsert(500, 30);
  CheckAgainstModel("after a merge before the switch");
  EXPECT_EQ(QueryBank().record.version(), served);
  gate_.Open();
  ASSERT_TRUE(WaitMade());
  EXPECT_EQ(QueryBank().record.version(), bank.next->version());
  EXPECT_EQ(StatusOf("csls").query_bank_version, bank.next->version());
  EXPECT_EQ(StatusOf("csls").record.version(), csls.next->version);
  old_versions_.clear();
  CheckAgainstModel("after the switch");
  EXPECT_OK(database_->Verify());
}

TEST_F(NormalizerChangeTest, WritersMeetOldOrNewNeverBoth) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  uint64_t next_id = 1000;
  for (int round = 0; round < 4; ++round) {
    RememberServed();
    PutBank(round % 2 == 0 ? "queries" : "gallery", round % 2 == 1,
            30 + random_() % 40, ReturnWhen::kStored);
    for (int step = 0; step < 4; ++step) {
      const uint64_t many = 1 + random_() % 60;
      Upsert(next_id - random_() % 100, many);
      next_id += many;
      std::vector<uint64_t> dead;
      for (const auto& [id, vector] : model_) {
        if (random_() % 20 == 0) {
          dead.push_back(id);
        }
      }
      if (!dead.empty()) {
        Delete(dead);
      }
      if (random_() % 3 == 0) {
        ASSERT_OK(collection_->SealAndWait(Unlimited()));
      }
      CheckAgainstModel("in the middle");
      if (HasFatalFailure()) {
        return;
      }
    }
    ASSERT_TRUE(WaitMade());
    old_versions_.clear();
    CheckAgainstModel("after the switch");
  }
}

// A copy of the files is what a kill would leave.
TEST_F(NormalizerChangeTest, ARestartGoesOnWithWhatWasComputed) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  storage::NormalizerRecord record = Record(NormalizerMethod::kSinkhorn);
  record.set_name("a_sinkhorn");
  ASSERT_OK(Catalog().PutNormalizer(record, Unlimited()));
  gate_.Close("computing normalizer 'dual_dynamic_inverted_softmax'");
  PutBank("queries", false, 50, ReturnWhen::kStored);
  ASSERT_TRUE(gate_.WaitHeld());
  // Both were computed before, and waits for their turn in the copy, too.
  ASSERT_OK(Catalog()
                .PutNormalizer(record, Unlimited(), ReturnWhen::kStored)
                .status());
  const uint64_t planned = StatusOf("csls").next->version;
  const TempDir copy;
  std::filesystem::copy(dir_.path(), copy.path(),
                        std::filesystem::copy_options::recursive |
                            std::filesystem::copy_options::overwrite_existing);
  gate_.Open();
  ASSERT_TRUE(WaitMade());
  const uint64_t sinkhorn = StatusOf("a_sinkhorn").record.version();
  collection_.reset();
  Close();

  options_.store.path = copy.path();
  Open();
  collection_ = Find("docs");
  ASSERT_TRUE(WaitMade());
  EXPECT_EQ(StatusOf("csls").record.version(), planned);
  EXPECT_EQ(StatusOf("a_sinkhorn").record.version(), sinkhorn);
  old_versions_.clear();
  CheckAgainstModel("after the restart");
  Upsert(900, 40);
  CheckAgainstModel("after writes behind the restart");
  EXPECT_OK(database_->Verify());
}

TEST_F(NormalizerChangeTest, ANewerChangeTakesThePlaceOfOneThatWaits) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  gate_.Close("computing normalizer 'csls'");
  absl::Status first;
  std::optional<Thread> waiter(std::in_place, "waiter", [this, &first] {
    first = Catalog()
                .PutBank({"queries", "", false, {Numbers(kDimension, 1)}},
                         Unlimited())
                .status();
  });
  ASSERT_TRUE(gate_.WaitHeld());
  PutBank("queries", false, 45, ReturnWhen::kStored);
  waiter.reset();
  EXPECT_THAT(first, StatusIs(absl::StatusCode::kFailedPrecondition,
                              HasSubstr("a newer change of bank 'queries'")));
  gate_.Open();
  ASSERT_TRUE(WaitMade());
  EXPECT_EQ(QueryBank().record.rows(), 45U);
  old_versions_.clear();
  CheckAgainstModel("after both");
}

TEST_F(NormalizerChangeTest, ADeletionEndsWhatIsComputed) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  storage::NormalizerRecord record = Record(NormalizerMethod::kCsls);
  record.set_name("late");
  record.set_is_default(true);
  gate_.Close("computing normalizer 'late'");
  ASSERT_OK(Catalog()
                .PutNormalizer(record, Unlimited(), ReturnWhen::kStored)
                .status());
  ASSERT_TRUE(gate_.WaitHeld());
  EXPECT_EQ(StatusOf("late").record.version(), 0U);
  EXPECT_TRUE(StatusOf("late").next.has_value());
  EXPECT_THAT(SearchBy("late"), StatusIs(absl::StatusCode::kFailedPrecondition,
                                         HasSubstr("is still being computed")));
  EXPECT_OK(SearchBy(""));
  storage::NormalizerRecord other = record;
  other.set_name("other");
  EXPECT_THAT(Catalog().PutNormalizer(other, Unlimited()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("'late' is the default")));
  EXPECT_OK(Catalog().DeleteNormalizer("late"));
  EXPECT_THAT(SearchBy("late"), StatusIs(absl::StatusCode::kInvalidArgument));
  gate_.Open();
  ASSERT_TRUE(WaitMade());
  EXPECT_EQ(StatusOf("late").record.name(), "");

  // A bank's change goes on without it.
  gate_.Close("computing normalizer 'inverted_softmax'");
  PutBank("queries", false, 50, ReturnWhen::kStored);
  ASSERT_TRUE(gate_.WaitHeld());
  EXPECT_OK(Catalog().DeleteNormalizer("inverted_softmax"));
  gate_.Open();
  ASSERT_TRUE(WaitMade());
  EXPECT_EQ(QueryBank().record.rows(), 50U);
  EXPECT_THAT(SearchBy("inverted_softmax"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK(Catalog().PutNormalizer(Record(NormalizerMethod::kInvertedSoftmax),
                                    Unlimited()));
  old_versions_.clear();
  CheckAgainstModel("after the deletion");
  collection_.reset();
  Reopen();
  collection_ = Find("docs");
  EXPECT_EQ(StatusOf("late").record.name(), "");
  CheckAgainstModel("after a restart");
}

// The biases of a deleted normaliser may stay in the store for a while; the
// next one must not take them for its own.
TEST_F(NormalizerChangeTest, ADeletionLeavesNothingToOthers) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  storage::NormalizerRecord record = Record(NormalizerMethod::kInvertedSoftmax);
  NormalizerSpec spec = *SpecOf(record);
  spec.beta = 1;
  SetSpec(spec, &record);
  ASSERT_OK(Catalog().PutNormalizer(record, Unlimited()));
  ASSERT_OK(Catalog().DeleteNormalizer(record.name()));
  collection_.reset();
  Reopen();
  collection_ = Find("docs");
  ASSERT_OK(Catalog().PutNormalizer(Record(NormalizerMethod::kInvertedSoftmax),
                                    Unlimited()));
  old_versions_.clear();
  CheckAgainstModel("after another one");
}

TEST_F(NormalizerChangeTest, ADropAndAStopEndAnAttempt) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  gate_.Close("computing normalizer 'csls'");
  absl::Status waited;
  std::optional<Thread> waiter(std::in_place, "waiter", [this, &waited] {
    waited = Catalog()
                 .PutBank({"queries", "", false, {Numbers(kDimension, 1)}},
                          Unlimited())
                 .status();
  });
  ASSERT_TRUE(gate_.WaitHeld());
  // It waits for the thread, but not for the change.
  std::optional<Thread> dropper(std::in_place, "dropper",
                                [this] { ASSERT_OK(database_->Drop("docs")); });
  waiter.reset();
  EXPECT_THAT(waited, StatusIs(absl::StatusCode::kNotFound));
  gate_.Open();
  dropper.reset();

  model_.clear();
  collection_ = Create("docs", test::OneFieldSchema(kDimension));
  ASSERT_NO_FATAL_FAILURE(Fill());
  gate_.Close("computing normalizer 'csls'");
  PutBank("queries", false, 50, ReturnWhen::kStored);
  ASSERT_TRUE(gate_.WaitHeld());
  collection_.reset();
  std::optional<Thread> closer(std::in_place, "closer", [this] { Close(); });
  gate_.Open();
  closer.reset();
  Open();
  collection_ = Find("docs");
  ASSERT_TRUE(WaitMade());
  EXPECT_EQ(QueryBank().record.rows(), 50U);
  old_versions_.clear();
  CheckAgainstModel("after the restart");
}

TEST(NormalizerChange, WhoWaitsHearsOfAFailureAndOfTheEnd) {
  auto bank = std::make_shared<Bank>();
  bank->record.set_name("b");
  bank->record.set_version(7);
  NormalizerChange change(bank);
  EXPECT_EQ(change.number(), 7U);
  absl::Status heard;
  std::optional<Thread> waiter(std::in_place, "waiter", [&] {
    do {
      heard = change.Wait(Unlimited());
    } while (!heard.ok() && !absl::IsResourceExhausted(heard));
  });
  change.Fail(absl::ResourceExhaustedError("the disk is full"));
  EXPECT_EQ(change.Progress("").error.message(), "the disk is full");
  change.End(absl::OkStatus());
  waiter.reset();
  EXPECT_OK(change.Wait(Unlimited()));
  change.End(absl::NotFoundError("too late"));
  EXPECT_OK(change.Wait(Unlimited()));
}

}  // namespace
}  // namespace sextant
