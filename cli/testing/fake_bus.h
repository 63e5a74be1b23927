#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "sdk/base/mutex.h"

namespace pvebus::cli {

// A server in the test's own process that knows no method and answers every one as the test says. Serves health as well.
class FakeBus final : private grpc::CallbackGenericService {
 public:
  FakeBus();
  ~FakeBus() override;
  const std::string& address() const { return address_; }

  // What `method` ("Publish") answers from now on: its messages, one unless it is a stream, and how it ends. Without any, a call
  // ends as UNIMPLEMENTED.
  void Answer(const std::string& method, const std::vector<const google::protobuf::Message*>& messages,
              const grpc::Status& status = grpc::Status::OK);
  void Answer(const std::string& method, const google::protobuf::Message& message) { Answer(method, {&message}); }
  // The answer of the call after that; the last one holds.
  void AnswerThen(const std::string& method, const google::protobuf::Message& message);

  // Messages of a stream that then stays open until the client cancels it.
  void AnswerAndHold(const std::string& method, const google::protobuf::Message& message);

  // Whether `method` was called within ten seconds.
  bool WaitForCall(const std::string& method);
  // What `method` was asked, in order.
  template <typename Request>
  std::vector<Request> Asked(const std::string& method) {
    std::vector<Request> requests;
    for (const std::string& bytes : Received(method)) requests.emplace_back().ParseFromString(bytes);
    return requests;
  }

 private:
  class Call;
  struct Script {
    std::deque<std::string> messages;
    grpc::Status status;
    bool hold = false;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;
  Script Receive(const std::string& method, std::string request);
  std::vector<std::string> Received(const std::string& method);

  Mutex mutex_;
  CondVar called_;
  std::map<std::string, std::deque<Script>> scripts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> received_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace pvebus::cli
