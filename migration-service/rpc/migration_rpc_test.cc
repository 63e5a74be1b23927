#include "migration-service/rpc/migration_rpc.h"

#include <limits>
#include <memory>
#include <set>

#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "migration-service/rpc/testing_migration_parts.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::migration {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Stub = v1::MigrationService::Stub;

class FixedRouteMap final : public RouteMap {
 public:
  RouteMapUpdate Bring(Phase, const std::stop_token&) override { return {}; }
  RouteMapStatus status() const override { return now; }

  RouteMapStatus now{.path = "/etc/nginx/pvebus.map"};
};

class MigrationRpcTest : public testing::Test {
 protected:
  MigrationRpcTest() { Serve(nullptr); }
  ~MigrationRpcTest() override { server_->Shutdown(); }

  void Serve(const RouteMap* map) {
    if (server_) server_->Shutdown();
    rpc_ = std::make_unique<MigrationRpc>(parts_.chain, MigrationRpcParts{.state = *parts_.state,
                                                                          .store = parts_.store,
                                                                          .routes = routes_,
                                                                          .outcomes = parts_.window,
                                                                          .reports = reports_,
                                                                          .gates = parts_.gates,
                                                                          .setter = parts_.setter,
                                                                          .map = map,
                                                                          .changing = changing_,
                                                                          .reading = reading_});
    grpc::ServerBuilder builder;
    builder.RegisterService(rpc_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::MigrationService::NewStub(server_->InProcessChannel({}));
  }

  template <typename Request, typename Response>
  using Rpc = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Rpc<Request, Response> rpc, const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + client::kPatience);
    Response response;
    const absl::Status status = FromGrpcStatus(((*stub_).*rpc)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  v1::GetMigrationStatusResponse Status() {
    auto status = Call(&Stub::GetMigrationStatus, v1::GetMigrationStatusRequest());
    EXPECT_TRUE(status.ok()) << status.status();
    return std::move(status).value_or(v1::GetMigrationStatusResponse());
  }
  absl::StatusOr<v1::SetPhaseResponse> Set(event::v1::MigrationPhase phase, bool validate_only = false) {
    v1::SetPhaseRequest request;
    request.set_phase(phase);
    request.set_validate_only(validate_only);
    return Call(&Stub::SetPhase, request);
  }
  absl::StatusOr<v1::ResolveEndpointResponse> Resolve(const std::string& method, const std::string& path) {
    v1::ResolveEndpointRequest request;
    request.set_method(method);
    request.set_path(path);
    return Call(&Stub::ResolveEndpoint, request);
  }
  static v1::ReportOutcomeRequest ReportOf(v1::Implementation implementation, v1::CallResult result) {
    v1::ReportOutcomeRequest request;
    request.set_method("get");
    request.set_path("/api2/json/nodes/pve1/network/vmbr0");
    request.set_implementation(implementation);
    request.set_result(result);
    return request;
  }
  absl::StatusOr<v1::ReportOutcomeResponse> Report(const v1::ReportOutcomeRequest& request) {
    return Call(&Stub::ReportOutcome, request);
  }
  absl::StatusOr<v1::ListPhaseHistoryResponse> History(int page_size = 0, const std::string& page_token = "") {
    v1::ListPhaseHistoryRequest request;
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Call(&Stub::ListPhaseHistory, request);
  }

  MigrationTestParts parts_;
  int step_backs_ = 0;
  OutcomeReports reports_{*parts_.state, parts_.store, parts_.window, parts_.logger, [this] { ++step_backs_; }};
  const RouteTable routes_{{*ParseOverride("GET nodes/{node}/ceph/** perl")}, {}};
  ThreadPool changing_{2};
  ThreadPool reading_{2};
  std::unique_ptr<MigrationRpc> rpc_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Stub> stub_;
};

TEST_F(MigrationRpcTest, StatusOfANewServiceIsPerlOnly) {
  const auto status = Status();

  EXPECT_EQ(status.phase(), event::v1::MIGRATION_PHASE_PERL_ONLY);
  EXPECT_FALSE(status.has_phase_time());
  EXPECT_FALSE(status.has_last_change());
  EXPECT_EQ(status.phase_event_id(), "");
  EXPECT_EQ(status.next_phase(), event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  EXPECT_EQ(status.etag(), "0-perl-only");
  EXPECT_FALSE(status.has_route_map());
  EXPECT_THAT(status.gates(), IsEmpty());
}

TEST_F(MigrationRpcTest, StatusTellsTheLastChangeAndWhatWasCounted) {
  ASSERT_TRUE(*parts_.state->CountTransaction("t1"));
  ASSERT_TRUE(Set(event::v1::MIGRATION_PHASE_RUST_READ_ONLY).ok());
  ASSERT_TRUE(*parts_.state->CountTransaction("t2"));
  ASSERT_TRUE(Report(ReportOf(v1::IMPLEMENTATION_RUST, v1::CALL_RESULT_FAILED)).ok());

  const auto status = Status();

  EXPECT_EQ(status.phase(), event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  EXPECT_TRUE(status.has_phase_time());
  EXPECT_EQ(status.phase_event_id(), status.last_change().event_id());
  EXPECT_EQ(status.last_change().number(), 1u);
  EXPECT_EQ(status.last_change().applied_transaction_count(), 1u);
  EXPECT_EQ(status.applied_transaction_count(), 2u);
  EXPECT_EQ(status.phase_applied_transaction_count(), 1u);
  EXPECT_EQ(status.last_applied_event_id(), "t2");
  EXPECT_EQ(status.reported_count(), 1u);
  EXPECT_EQ(status.failed_count(), 1u);
  EXPECT_EQ(status.etag(), "1-rust-read-only");
}

TEST_F(MigrationRpcTest, LastPhaseHasNoNextOne) {
  parts_.Enter(Phase::kRustFull, "e1");

  EXPECT_EQ(Status().next_phase(), event::v1::MIGRATION_PHASE_UNSPECIFIED);
  EXPECT_TRUE(Status().last_change().forced());
}

TEST_F(MigrationRpcTest, StatusTellsHowTheRouteMapIs) {
  FixedRouteMap map;
  Serve(&map);
  EXPECT_EQ(Status().route_map().state(), v1::ROUTE_MAP_STATE_FAILED) << "it was not written yet";
  map.now.phase = Phase::kPerlOnly;
  EXPECT_EQ(Status().route_map().state(), v1::ROUTE_MAP_STATE_CURRENT);
  map.now.error = "nginx -t ended with 1: \xff";

  const auto failed = Status().route_map();

  EXPECT_EQ(failed.path(), "/etc/nginx/pvebus.map");
  EXPECT_EQ(failed.state(), v1::ROUTE_MAP_STATE_FAILED);
  EXPECT_EQ(failed.phase(), event::v1::MIGRATION_PHASE_PERL_ONLY);
  EXPECT_EQ(failed.message(), "nginx -t ended with 1: ?");
  Serve(nullptr);
}

TEST_F(MigrationRpcTest, SetPhaseTellsTheChangeAndHowTheListenersTookIt) {
  const auto response = Set(event::v1::MIGRATION_PHASE_RUST_READ_ONLY);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outcome(), v1::SET_PHASE_OUTCOME_CHANGED);
  EXPECT_EQ(response->change().from_phase(), event::v1::MIGRATION_PHASE_PERL_ONLY);
  EXPECT_EQ(response->change().to_phase(), event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  EXPECT_NE(response->change().requested_by(), "") << "the peer";
  EXPECT_EQ(response->result().listener_results(0).hook_results(0).hook(), "phase-tracker");
  EXPECT_EQ(response->etag(), Status().etag());
}

TEST_F(MigrationRpcTest, SetPhaseInForceIsUnchangedAndOnlyCheckingIsADryRun) {
  const auto unchanged = Set(event::v1::MIGRATION_PHASE_PERL_ONLY);
  const auto checked = Set(event::v1::MIGRATION_PHASE_RUST_READ_ONLY, true);

  ASSERT_TRUE(unchanged.ok()) << unchanged.status();
  EXPECT_EQ(unchanged->outcome(), v1::SET_PHASE_OUTCOME_UNCHANGED);
  EXPECT_FALSE(unchanged->has_change());
  EXPECT_FALSE(unchanged->has_result());
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->outcome(), v1::SET_PHASE_OUTCOME_DRY_RUN);
  EXPECT_FALSE(checked->has_change());
  EXPECT_EQ(checked->etag(), "0-perl-only");
}

TEST_F(MigrationRpcTest, SetPhaseRefusesWhatIsNone) {
  for (const int phase : {0, 7, -1}) {
    EXPECT_EQ(ErrorReason(Set(static_cast<event::v1::MigrationPhase>(phase)).status()), "PHASE_INVALID") << phase;
  }
  const auto jump = Set(event::v1::MIGRATION_PHASE_RUST_SDN);
  EXPECT_EQ(jump.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(jump.status()), "PHASE_JUMP");
}

TEST_F(MigrationRpcTest, RoutesFollowThePhase) {
  const auto before = Resolve("GET", "/api2/json/nodes/pve1/network?type=bridge");
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ(before->implementation(), v1::IMPLEMENTATION_PERL);
  EXPECT_EQ(before->rule(), "default");
  EXPECT_EQ(before->fallback(), v1::FALLBACK_POLICY_NONE);
  EXPECT_EQ(before->path(), "nodes/pve1/network");

  ASSERT_TRUE(Set(event::v1::MIGRATION_PHASE_RUST_READ_ONLY).ok());

  const auto read = Resolve("GET", "nodes/pve1/network");
  EXPECT_EQ(read->implementation(), v1::IMPLEMENTATION_RUST);
  EXPECT_EQ(read->rule(), "rust-read-only: reads");
  EXPECT_EQ(read->fallback(), v1::FALLBACK_POLICY_ALLOWED);
  EXPECT_EQ(TimeUtil::DurationToSeconds(read->timeout()), 30);
  EXPECT_EQ(read->phase(), event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  EXPECT_EQ(read->etag(), Status().etag());
  EXPECT_EQ(Resolve("PUT", "nodes/pve1/network")->implementation(), v1::IMPLEMENTATION_PERL);
  EXPECT_EQ(Resolve("GET", "nodes/pve1/ceph/osd")->rule(), "override 1");
  parts_.Enter(Phase::kRustBasicWrite, "e2");
  EXPECT_EQ(Resolve("PUT", "nodes/pve1/network/vmbr0")->fallback(), v1::FALLBACK_POLICY_IF_NOT_SENT);
}

TEST_F(MigrationRpcTest, ResolveRefusesWhatIsNoCall) {
  EXPECT_EQ(ErrorReason(Resolve("", "nodes").status()), "METHOD_INVALID");
  EXPECT_EQ(ErrorReason(Resolve("GET /", "nodes").status()), "METHOD_INVALID");
  EXPECT_EQ(ErrorReason(Resolve("GET", "nodes/%zz").status()), "PATH_INVALID");
  EXPECT_EQ(ErrorReason(Resolve("GET", "../..").status()), "PATH_INVALID");
}

TEST_F(MigrationRpcTest, PathThatIsNoTextIsAnswered) {
  const auto route = Resolve("GET", "nodes/%ff/network");

  ASSERT_TRUE(route.ok()) << route.status();
  EXPECT_EQ(route->path(), "nodes/?/network");
}

TEST_F(MigrationRpcTest, ReportsAreCountedPerEndpoint) {
  v1::ReportOutcomeRequest report = ReportOf(v1::IMPLEMENTATION_RUST, v1::CALL_RESULT_SUCCEEDED);
  *report.mutable_latency() = TimeUtil::MillisecondsToDuration(10);
  ASSERT_TRUE(Report(report).ok());
  report.set_result(v1::CALL_RESULT_TIMED_OUT);
  *report.mutable_latency() = TimeUtil::MillisecondsToDuration(30);
  const auto counted = Report(report);
  ASSERT_TRUE(Report(ReportOf(v1::IMPLEMENTATION_PERL, v1::CALL_RESULT_FAILED)).ok());

  const auto outcomes = Call(&Stub::ListOutcomes, v1::ListOutcomesRequest());

  ASSERT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(counted->reported_count(), 2u);
  EXPECT_EQ(counted->failed_count(), 1u);
  ASSERT_TRUE(outcomes.ok()) << outcomes.status();
  ASSERT_THAT(outcomes->endpoints(), SizeIs(2));
  const auto& rust = outcomes->endpoints(0);
  EXPECT_EQ(rust.method(), "GET");
  EXPECT_EQ(rust.path(), "nodes/{}/network/{}");
  EXPECT_EQ(rust.implementation(), v1::IMPLEMENTATION_RUST);
  EXPECT_EQ(rust.reported_count(), 2u);
  EXPECT_EQ(rust.failed_count(), 1u);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(rust.mean_latency()), 20);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(rust.longest_latency()), 30);
  EXPECT_EQ(outcomes->endpoints(1).implementation(), v1::IMPLEMENTATION_PERL);
}

TEST_F(MigrationRpcTest, LatencyThatCannotBeIsNoReasonToFail) {
  v1::ReportOutcomeRequest report = ReportOf(v1::IMPLEMENTATION_RUST, v1::CALL_RESULT_SUCCEEDED);
  for (const int64_t seconds : {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), int64_t{-5},
                                std::numeric_limits<int64_t>::max()}) {
    report.mutable_latency()->set_seconds(seconds);
    ASSERT_TRUE(Report(report).ok()) << seconds;
  }

