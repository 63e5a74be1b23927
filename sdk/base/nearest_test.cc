#include "sdk/base/nearest.h"

#include "gtest/gtest.h"

namespace pvebus {
namespace {

const std::vector<std::string> kCommands = {"publish", "listeners", "listen", "watch", "result"};
const std::vector<std::string> kListeners = {"container-network-hooks", "storage-hooks", "migration-hooks"};

TEST(NearestTest, OneWrongMissingOrExtraLetterIsForgiven) {
  EXPECT_EQ(Nearest("pubXish", kCommands), "publish");
  EXPECT_EQ(Nearest("publsh", kCommands), "publish");
  EXPECT_EQ(Nearest("publiish", kCommands), "publish");
}

TEST(NearestTest, SwappedNeighboursAreOneSlip) { EXPECT_EQ(Nearest("wacth", {"match", "watch"}), "watch"); }

TEST(NearestTest, CaseAndUnderscoreAreNoSlips) {
  EXPECT_EQ(Nearest("Storage_Hooks", kListeners), "storage-hooks");
  EXPECT_EQ(Nearest("A", {"a"}), "a");
  EXPECT_EQ(Nearest("b", {"a"}), std::nullopt) << "a word of one letter has no right letter left";
}

TEST(NearestTest, TheNearerWordWinsAndTheFirstOfEqualOnes) {
  EXPECT_EQ(Nearest("listene", kCommands), "listen");
  EXPECT_EQ(Nearest("hoot", {"foot", "boot"}), "foot");
}

TEST(NearestTest, WhatNobodyPlausiblyMeantIsNotOffered) {
  EXPECT_EQ(Nearest("xyz", kCommands), std::nullopt);
  EXPECT_EQ(Nearest("ab", {"cd"}), std::nullopt);
  EXPECT_EQ(Nearest("network", kListeners), std::nullopt);
  EXPECT_EQ(Nearest("", kCommands), std::nullopt);
  EXPECT_EQ(Nearest("publish", {}), std::nullopt);
  EXPECT_EQ(Nearest("publish", {""}), std::nullopt);
  EXPECT_EQ(Nearest(std::string(100'000, 'a'), {std::string(100'000, 'a')}), std::nullopt);
}

TEST(NearestTest, TheBeginningOfAWordIsEnough) {
  EXPECT_EQ(Nearest("stor", kListeners), "storage-hooks");
  EXPECT_EQ(Nearest("st", kListeners), std::nullopt);
  EXPECT_EQ(Nearest("con", {"container-network-hooks", "container"}), "container");
}

TEST(NearestTest, DidYouMeanIsReadyToBeAppended) {
  EXPECT_EQ(DidYouMean("storge-hooks", kListeners), " (did you mean 'storage-hooks'?)");
  EXPECT_EQ(DidYouMean("xyz", kListeners), "");
}

}  // namespace
}  // namespace pvebus
