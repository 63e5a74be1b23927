#include "bus-service/core/errors.h"

#include "bus-service/core/names.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::bus {
namespace {

using std::chrono::seconds;

// What cannot be sent in a protobuf string would reach nobody.
bool CanBeSent(const absl::Status& status) {
  const std::string message(status.message());
  bool valid = CleanUtf8(message, message.size()) == message;
  for (const auto& [key, value] : ErrorMetadata(status)) valid &= CleanUtf8(value, value.size()) == value;
  return valid;
}

TEST(ErrorsTest, WhatAStrangerSentIsShownCutAtACharacter) {
  for (size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'a');
    while (text.size() < 300) text += "\xe2\x82\xac";  // €
    const absl::Status statuses[] = {
        IdInvalid("f", text, "rule"),      NameInvalid("f", text), FilterInvalid(text, 5, "what"), ParentUnknown(text),
        RequiredListenerMissing("a", "b"), EventNotFound(text),    CheckCustomName("f", text)};
    for (const absl::Status& status : statuses) {
      EXPECT_TRUE(CanBeSent(status)) << status;
      EXPECT_LT(status.message().size(), 300u) << "and not all of it: " << status;
    }
  }
}

TEST(ErrorsTest, TemporaryRefusalsSayWhenToTryAgainAndOthersDoNot) {
  for (const absl::Status& status : {JournalFull(5, "a"), PublishBackpressure(5), Draining()})
    EXPECT_TRUE(RetryDelay(status)) << status;
  for (const absl::Status& status : {PayloadMissing(), NameInvalid("f", "A"), SequenceMismatch(1, 2)})
    EXPECT_FALSE(RetryDelay(status)) << status;
}

TEST(ErrorsTest, EveryErrorHasTheCodeAndReasonOfTheContract) {
  using absl::StatusCode;
  const SystemTime time;
  const std::tuple<absl::Status, StatusCode, const char*> kErrors[] = {
      {RequestMalformed("x"), StatusCode::kInvalidArgument, "REQUEST_MALFORMED"},
      {FieldInvalid("f", "x"), StatusCode::kInvalidArgument, "FIELD_INVALID"},
      {PayloadMissing(), StatusCode::kInvalidArgument, "PAYLOAD_MISSING"},
      {IdInvalid("f", "x", "r"), StatusCode::kInvalidArgument, "ID_INVALID"},
      {FilterInvalid("x", 0, "w"), StatusCode::kInvalidArgument, "FILTER_INVALID"},
      {NameInvalid("f", "x"), StatusCode::kInvalidArgument, "NAME_INVALID"},
      {EventTooLarge(2, 1), StatusCode::kInvalidArgument, "EVENT_TOO_LARGE"},
      {RegistrationExpected("x"), StatusCode::kInvalidArgument, "REGISTRATION_EXPECTED"},
      {EventIdConflict("x"), StatusCode::kAlreadyExists, "EVENT_ID_CONFLICT"},
      {RequestIdConflict("x"), StatusCode::kAlreadyExists, "REQUEST_ID_CONFLICT"},
      {ParentUnknown("x"), StatusCode::kFailedPrecondition, "PARENT_UNKNOWN"},
      {HopLimitExceeded(8), StatusCode::kFailedPrecondition, "HOP_LIMIT_EXCEEDED"},
      {RequiredListenerMissing("x", "y"), StatusCode::kFailedPrecondition, "REQUIRED_LISTENER_MISSING"},
      {SequenceMismatch(1, 2), StatusCode::kAborted, "SEQUENCE_MISMATCH"},
      {EventLost(5, {4, 6}), StatusCode::kDataLoss, "EVENT_LOST"},
      {JournalFull(1, "x"), StatusCode::kResourceExhausted, "JOURNAL_FULL"},
      {PublishBackpressure(1), StatusCode::kResourceExhausted, "PUBLISH_BACKPRESSURE"},
      {EventNotFound("x"), StatusCode::kNotFound, "EVENT_NOT_FOUND"},
      {ListenerNameInUse("l", "i", "n", "p", time), StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE"},
      {AlreadyRegistered("x"), StatusCode::kFailedPrecondition, "ALREADY_REGISTERED"},
      {SessionSuperseded("x", "p"), StatusCode::kAborted, "SESSION_SUPERSEDED"},
      {LeaseExpired(seconds(1)), StatusCode::kAborted, "LEASE_EXPIRED"},
      {ListenerEvicted("x"), StatusCode::kAborted, "LISTENER_EVICTED"},
      {SequenceCompacted(1, 2), StatusCode::kOutOfRange, "SEQUENCE_COMPACTED"},
      {Draining(), StatusCode::kUnavailable, "DRAINING"},
      {ListenerNotFound("x", ""), StatusCode::kNotFound, "LISTENER_NOT_FOUND"},
      {EtagMismatch("x"), StatusCode::kAborted, "ETAG_MISMATCH"},
      {ListenerNotEmpty("x", 1, true), StatusCode::kFailedPrecondition, "LISTENER_NOT_EMPTY"}};
  for (const auto& [status, code, reason] : kErrors) {
    EXPECT_EQ(status.code(), code) << reason;
    EXPECT_EQ(ErrorReason(status), reason);
  }
}

}  // namespace
}  // namespace pvebus::bus
