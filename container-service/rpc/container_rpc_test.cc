#include "container-service/rpc/container_rpc.h"

#include <functional>

#include "container-service/core/testing/fake_node.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::container {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ContainerRpcTest : public testing::Test {
 protected:
  ContainerRpcTest() {
    AddHook("network-event-logger", bus::v1::HOOK_STATE_UNCHANGED);
    AddHook("broken", bus::v1::HOOK_STATE_FAILED);
    grpc::ServerBuilder builder;
    builder.RegisterService(&rpc_);
    server_ = builder.BuildAndStart();
    stub_ = v1::ContainerService::NewStub(server_->InProcessChannel({}));
  }
  ~ContainerRpcTest() override { server_->Shutdown(); }

  void AddHook(const std::string& name, bus::v1::HookState state) {
    const absl::Status status = chain_.Add({.name = name, .run = [state](const client::EventContext&, std::stop_token) {
                                              return hooks::HookOutcome{.state = state};
                                            }});
    EXPECT_TRUE(status.ok()) << status;
  }

  void Start(uint32_t container, const std::string& event_id) {
    bus::v1::Delivery delivery;
    delivery.mutable_event()->set_event_id(event_id);
    delivery.mutable_event()->mutable_container_started()->set_id(container);
    chain_.Run(client::EventContext(delivery, nullptr, {}));
  }

  absl::Status List(const v1::ListHookExecutionsRequest& request, v1::ListHookExecutionsResponse& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return FromGrpcStatus(stub_->ListHookExecutions(&context, request, &response));
  }
  std::vector<std::string> Listed(const v1::ListHookExecutionsRequest& request) {
    v1::ListHookExecutionsResponse response;
    const absl::Status status = List(request, response);
    EXPECT_TRUE(status.ok()) << status;
    std::vector<std::string> listed;
    for (const auto& execution : response.executions()) listed.push_back(execution.event_id() + " " + execution.result().hook());
    return listed;
  }
  absl::Status Refusal(const v1::ListHookExecutionsRequest& request) {
    v1::ListHookExecutionsResponse response;
    return List(request, response);
  }

  RealClock clock_;
  hooks::HookChain chain_{{}, clock_};
  FakeNode node_;
  InlineExecutor executor_;
  ContainerRpc rpc_{chain_, {node_, executor_, executor_}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::ContainerService::Stub> stub_;
};

TEST_F(ContainerRpcTest, HooksAreListedInTheirOrder) {
  grpc::ClientContext context;
  v1::ListHooksResponse response;

  ASSERT_TRUE(stub_->ListHooks(&context, {}, &response).ok());

  ASSERT_EQ(response.hooks_size(), 2);
  EXPECT_EQ(response.hooks(0).name(), "network-event-logger");
  EXPECT_EQ(response.hooks(0).time_limit().seconds(), 10);
}

TEST_F(ContainerRpcTest, ExecutionsAreListedNewestFirstAndFiltered) {
  Start(101, "e1");
  Start(102, "e2");

  v1::ListHookExecutionsRequest of_container;
  of_container.set_container_id(101);
  v1::ListHookExecutionsRequest of_hook;
  of_hook.set_hook("broken");
  v1::ListHookExecutionsRequest of_state;
  of_state.set_state(bus::v1::HOOK_STATE_UNCHANGED);
  v1::ListHookExecutionsRequest of_event;
  of_event.set_event_id("e3");

  EXPECT_THAT(Listed({}), ElementsAre("e2 broken", "e2 network-event-logger", "e1 broken", "e1 network-event-logger"));
  EXPECT_THAT(Listed(of_container), ElementsAre("e1 broken", "e1 network-event-logger"));
  EXPECT_THAT(Listed(of_hook), ElementsAre("e2 broken", "e1 broken"));
  EXPECT_THAT(Listed(of_state), ElementsAre("e2 network-event-logger", "e1 network-event-logger"));
  EXPECT_THAT(Listed(of_event), IsEmpty());
}

