#include "sdk/service/page.h"

#include <string>

#include "absl/strings/str_format.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::service {
namespace {

google::protobuf::BytesValue Message(size_t bytes) {
  google::protobuf::BytesValue message;
  message.set_value(std::string(bytes, 'x'));
  return message;
}

TEST(PageTest, SizesHaveADefaultAndALimit) {
  EXPECT_EQ(*ParsePageSize(0), 100u);
  EXPECT_EQ(*ParsePageSize(1), 1u);
  EXPECT_EQ(*ParsePageSize(1000), 1000u);
  for (const int size : {-1, 1001}) {
    EXPECT_EQ(ErrorReason(ParsePageSize(size).status()), "PAGE_SIZE_INVALID");
    EXPECT_EQ(ErrorMetadata(ParsePageSize(size).status())["limit"], "1000");
  }
}

TEST(PageTest, ATokenIsNotCutInsideACharacter) {
  const absl::Status status = PageTokenInvalid(absl::StrFormat("%063d\xc3\xa4", 0));

  const std::string message(status.message());
  EXPECT_EQ(CleanUtf8(message, message.size()), message);
}

TEST(PageTest, APageEndsBeforeThreeMebibytes) {
  PageRoom room;

  for (int i = 0; i < 2; ++i) EXPECT_TRUE(room.Take(Message(size_t{1} << 20)));
  EXPECT_FALSE(room.Take(Message(size_t{1} << 20)));
}

TEST(PageTest, TheFirstOneHasRoomHoweverLargeItIs) {
  PageRoom room;

  EXPECT_TRUE(room.Take(Message(size_t{5} << 20)));
  EXPECT_FALSE(room.Take(Message(1)));
}

TEST(PageTest, AnEmptyOneIsTheFirstOneToo) {
  PageRoom room;

  EXPECT_TRUE(room.Take(Message(0)));
  EXPECT_FALSE(room.Take(Message(size_t{5} << 20)));
}

}  // namespace
}  // namespace pvebus::service
