#include "storage-service/rpc/storage_event_logger.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LinesLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

TEST(StorageEventLoggerTest, StorageVlanIsLoggedWithTheStorage) {
  LinesLogger logger;
  bus::v1::Delivery delivery;
  delivery.mutable_event()->set_event_id("e1");
  delivery.mutable_event()->mutable_storage_vlan_created()->set_id("nas");

  const hooks::HookOutcome outcome = StorageEventLogger(logger).run(client::EventContext(delivery, nullptr, {}), {});

  EXPECT_EQ(outcome.state, bus::v1::HOOK_STATE_UNCHANGED);
  EXPECT_EQ(outcome.resource, "storage/nas");
  EXPECT_THAT(logger.lines, ElementsAre(HasSubstr("storage=nas")));
}

TEST(StorageEventLoggerTest, DryRunIsAnsweredAsOne) {
  LinesLogger logger;
  bus::v1::Delivery delivery;
  delivery.set_dry_run(true);

  EXPECT_EQ(StorageEventLogger(logger).run(client::EventContext(delivery, nullptr, {}), {}).state, bus::v1::HOOK_STATE_DRY_RUN);
}

}  // namespace
}  // namespace pvebus::storage
