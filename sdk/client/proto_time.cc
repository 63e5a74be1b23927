#include "sdk/client/proto_time.h"

#include <algorithm>

namespace pvebus::client {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
// Nanoseconds since 1970 fit into 64 bits until 2262; one second less leaves room for `nanos`.
constexpr int64_t kMaxSeconds = INT64_MAX / kNanosPerSecond - 1;

template <typename Proto>
Proto Split(int64_t nanoseconds) {
  Proto proto;
  proto.set_seconds(nanoseconds / kNanosPerSecond);
  proto.set_nanos(static_cast<int32_t>(nanoseconds % kNanosPerSecond));
  return proto;
}

template <typename Proto>
Duration Join(const Proto& proto) {
  return std::chrono::seconds(std::clamp<int64_t>(proto.seconds(), -kMaxSeconds, kMaxSeconds)) +
         std::chrono::nanoseconds(proto.nanos() % kNanosPerSecond);
}

}  // namespace

google::protobuf::Duration ToProto(Duration duration) { return Split<google::protobuf::Duration>(duration.count()); }

google::protobuf::Timestamp ToProto(SystemTime time) {
  return Split<google::protobuf::Timestamp>(std::chrono::duration_cast<Duration>(time.time_since_epoch()).count());
}

Duration FromProto(const google::protobuf::Duration& duration) { return Join(duration); }

SystemTime FromProto(const google::protobuf::Timestamp& time) {
  return SystemTime(std::chrono::duration_cast<SystemTime::duration>(Join(time)));
}

}  // namespace pvebus::client
