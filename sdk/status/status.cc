#include "sdk/status/status.h"

#include "google/rpc/error.pb.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus {

namespace {

// It travels twice, once percent-encoded, in headers of which peers take 8 KiB: with more of it the code would be lost, too.
constexpr size_t kMostMessageBytes = 1500;

std::string Cut(const std::string& message) {
  if (message.size() <= kMostMessageBytes) return message;
  return CleanUtf8(message, kMostMessageBytes - 4) + " ...";
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = Cut(std::string(status.message()));
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  if (std::string reason = ErrorReason(status); !reason.empty()) {
    google::rpc::ErrorInfo info;
    info.set_reason(reason);
    info.set_domain(kErrorDomain);
    for (auto& [key, value] : ErrorMetadata(status)) (*info.mutable_metadata())[key] = value;
    details.add_details()->PackFrom(info);
  }
  if (auto delay = RetryDelay(status)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(delay->count() / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay->count() % 1000 * 1'000'000));
    details.add_details()->PackFrom(retry);
  }
  return {code, message, details.SerializeAsString()};
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return absl::Status(code, status.error_message());
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  bool has_retry = false;
  for (const auto& detail : details.details()) {
    if (detail.Is<google::rpc::ErrorInfo>()) {
      detail.UnpackTo(&info);
    } else if (detail.Is<google::rpc::RetryInfo>()) {
      has_retry = detail.UnpackTo(&retry);
    }
  }
  absl::Status result = info.reason().empty()
                            ? absl::Status(code, status.error_message())
                            : MakeError(code, info.reason(), status.error_message(),
                                        std::map<std::string, std::string>(info.metadata().begin(), info.metadata().end()));
  if (has_retry) {
    SetRetryDelay(result,
                  std::chrono::milliseconds(retry.retry_delay().seconds() * 1000 + retry.retry_delay().nanos() / 1'000'000));
  }
  return result;
}

}  // namespace pvebus
