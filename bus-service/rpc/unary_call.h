#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "bus-service/rpc/event_loop.h"
#include "google/protobuf/message.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/async_unary_call.h"

namespace pvebus::bus {

// One unary RPC from its arrival to its end. Waits for a call of its method, puts a successor in its place, hands the request to
// the method's handler, which answers with exactly one Reply or Fail, at once or later. Deletes itself. The loop's thread.
class UnaryCall final : public Tag {
 public:
  struct Method {
    // Asks the generated service for the next call.
    std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>*, void* tag)>
        request_call;
    std::function<void(UnaryCall&)> handle;
  };

  // Requires: `method` and `loop` outlive every call.
  static void Listen(const Method& method, EventLoop& loop);

  // The request, or false after having answered INVALID_ARGUMENT REQUEST_MALFORMED.
  bool Parse(google::protobuf::Message& request);
  void Reply(const google::protobuf::MessageLite& response);
  // With a message that is serialised already.
  void Reply(const std::string& response);
  void Fail(const absl::Status& status);
  // `leave` is called when the caller has gone before it was answered; it must see to it that an answer is given then.
  void OnCancel(std::function<void()> leave);
  std::chrono::system_clock::time_point deadline() const { return context_.deadline(); }

 private:
  // The call is over for the caller.
  class Gone final : public Tag {
   public:
    explicit Gone(UnaryCall& call) : call_(call) {}
    void Proceed(bool) override { call_.Left(); }

   private:
    UnaryCall& call_;
  };

  UnaryCall(const Method& method, EventLoop& loop);
  void Proceed(bool ok) override;
  void Left();
  // False when nothing can be sent any more.
  bool BeginAnswer();
  void DeleteWhenDone();

  const Method& method_;
  EventLoop& loop_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_{&context_};
  Gone gone_tag_{*this};
  std::function<void()> leave_;
  bool arrived_ = false;
  bool replied_ = false;
  bool finished_ = false;
  bool gone_ = false;
};

}  // namespace pvebus::bus
