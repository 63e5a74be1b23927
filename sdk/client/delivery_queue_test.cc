#include "sdk/client/delivery_queue.h"

#include "gtest/gtest.h"

namespace pvebus::client {
namespace {

std::unique_ptr<Work> MakeWork(uint64_t id, const std::string& key) {
  auto work = std::make_unique<Work>();
  work->delivery.set_delivery_id(id);
  work->delivery.mutable_event()->set_ordering_key(key);
  return work;
}

TEST(DeliveryQueueTest, OneKeyIsHandledOneAtATimeInOrder) {
  DeliveryQueue queue;
  for (uint64_t id = 1; id <= 3; ++id) queue.Add(MakeWork(id, "network"));

  for (uint64_t id = 1; id <= 3; ++id) {
    auto work = queue.Take();
    ASSERT_TRUE(work);
    EXPECT_EQ(work->delivery.delivery_id(), id);
    EXPECT_EQ(queue.Take(), nullptr) << "the key is busy";
    queue.Finish(*work);
  }
  EXPECT_FALSE(queue.HasReady());
}

TEST(DeliveryQueueTest, OtherKeysFlowOn) {
  DeliveryQueue queue;
  queue.Add(MakeWork(1, "network"));
  queue.Add(MakeWork(2, "network"));
  queue.Add(MakeWork(3, "migration"));

  auto first = queue.Take();
  auto second = queue.Take();

  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->delivery.delivery_id(), 1u);
  EXPECT_EQ(second->delivery.delivery_id(), 3u);
}

TEST(DeliveryQueueTest, DroppingKeepsTheKeysOfWhatRunsBusy) {
  DeliveryQueue queue;
  queue.Add(MakeWork(1, "network"));
  queue.Add(MakeWork(2, "network"));
  queue.Add(MakeWork(3, "migration"));
  auto running = queue.Take();

  EXPECT_EQ(queue.DropWaiting().size(), 2u);

  queue.Add(MakeWork(4, "network"));
  queue.Add(MakeWork(5, "migration"));
  auto other = queue.Take();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->delivery.delivery_id(), 5u);
  EXPECT_EQ(queue.Take(), nullptr) << "the first network event still runs";
  queue.Finish(*running);
  auto next = queue.Take();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->delivery.delivery_id(), 4u);
}

}  // namespace
}  // namespace pvebus::client
