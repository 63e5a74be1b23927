#pragma once

#include <string>
#include <vector>

#include "cli/testing/fake_bus.h"
#include "cli/testing/run_in_test.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "pvebus/storage/v1/storage_service.pb.h"

namespace pvebus::cli {

// Commands against a storage-service that says what the test wants; the bus is nowhere.
class StorageFixture : public testing::Test {
 protected:
  RunOutcome Storage(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "storage");
    arguments.insert(arguments.end(), {"--storage", service_.address().c_str(), "--bus", "127.0.0.1:1"});
    return RunInTest(arguments);
  }

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
