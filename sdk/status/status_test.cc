#include "sdk/status/status.h"

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus {
namespace {

using std::chrono::milliseconds;

TEST(StatusTest, CodeReasonMessageAndMetadataSurviveTheWire) {
  const absl::Status status =
      MakeError(absl::StatusCode::kAlreadyExists, "LISTENER_NAME_IN_USE", "held by b", {{"instance_id", "b"}, {"node", "pve1"}});

  const grpc::Status on_wire = ToGrpcStatus(status);
  const absl::Status back = FromGrpcStatus(on_wire);

  EXPECT_EQ(on_wire.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(on_wire.error_message(), "held by b");
  EXPECT_EQ(back.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(back.message(), "held by b");
  EXPECT_EQ(ErrorReason(back), "LISTENER_NAME_IN_USE");
  EXPECT_EQ(ErrorMetadata(back), (std::map<std::string, std::string>{{"instance_id", "b"}, {"node", "pve1"}}));
  EXPECT_FALSE(RetryDelay(back));
}

TEST(StatusTest, TheRetryDelaySurvivesTheWireWithAndWithoutAReason) {
  absl::Status with = MakeError(absl::StatusCode::kResourceExhausted, "PUBLISH_BACKPRESSURE", "too many");
  absl::Status without = absl::UnavailableError("later");
  SetRetryDelay(with, milliseconds(1250));
  SetRetryDelay(without, milliseconds(0));

  EXPECT_EQ(RetryDelay(FromGrpcStatus(ToGrpcStatus(with))), milliseconds(1250));
  EXPECT_EQ(RetryDelay(FromGrpcStatus(ToGrpcStatus(without))), milliseconds(0));
  EXPECT_EQ(ErrorReason(FromGrpcStatus(ToGrpcStatus(without))), "");
}

TEST(StatusTest, OkIsOkBothWays) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
}

TEST(StatusTest, AStatusOfSomebodyElseKeepsCodeAndMessage) {
  const absl::Status plain = FromGrpcStatus(grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection refused"));
  const absl::Status garbage = FromGrpcStatus(grpc::Status(grpc::StatusCode::INTERNAL, "no", "\xff\xff\xff"));

  EXPECT_EQ(plain, absl::UnavailableError("connection refused"));
  EXPECT_EQ(garbage, absl::InternalError("no"));
}

TEST(StatusTest, EveryCodeMapsToItsNumber) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "x");
    EXPECT_EQ(ToGrpcStatus(status).error_code(), code);
    EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)).code(), status.code());
  }
}

}  // namespace
}  // namespace pvebus
