#pragma once

#include <string>

#include "cli/testing/fake_bus.h"
#include "cli/testing/run_in_test.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace pvebus::cli {

// Commands against a service that says what the test wants.
class ServiceFixture : public testing::Test {
 protected:
  template <typename Message>
  static Message FromText(const std::string& text) {
    Message message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
    return message;
  }
  template <typename Message>
  static Message FromJson(const std::string& json) {
    Message message;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &message).ok()) << json;
    return message;
  }

  FakeBus service_;
};

}  // namespace pvebus::cli
