#include "bus-service/rpc/page_token.h"

#include "gtest/gtest.h"
#include "pvebus/bus/v1/journal_service.pb.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

v1::ListEventsRequest RequestWith(const std::string& filter) {
  v1::ListEventsRequest request;
  request.set_filter(filter);
  return request;
}

TEST(PageTokenTest, ATokenIsThePositionItWasMadeOf) {
  for (const uint64_t position : {uint64_t{0}, uint64_t{1}, uint64_t{4711}, UINT64_MAX}) {
    const auto read = ReadPageToken(MakePageToken(position, RequestWith("a = b")), RequestWith("a = b"));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, position);
  }
}

TEST(PageTokenTest, TheTokenOfAnotherListIsNone) {
  const std::string token = MakePageToken(7, RequestWith("a = b"));

  EXPECT_EQ(ErrorReason(ReadPageToken(token, RequestWith("a = c")).status()), "PAGE_TOKEN_INVALID");
  EXPECT_EQ(ErrorReason(ReadPageToken(token, RequestWith("")).status()), "PAGE_TOKEN_INVALID");
}

TEST(PageTokenTest, WhatWasTamperedWithIsNone) {
  const std::string token = MakePageToken(7, RequestWith(""));
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '8' ? '9' : '8';
    // The position is no secret: another one reads as another place of the same list.
    const auto read = ReadPageToken(changed, RequestWith(""));
    EXPECT_EQ(read.ok(), i == 0) << changed;
  }
  for (const std::string garbage : {"", "-", "7", "7-", " 7-", "x", "07-", "+7-"}) {
    EXPECT_FALSE(ReadPageToken(garbage, RequestWith("")).ok()) << garbage;
    EXPECT_FALSE(ReadPageToken(garbage + token.substr(1), RequestWith("")).ok() && garbage != "7") << garbage;
  }
}

}  // namespace
}  // namespace pvebus::bus
