#include "migration-service/rpc/migration_rpc.h"

#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "migration-service/core/testing_memory_migration_store.h"

namespace pvebus::migration {
namespace {

class MigrationRpcTest : public testing::Test {
 protected:
  MigrationRpcTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&rpc_);
    server_ = builder.BuildAndStart();
    stub_ = v1::MigrationService::NewStub(server_->InProcessChannel({}));
  }
  ~MigrationRpcTest() override { server_->Shutdown(); }

  v1::GetMigrationStatusResponse Status() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::GetMigrationStatusResponse response;
    const grpc::Status status = stub_->GetMigrationStatus(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  RealClock clock_;
  hooks::HookChain chain_{{}, clock_};
  MemoryMigrationStore store_;
  std::unique_ptr<MigrationState> state_ = *MigrationState::Load(store_);
  MigrationRpc rpc_{chain_, *state_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::MigrationService::Stub> stub_;
};

TEST_F(MigrationRpcTest, StatusBeforeTheFirstEventIsPerlOnly) {
  const v1::GetMigrationStatusResponse status = Status();

  EXPECT_EQ(status.phase(), event::v1::MIGRATION_PHASE_PERL_ONLY);
  EXPECT_FALSE(status.has_phase_time());
  EXPECT_EQ(status.applied_transaction_count(), 0u);
}

TEST_F(MigrationRpcTest, StatusTellsPhaseAndTransactions) {
  const PhaseOrder order{
      .to = Phase::kRustReadOnly, .event_id = "e1", .time = SystemTime(std::chrono::milliseconds(1'700'000'000'250))};
  ASSERT_TRUE(state_->Enter(order, {}).ok());
  ASSERT_TRUE(state_->CountTransaction("e2").ok());

  const v1::GetMigrationStatusResponse status = Status();

  EXPECT_EQ(status.phase(), event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  EXPECT_EQ(status.phase_time().seconds(), 1'700'000'000);
  EXPECT_EQ(status.phase_time().nanos(), 250'000'000);
  EXPECT_EQ(status.phase_event_id(), "e1");
  EXPECT_EQ(status.applied_transaction_count(), 1u);
  EXPECT_EQ(status.last_applied_event_id(), "e2");
}

}  // namespace
}  // namespace pvebus::migration
