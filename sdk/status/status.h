#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace pvebus {

// ErrorInfo.domain of every error of the bus and its services.
inline constexpr char kErrorDomain[] = "pvebus";

// absl::Status <-> grpc::Status. Reason, metadata and retry delay (sdk/base/error.h) travel as google.rpc.ErrorInfo and
// RetryInfo in the status details. Any thread.
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace pvebus