  const auto outcomes = Call(&Stub::ListOutcomes, v1::ListOutcomesRequest());

  ASSERT_TRUE(outcomes.ok()) << outcomes.status();
  EXPECT_GE(outcomes->endpoints(0).mean_latency().seconds(), 0);
  EXPECT_LE(TimeUtil::DurationToHours(outcomes->endpoints(0).longest_latency()), 24);
}

TEST_F(MigrationRpcTest, ReportsThatSayNothingAreRefused) {
  auto report = ReportOf(v1::IMPLEMENTATION_UNSPECIFIED, v1::CALL_RESULT_FAILED);
  EXPECT_EQ(ErrorReason(Report(report).status()), "IMPLEMENTATION_INVALID");
  report.set_implementation(static_cast<v1::Implementation>(9));
  EXPECT_EQ(ErrorReason(Report(report).status()), "IMPLEMENTATION_INVALID");
  report = ReportOf(v1::IMPLEMENTATION_RUST, v1::CALL_RESULT_UNSPECIFIED);
  EXPECT_EQ(ErrorReason(Report(report).status()), "RESULT_INVALID");
  report = ReportOf(v1::IMPLEMENTATION_RUST, v1::CALL_RESULT_FAILED);
  report.set_path("%");
  EXPECT_EQ(ErrorReason(Report(report).status()), "PATH_INVALID");
  report.set_method("");
  EXPECT_EQ(ErrorReason(Report(report).status()), "METHOD_INVALID");
  EXPECT_EQ(Status().reported_count(), 0u);
}

