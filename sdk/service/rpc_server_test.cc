#include "sdk/service/rpc_server.h"

#include <chrono>
#include <memory>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "pvebus/network/v1/network_service.grpc.pb.h"
#include "sdk/base/error.h"

namespace pvebus::service {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr char kName[] = "pvebus.network.v1.NetworkService";
constexpr std::chrono::seconds kPatience{10};

ServiceOptions ListenOn(const std::string& address) {
  ServiceOptions options;
  options.listen = {address};
  return options;
}

// A server of an interface without any answers.
class RpcServerTest : public testing::Test {
 protected:
  absl::Status Start() {
    const absl::Status status = server_.Start(rpc_, ListenOn("127.0.0.1:0"));
    if (status.ok())
      health_ = Health::NewStub(grpc::CreateChannel(server_.Addresses().at(0), grpc::InsecureChannelCredentials()));
    return status;
  }
  HealthCheckResponse::ServingStatus HealthOf(const std::string& name) {
    HealthCheckRequest request;
    request.set_service(name);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    HealthCheckResponse response;
    const grpc::Status status = health_->Check(&context, request, &response);
    return status.ok() ? response.status() : HealthCheckResponse::UNKNOWN;
  }

  network::v1::NetworkService::CallbackService rpc_;
  RpcServer server_{kName};
  std::unique_ptr<Health::Stub> health_;
};

TEST_F(RpcServerTest, ItServesWhenItIsToldToAndSaysThatItGoes) {
  EXPECT_FALSE(server_.started());
  ASSERT_TRUE(Start().ok());
  EXPECT_TRUE(server_.started());

  EXPECT_EQ(HealthOf(""), HealthCheckResponse::SERVING);
  EXPECT_EQ(HealthOf(kName), HealthCheckResponse::NOT_SERVING);
  server_.SetServing(true);
  EXPECT_EQ(HealthOf(kName), HealthCheckResponse::SERVING);
  server_.SetServing(false);
  EXPECT_EQ(HealthOf(kName), HealthCheckResponse::NOT_SERVING);
  server_.SetServing(true);
  server_.SayGoingAway();
  EXPECT_EQ(HealthOf(kName), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthOf(""), HealthCheckResponse::NOT_SERVING);
}

TEST_F(RpcServerTest, ItsCallsAreAnswered) {
  ASSERT_TRUE(Start().ok());
  const auto stub =
      network::v1::NetworkService::NewStub(grpc::CreateChannel(server_.Addresses().at(0), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  network::v1::ListAppliesResponse response;

  EXPECT_EQ(stub->ListApplies(&context, {}, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(RpcServerTest, AnAddressThatIsInUseIsSaid) {
  ASSERT_TRUE(Start().ok());
  network::v1::NetworkService::CallbackService rpc;
  RpcServer second(kName);

  const absl::Status status = second.Start(rpc, ListenOn(server_.Addresses().at(0)));

  EXPECT_EQ(ErrorReason(status), "ADDRESS_IN_USE");
  EXPECT_FALSE(second.started());
  EXPECT_EQ(HealthOf(""), HealthCheckResponse::SERVING) << "the first one is left alone";
}

TEST_F(RpcServerTest, ItEndsWhileItsHealthIsWatched) {
  ASSERT_TRUE(Start().ok());
  HealthCheckRequest request;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 3 * kPatience);
  const auto watch = health_->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  const auto before = std::chrono::steady_clock::now();

  server_.Stop();

  EXPECT_LT(std::chrono::steady_clock::now() - before, kPatience);
  EXPECT_FALSE(server_.started());
  server_.Stop();
}

}  // namespace
}  // namespace pvebus::service
