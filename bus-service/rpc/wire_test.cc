#include "bus-service/rpc/wire.h"

#include <chrono>

#include "bus-service/rpc/proto_writer.h"
#include "gtest/gtest.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

grpc::ByteBuffer Buffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status ErrorOf(const std::string& bytes) {
  v1::PublishRequest request;
  return ParseMessage(Buffer(bytes), request);
}

std::string Field(int number, const std::string& bytes) {
  std::string out;
  ProtoWriter(out).Bytes(number, bytes);
  return out;
}

// A PublishRequest whose custom event holds a list in a list in a list ... around `innermost`.
std::string NestedLists(int depth, const std::string& innermost) {
  std::string reversed = std::string(innermost.rbegin(), innermost.rend());
  const auto wrap = [&reversed](int number) {
    std::string header;
    ProtoWriter(header).Header(number, reversed.size());
    reversed.append(header.rbegin(), header.rend());
  };
  for (int i = 0; i < depth; ++i) {
    wrap(1);  // ListValue.values
    wrap(6);  // Value.list_value
  }
  wrap(2);   // the entry's value
  wrap(2);   // Custom.data
  wrap(24);  // SystemEvent.custom
  wrap(1);   // PublishRequest.event
  return std::string(reversed.rbegin(), reversed.rend());
}

TEST(WireTest, AMessageSurvivesTheWayThereAndBack) {
  v1::PublishRequest request;
  request.set_request_id("r1");
  request.mutable_event()->mutable_custom()->set_name("x");
  v1::PublishRequest parsed;

  ASSERT_TRUE(ParseMessage(SerializeMessage(request), parsed).ok());

  EXPECT_EQ(parsed.SerializeAsString(), request.SerializeAsString());
}

TEST(WireTest, NoBytesAreAnEmptyMessageAndEarlierContentIsGone) {
  v1::PublishRequest request;
  request.set_request_id("left over");
  EXPECT_TRUE(ParseMessage(grpc::ByteBuffer(), request).ok());
  EXPECT_TRUE(request.request_id().empty());
}

TEST(WireTest, AMessageInSeveralSlicesIsOneMessage) {
  v1::PublishRequest request;
  request.set_request_id(std::string(100, 'r'));
  const std::string bytes = request.SerializeAsString();
  grpc::Slice slices[] = {grpc::Slice(bytes.substr(0, 3)), grpc::Slice(bytes.substr(3, 50)), grpc::Slice(bytes.substr(53))};
  v1::PublishRequest parsed;

  ASSERT_TRUE(ParseMessage(grpc::ByteBuffer(slices, 3), parsed).ok());
  EXPECT_EQ(parsed.request_id(), request.request_id());
}

TEST(WireTest, BytesThatAreNoMessageAreRefusedNamingTheMessage) {
  for (const std::string& bytes : {std::string("\xff"), std::string("\x0a\x05x"), std::string(20, '\x80')}) {
    const absl::Status status = ErrorOf(bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ErrorReason(status), "REQUEST_MALFORMED");
    EXPECT_NE(std::string(status.message()).find("pvebus.bus.v1.PublishRequest"), std::string::npos) << status;
  }
}

TEST(WireTest, InvalidUtf8IsRefusedNamingTheField) {
  const std::string kBad = "a\xff";
  const struct {
    std::string bytes;
    std::string field;
  } kCases[] = {
      {Field(2, kBad), "request_id"},
      {Field(1, Field(5, kBad)), "event.subject"},
      {Field(1, Field(7, Field(1, kBad))), "event.attributes.key"},
      {Field(1, Field(7, Field(1, "k") + Field(2, kBad))), "event.attributes.value"},
      {Field(1, Field(24, Field(2, Field(1, "k") + Field(2, Field(3, kBad))))), "event.custom.data.value.string_value"},
      {Field(6, "good") + Field(6, kBad), "required_listeners"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = ErrorOf(c.bytes);
    EXPECT_EQ(ErrorReason(status), "REQUEST_MALFORMED");
    EXPECT_NE(std::string(status.message()).find(c.field + " is not valid UTF-8"), std::string::npos)
        << c.field << ": " << status;
  }
}

TEST(WireTest, WhatIsValidUtf8IsDecidedAsInTheStandard) {
  const auto& type = *v1::PublishRequest::descriptor();
  for (const char* valid :
       {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(FindInvalidUtf8(type, Field(2, valid)), "") << valid;
  }
  for (const char* invalid :
       {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe", "a\x80z"}) {
    EXPECT_EQ(FindInvalidUtf8(type, Field(2, invalid)), "request_id") << invalid;
  }
  EXPECT_EQ(FindInvalidUtf8(type, Field(99, "\xff")), "") << "nobody knows what field 99 is";
}

TEST(WireTest, ModerateNestingIsTaken) {
  EXPECT_TRUE(ErrorOf(NestedLists(20, "")).ok());
  const absl::Status status = ErrorOf(NestedLists(60, ""));
  EXPECT_EQ(ErrorReason(status), "REQUEST_MALFORMED");
  EXPECT_NE(std::string(status.message()).find("nest"), std::string::npos) << status;
}

TEST(WireTest, AMessageThatNestsAHundredThousandDeepCostsNobodyAnything) {
  const std::string bytes = NestedLists(100'000, "");
  ASSERT_GT(bytes.size(), 500'000u);
  const auto begin = std::chrono::steady_clock::now();

  const absl::Status status = ErrorOf(bytes);

  EXPECT_EQ(ErrorReason(status), "REQUEST_MALFORMED");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(WireTest, InvalidUtf8IsFoundBehindDeepNesting) {
  const std::string bytes = NestedLists(1000, "") + Field(2, "\xff");
  EXPECT_NE(std::string(ErrorOf(bytes).message()).find("request_id is not valid UTF-8"), std::string::npos);
}

TEST(WireTest, AMessageOfNothingButFieldsIsRefused) {
  std::string bytes;
  for (int i = 0; i < 600'000; ++i) bytes += std::string("\x32\x00", 2);  // required_listeners: ""
  const absl::Status status = ErrorOf(bytes);
  EXPECT_EQ(ErrorReason(status), "REQUEST_MALFORMED");
  EXPECT_NE(std::string(status.message()).find("fields"), std::string::npos);
}

}  // namespace
}  // namespace pvebus::bus