TEST_F(MigrationRpcTest, TooManyFailuresOrderAStepBack) {
  ASSERT_TRUE(Set(event::v1::MIGRATION_PHASE_RUST_READ_ONLY).ok());

  for (int i = 0; i < 6; ++i) ASSERT_TRUE(Report(ReportOf(v1::IMPLEMENTATION_RUST, v1::CALL_RESULT_FAILED)).ok());

  EXPECT_EQ(step_backs_, 1);
}

TEST_F(MigrationRpcTest, HistoryComesInPagesNewestFirst) {
  for (int i = 0; i < 5; ++i) {
    parts_.Enter(i % 2 == 0 ? Phase::kRustReadOnly : Phase::kPerlOnly, absl::StrFormat("e%d", i + 1));
  }
  std::vector<uint64_t> numbers;
  std::string token;
  int pages = 0;
  do {
    const auto page = History(2, token);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_LE(page->changes_size(), 2);
    for (const auto& change : page->changes()) numbers.push_back(change.number());
    token = page->next_page_token();
    ASSERT_LT(++pages, 10) << "it never ends";
  } while (!token.empty());

  EXPECT_THAT(numbers, ElementsAre(5, 4, 3, 2, 1));
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(History(5)->next_page_token(), "") << "a page that is just full is the last one";
}

