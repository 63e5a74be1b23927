#include "bus-service/core/names.h"

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

TEST(NamesTest, AListenerIsNamedAsTheContractSays) {
  for (const char* good : {"a", "a1", "a-", "storage-hooks", "a0123456789"}) EXPECT_TRUE(CheckName("f", good).ok()) << good;
  for (const char* bad : {"", "A", "1", "-", "a_", "a.", "a b", "ab\n", "ü"}) {
    EXPECT_EQ(ErrorReason(CheckName("f", bad)), "NAME_INVALID") << bad;
    EXPECT_EQ(ErrorMetadata(CheckName("f", bad))["field"], "f");
  }
}

TEST(NamesTest, ATextWithAZeroInItIsNoId) {
  EXPECT_FALSE(CheckEventId("f", std::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(CheckRequestId("f", std::string_view("a\0b", 3)).ok());
}

TEST(NamesTest, RequestIdsMayHaveASlashAndEventIdsMayNot) {
  EXPECT_TRUE(CheckRequestId("f", "node/1").ok());
  EXPECT_FALSE(CheckEventId("f", "node/1").ok());
}

TEST(NamesTest, ALengthIsCheckedInBytes) {
  EXPECT_TRUE(CheckLength("f", "ää", 4).ok());
  EXPECT_EQ(ErrorReason(CheckLength("f", "ää", 3)), "FIELD_INVALID");
}

}  // namespace
}  // namespace pvebus::bus
