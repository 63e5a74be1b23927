#include "cli/testing/fake_bus.h"

#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace pvebus::cli {
namespace {

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  buffer.Dump(&slices);
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

}  // namespace

// One call: reads the request, writes the script's messages one after the other. Owned by itself until OnDone. Its reactions come
// in turn, except that of a cancellation.
class FakeBus::Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call(FakeBus& bus, const std::string& method) : bus_(bus), method_(method.substr(method.rfind('/') + 1)) {
    StartRead(&buffer_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    script_ = bus_.Receive(method_, ToString(buffer_));
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Next();
  }
  void OnCancel() override {
    MutexLock lock(mutex_);
    cancelled_ = true;
    if (holding_) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

  void Next() {
    if (script_.messages.empty()) return End();
    buffer_ = ToBuffer(script_.messages.front());
    script_.messages.pop_front();
    StartWrite(&buffer_);
  }
  void End() {
    MutexLock lock(mutex_);
    holding_ = script_.hold && !cancelled_;
    if (!holding_) Finish(script_.status);
  }

  FakeBus& bus_;
  const std::string method_;
  grpc::ByteBuffer buffer_;
  Script script_;
  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
};

FakeBus::FakeBus() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(this);
  server_ = builder.BuildAndStart();
  server_->GetHealthCheckService()->SetServingStatus("pvebus.bus.v1.BusService", true);
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeBus::~FakeBus() { server_->Shutdown(); }

void FakeBus::Answer(const std::string& method, const std::vector<const google::protobuf::Message*>& messages,
                     const grpc::Status& status) {
  Script script{{}, status, false};
  for (const google::protobuf::Message* message : messages) script.messages.push_back(message->SerializeAsString());
  MutexLock lock(mutex_);
  scripts_[method] = {std::move(script)};
}

void FakeBus::AnswerThen(const std::string& method, const google::protobuf::Message& message) {
  MutexLock lock(mutex_);
  scripts_[method].push_back({{message.SerializeAsString()}, grpc::Status::OK, false});
}

void FakeBus::AnswerAndHold(const std::string& method, const google::protobuf::Message& message) {
  MutexLock lock(mutex_);
  scripts_[method] = {{{message.SerializeAsString()}, grpc::Status::OK, true}};
}

bool FakeBus::WaitForCall(const std::string& method) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  MutexLock lock(mutex_);
  while (received_[method].empty()) {
    if (!called_.WaitUntil(mutex_, deadline)) return false;
  }
  return true;
}

grpc::ServerGenericBidiReactor* FakeBus::CreateReactor(grpc::GenericCallbackServerContext* context) {
  return new Call(*this, context->method());
}

FakeBus::Script FakeBus::Receive(const std::string& method, std::string request) {
  MutexLock lock(mutex_);
  received_[method].push_back(std::move(request));
  called_.NotifyAll();
  std::deque<Script>& scripts = scripts_[method];
  if (scripts.empty()) return {{}, grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "the test has no answer to " + method), false};
  Script script = scripts.front();
  if (scripts.size() > 1) scripts.pop_front();
  return script;
}

std::vector<std::string> FakeBus::Received(const std::string& method) {
  MutexLock lock(mutex_);
  return received_[method];
}

}  // namespace pvebus::cli