TEST_F(MigrationRpcTest, HistoryGoesOnWhereThePageEndedAlsoWhenThePhaseChangesMeanwhile) {
  for (int i = 1; i <= 3; ++i) parts_.Enter(i % 2 == 1 ? Phase::kRustReadOnly : Phase::kPerlOnly, absl::StrFormat("e%d", i));
  const std::string token = History(2)->next_page_token();
  parts_.Enter(Phase::kPerlOnly, "e4");

  const auto page = History(2, token);

  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->changes(), SizeIs(1));
  EXPECT_EQ(page->changes(0).event_id(), "e1");
}

TEST_F(MigrationRpcTest, HistoryOfNothingIsEmpty) { EXPECT_THAT(History()->changes(), IsEmpty()); }

TEST_F(MigrationRpcTest, HistoryRefusesPagesThatAreNone) {
  for (const char* token : {"x", "0", "-1", "1.5", "18446744073709551616", " ", "1x"}) {
    EXPECT_EQ(ErrorReason(History(0, token).status()), "PAGE_TOKEN_INVALID") << token;
  }
  EXPECT_EQ(ErrorReason(History(-1).status()), "PAGE_SIZE_INVALID");
  EXPECT_EQ(ErrorReason(History(1001).status()), "PAGE_SIZE_INVALID");
}