TEST_F(ContainerRpcTest, PagesFollowEachOtherThoughNewExecutionsComeIn) {
  Start(101, "e1");
  Start(101, "e2");
  v1::ListHookExecutionsRequest request;
  request.set_page_size(3);
  v1::ListHookExecutionsResponse first;
  ASSERT_TRUE(List(request, first).ok());
  Start(101, "e3");

  request.set_page_token(first.next_page_token());
  v1::ListHookExecutionsResponse second;
  ASSERT_TRUE(List(request, second).ok());

  EXPECT_EQ(first.executions_size(), 3);
  ASSERT_EQ(second.executions_size(), 1);
  EXPECT_EQ(second.executions(0).execution_id(), 1u);
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(ContainerRpcTest, BadPagesAreRefusedWithFieldAndLimit) {
  v1::ListHookExecutionsRequest request;
  for (const int page_size : {-1, 1001}) {
    request.set_page_size(page_size);
    const absl::Status status = Refusal(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ErrorReason(status), "PAGE_SIZE_INVALID");
    EXPECT_EQ(ErrorMetadata(status)["field"], "page_size");
    EXPECT_EQ(ErrorMetadata(status)["limit"], "1000");
  }
  request.set_page_size(0);
  for (const char* token : {"x", "0", "-1", "1x", "99999999999999999999999"}) {
    request.set_page_token(token);
    EXPECT_EQ(ErrorReason(Refusal(request)), "PAGE_TOKEN_INVALID") << token;
  }
}

TEST_F(ContainerRpcTest, UnknownStateIsRefused) {
  v1::ListHookExecutionsRequest request;
  request.set_state(static_cast<bus::v1::HookState>(99));

  EXPECT_EQ(ErrorReason(Refusal(request)), "STATE_INVALID");
}

TEST_F(ContainerRpcTest, ImpossibleContainerIsRefused) {
  v1::ListHookExecutionsRequest request;
  request.set_container_id(99);
  EXPECT_EQ(ErrorReason(Refusal(request)), "ID_INVALID");
  request.set_container_id(1'000'000'000);
  EXPECT_EQ(ErrorReason(Refusal(request)), "ID_INVALID");
}

TEST_F(ContainerRpcTest, ExecutionsAreFilteredByWhenTheyBegan) {
  Start(101, "e1");
  Start(102, "e2");
  v1::ListHookExecutionsResponse all;
  ASSERT_TRUE(List({}, all).ok());
  const auto& began = all.executions(1).start_time();  // the first hook of e2
  v1::ListHookExecutionsRequest since;
  *since.mutable_start_time() = began;
  v1::ListHookExecutionsRequest before;
  *before.mutable_end_time() = began;
  v1::ListHookExecutionsRequest never = since;
  *never.mutable_end_time() = began;
  v1::ListHookExecutionsRequest ever;
  ever.mutable_start_time()->set_seconds(TimeUtil::kTimestampMinSeconds);
  ever.mutable_end_time()->set_seconds(TimeUtil::kTimestampMaxSeconds);
  ever.mutable_end_time()->set_nanos(999'999'999);

  EXPECT_THAT(Listed(since), ElementsAre("e2 broken", "e2 network-event-logger"));
  EXPECT_THAT(Listed(before), ElementsAre("e1 broken", "e1 network-event-logger"));
  EXPECT_THAT(Listed(never), IsEmpty());
  EXPECT_EQ(Listed(ever).size(), 4u);
}

TEST_F(ContainerRpcTest, ImpossibleTimesAreRefusedByField) {
  const auto refused = [&](const std::function<void(v1::ListHookExecutionsRequest&)>& change) {
    v1::ListHookExecutionsRequest request;
    change(request);
    const absl::Status status = Refusal(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return ErrorReason(status) + " " + ErrorMetadata(status)["field"];
  };

  EXPECT_EQ(refused([](auto& r) { r.mutable_start_time()->set_nanos(-1); }), "TIME_INVALID start_time");
  EXPECT_EQ(refused([](auto& r) { r.mutable_start_time()->set_nanos(1'000'000'000); }), "TIME_INVALID start_time");
  EXPECT_EQ(refused([](auto& r) { r.mutable_start_time()->set_seconds(TimeUtil::kTimestampMinSeconds - 1); }),
            "TIME_INVALID start_time");
  EXPECT_EQ(refused([](auto& r) { r.mutable_end_time()->set_seconds(TimeUtil::kTimestampMaxSeconds + 1); }),
            "TIME_INVALID end_time");
  EXPECT_EQ(refused([](auto& r) {
              r.mutable_start_time()->set_nanos(2);
              r.mutable_end_time()->set_nanos(1);
            }),
            "TIME_INVALID end_time");
  EXPECT_EQ(refused([](auto& r) {
              r.mutable_start_time()->set_seconds(TimeUtil::kTimestampMaxSeconds);
              r.mutable_end_time()->set_seconds(TimeUtil::kTimestampMaxSeconds - 1);
            }),
            "TIME_INVALID end_time")
      << "also beyond what the machine counts";
}

TEST_F(ContainerRpcTest, PageEndsBeforeItIsMoreThanAClientTakes) {
  const auto run = [](const client::EventContext&, std::stop_token) {
    const std::string text(4096, 'x');
    return hooks::HookOutcome{.details = std::vector<hooks::HookDetail>(100, {.before = text, .after = text, .output = text})};
  };
  ASSERT_TRUE(chain_.Add({.name = "talkative", .run = run}).ok());
  for (int i = 0; i < 4; ++i) Start(101, "e" + std::to_string(i));
  v1::ListHookExecutionsRequest request;
  request.set_page_size(1000);
  size_t listed = 0;
  int pages = 0;

  do {
    v1::ListHookExecutionsResponse page;
    const absl::Status status = List(request, page);
    ASSERT_TRUE(status.ok()) << status;
    listed += static_cast<size_t>(page.executions_size());
    ++pages;
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());

  EXPECT_EQ(listed, 4u * 103);
  EXPECT_EQ(pages, 2);
}

TEST_F(ContainerRpcTest, UnknownHookNamesTheNearest) {
  v1::ListHookExecutionsRequest request;
  request.set_hook("network-event-loger");

  const absl::Status status = Refusal(request);

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("network-event-logger"));
}

TEST_F(ContainerRpcTest, StatisticsCountWhatRan) {
  Start(101, "e1");
  grpc::ClientContext all_context;
  v1::GetHookStatisticsResponse all;
  ASSERT_TRUE(stub_->GetHookStatistics(&all_context, {}, &all).ok());
  grpc::ClientContext one_context;
  v1::GetHookStatisticsRequest one_request;
  one_request.set_hook("broken");
  v1::GetHookStatisticsResponse one;
  ASSERT_TRUE(stub_->GetHookStatistics(&one_context, one_request, &one).ok());

  EXPECT_EQ(all.statistics_size(), 2);
  ASSERT_EQ(one.statistics_size(), 1);
  EXPECT_EQ(one.statistics(0).failed_count(), 1u);
}

TEST_F(ContainerRpcTest, ClearingSaysHowManyThereWere) {
  Start(101, "e1");
  grpc::ClientContext context;
  v1::ClearHookExecutionsResponse response;

  ASSERT_TRUE(stub_->ClearHookExecutions(&context, {}, &response).ok());

  EXPECT_EQ(response.cleared_count(), 2u);
  EXPECT_THAT(Listed({}), IsEmpty());
}

// The answer to a call, or its error.
template <typename Method, typename Request>
auto Call(Method method, v1::ContainerService::Stub& stub, const Request& request) {
  typename hook_service::MessagesOf<Method>::Response response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const absl::Status status = FromGrpcStatus((stub.*method)(&context, request, &response));
  return status.ok() ? absl::StatusOr<decltype(response)>(response) : absl::StatusOr<decltype(response)>(status);
}

TEST_F(ContainerRpcTest, TheNetworkOfAContainerIsTheFilesAndTheKernels) {
  node_.files[101] = "hostname: web\nnet0: name=eth0,bridge=vmbr0,firewall=1,tag=5,ip=dhcp\nnet1: bridge=vmbr0\n";
  node_.links.Bridge("vmbr0", /*vlan_aware=*/true).FirewalledVeth("101", "0", "vmbr0");
  node_.links.Of("veth101i0").up = false;
  v1::GetContainerNetworkRequest request;
  request.set_container_id(101);

  const auto response = Call(&v1::ContainerService::Stub::GetContainerNetwork, *stub_, request);

  ASSERT_TRUE(response.ok()) << response.status();
  const v1::ContainerNetwork& network = response->network();
  EXPECT_TRUE(network.running());
  EXPECT_EQ(network.hostname(), "web");
  ASSERT_EQ(network.interfaces_size(), 1);
  EXPECT_EQ(network.interfaces(0).tag(), 5);
  EXPECT_EQ(network.interfaces(0).host_device(), "veth101i0");
  EXPECT_EQ(network.interfaces(0).firewall_bridge(), "fwbr101i0");
  EXPECT_EQ(network.interfaces(0).device().bridge(), "vmbr0");
  EXPECT_FALSE(network.interfaces(0).device().up());
  ASSERT_EQ(network.file_findings_size(), 1);
  EXPECT_EQ(network.file_findings(0).line(), 3);
  ASSERT_EQ(network.findings_size(), 1);
  EXPECT_EQ(network.findings(0).message(), "veth101i0 is down; the file has no link_down");
}

TEST_F(ContainerRpcTest, ANetworkThatIsNotThereIsNotFound) {
  v1::GetContainerNetworkRequest request;
  request.set_container_id(102);
  EXPECT_EQ(ErrorReason(Call(&v1::ContainerService::Stub::GetContainerNetwork, *stub_, request).status()), "CONTAINER_NOT_FOUND");
  request.set_container_id(7);
  EXPECT_EQ(ErrorReason(Call(&v1::ContainerService::Stub::GetContainerNetwork, *stub_, request).status()), "ID_INVALID");
}

TEST_F(ContainerRpcTest, AnOperatorRunsTheHooksAndTheHistoryHasIt) {
  v1::RunLifecycleHooksRequest request;
  request.set_container_id(101);

  const auto response = Call(&v1::ContainerService::Stub::RunLifecycleHooks, *stub_, request);

  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->hook_results_size(), 2);
  EXPECT_EQ(response->hook_results(1).state(), bus::v1::HOOK_STATE_FAILED);
  v1::ListHookExecutionsRequest list;
  list.set_event_id(response->event_id());
  EXPECT_EQ(Listed(list).size(), 2);
}

TEST_F(ContainerRpcTest, ARunThatCannotBeMeantIsRefusedWithTheField) {
  const auto refusal = [&](uint32_t id, int type, const std::string& interface) {
    v1::RunLifecycleHooksRequest request;
    request.set_container_id(id);
    request.set_event_type(static_cast<v1::LifecycleEventType>(type));
    request.set_interface(interface);
    return ErrorReason(Call(&v1::ContainerService::Stub::RunLifecycleHooks, *stub_, request).status());
  };

  EXPECT_EQ(refusal(99, 0, ""), "ID_INVALID");
  EXPECT_EQ(refusal(101, 99, ""), "EVENT_TYPE_INVALID");
  EXPECT_EQ(refusal(101, v1::LIFECYCLE_EVENT_TYPE_INTERFACE_ADDED, ""), "INTERFACE_INVALID");
  EXPECT_EQ(refusal(101, v1::LIFECYCLE_EVENT_TYPE_VNET_BOUND, "eth0"), "INTERFACE_INVALID");
  EXPECT_EQ(refusal(101, v1::LIFECYCLE_EVENT_TYPE_CONTAINER_STOPPED, "net0"), "INTERFACE_INVALID");
  EXPECT_EQ(refusal(101, v1::LIFECYCLE_EVENT_TYPE_INTERFACE_ADDED, "net31"), "");
}

}  // namespace
}  // namespace pvebus::container
