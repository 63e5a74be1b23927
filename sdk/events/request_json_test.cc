#include "sdk/events/request_json.h"

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::events {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;

std::string ErrorOf(std::string_view json) {
  const auto request = RequestFromJson(json);
  if (request.ok()) return "no error";
  EXPECT_EQ(ErrorReason(request.status()), "EVENT_JSON_INVALID");
  return std::string(request.status().message());
}

TEST(RequestJsonTest, WhatIsPrintedIsReadAsTheSame) {
  EventRequest request{.request_id = "container-started/101/b-1/v7", .event = {}};
  request.event.mutable_container_started()->set_id(101);
  EXPECT_EQ(RequestToJson(request),
            R"({"request_id":"container-started/101/b-1/v7","event":{"event":"container_started","id":101}})");
  request.event.set_source("a \"quoted\" source");
  request.event.set_subject("101");
  request.event.set_ordering_key("container/101");

  const auto read = RequestFromJson(RequestToJson(request));

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->request_id, request.request_id);
  EXPECT_TRUE(MessageDifferencer::Equals(read->event, request.event)) << read->event.DebugString();
}

TEST(RequestJsonTest, WhatIsWrongIsNamed) {
  const std::string event = R"("event":{"event":"container_started","id":101})";
  EXPECT_THAT(ErrorOf(""), HasSubstr("not JSON"));
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("expected an object with request_id and event"));
  EXPECT_THAT(ErrorOf("{" + event + "}"), HasSubstr("request_id: missing"));
  EXPECT_THAT(ErrorOf(R"({"request_id":7,)" + event + "}"), HasSubstr("request_id: found"));
  for (const std::string& bad : {std::string(""), std::string("a b"), std::string(129, 'x')}) {
    EXPECT_THAT(ErrorOf(R"({"request_id":")" + bad + "\"," + event + "}"), HasSubstr("1..128 characters")) << bad;
  }
  EXPECT_THAT(ErrorOf(R"({"request_id":"r"})"), HasSubstr("event: missing"));
  EXPECT_THAT(ErrorOf(R"({"request_id":"r","event":{"event":"container_started","id":99}})"),
              HasSubstr("event: id: found the number 99"));
  EXPECT_THAT(ErrorOf(R"({"request_id":"r","event":7})"), HasSubstr("event: found the number 7"));
  EXPECT_THAT(ErrorOf(R"({"request_id":"r","subject":101,)" + event + "}"), HasSubstr("subject: found the number 101"));
  EXPECT_THAT(ErrorOf(R"({"request_id":"r","sujet":"101",)" + event + "}"), HasSubstr("did you mean 'subject'"));
  EXPECT_THAT(ErrorOf(R"({"request_id":"r","request_id":"s",)" + event + "}"), HasSubstr("twice"));
}

TEST(RequestJsonTest, DeepNestingIsRefusedAndHarmless) {
  const std::string deep(500'000, '[');

  EXPECT_THAT(ErrorOf(R"({"request_id":"r","event":)" + deep + std::string(500'000, ']') + "}"), HasSubstr("event: found"));
}

}  // namespace
}  // namespace pvebus::events