TEST_F(MigrationRpcTest, HistoryThatTheDiskDoesNotGiveIsSaid) {
  parts_.store.FailNextRead(absl::DataLossError("migration.db is damaged"));

  EXPECT_EQ(History().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(MigrationRpcTest, HooksAndWhatTheyDidAreListed) {
  ASSERT_TRUE(Set(event::v1::MIGRATION_PHASE_RUST_READ_ONLY).ok());

  const auto hooks = Call(&Stub::ListHooks, v1::ListHooksRequest());
  const auto executions = Call(&Stub::ListHookExecutions, v1::ListHookExecutionsRequest());
  const auto statistics = Call(&Stub::GetHookStatistics, v1::GetHookStatisticsRequest());
  const auto cleared = Call(&Stub::ClearHookExecutions, v1::ClearHookExecutionsRequest());

  ASSERT_TRUE(hooks.ok()) << hooks.status();
  ASSERT_THAT(hooks->hooks(), SizeIs(2));
  EXPECT_EQ(hooks->hooks(0).name(), "phase-tracker");
  EXPECT_THAT(executions->executions(), SizeIs(2));
  EXPECT_THAT(statistics->statistics(), SizeIs(2));
  EXPECT_EQ(cleared->cleared_count(), 2u);
}

TEST(MigrationRpcGateTest, StatusAndSetTellTheGates) {
  MigrationTestParts parts({.min_transactions = 2, .quiet_listeners = {"storage-hooks"}});
  parts.registry.Set("storage-hooks", 0);
  const RouteTable routes({}, {});
  OutcomeReports reports(*parts.state, parts.store, parts.window, parts.logger, [] {});
  InlineExecutor executor;
  MigrationRpc rpc(parts.chain, {.state = *parts.state,
                                 .store = parts.store,
                                 .routes = routes,
                                 .outcomes = parts.window,
                                 .reports = reports,
                                 .gates = parts.gates,
                                 .setter = parts.setter,
                                 .map = nullptr,
                                 .changing = executor,
                                 .reading = executor});
  grpc::ServerBuilder builder;
  builder.RegisterService(&rpc);
  const auto server = builder.BuildAndStart();
  const auto stub = v1::MigrationService::NewStub(server->InProcessChannel({}));
  const auto set = [&](v1::SetPhaseResponse& response) {
    grpc::ClientContext context;
    v1::SetPhaseRequest request;
    request.set_phase(event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
    return FromGrpcStatus(stub->SetPhase(&context, request, &response));
  };
  grpc::ClientContext context;
  v1::GetMigrationStatusResponse status;
  v1::SetPhaseResponse response;

  ASSERT_TRUE(stub->GetMigrationStatus(&context, {}, &status).ok());
  const absl::Status closed = set(response);
  ASSERT_TRUE(*parts.state->CountTransaction("t1"));
  ASSERT_TRUE(*parts.state->CountTransaction("t2"));
  const absl::Status open = set(response);

  ASSERT_THAT(status.gates(), SizeIs(2));
  EXPECT_EQ(status.gates(0).gate(), "transactions");
  EXPECT_EQ(status.gates(0).state(), v1::GATE_STATE_CLOSED);
  EXPECT_EQ(status.gates(1).gate(), "dead-letters/storage-hooks");
  EXPECT_EQ(status.gates(1).state(), v1::GATE_STATE_OPEN);
  EXPECT_EQ(ErrorReason(closed), "GATES_CLOSED");
  ASSERT_TRUE(open.ok()) << open;
  ASSERT_THAT(response.gates(), SizeIs(2));
  EXPECT_EQ(response.gates(0).message(), "2 of 2 network transactions in this phase");
  server->Shutdown();
}

}  // namespace
}  // namespace pvebus::migration
