#include "network-service/store/warnings_codec.h"

#include "gtest/gtest.h"

namespace pvebus::network {
namespace {

using Warnings = std::vector<std::string>;

TEST(WarningsCodecTest, AnyBytesComeBack) {
  for (const Warnings& warnings :
       {Warnings{}, Warnings{""}, Warnings{"", ""}, Warnings{"12:34", ":", "5"}, Warnings{std::string("\0\xff\n", 3), "ü"}}) {
    EXPECT_EQ(DecodeWarnings(EncodeWarnings(warnings)), warnings) << EncodeWarnings(warnings);
  }
}

TEST(WarningsCodecTest, WhatIsNoEncodingMeansNothing) {
  for (const char* bytes : {"x", "3", ":", ":abc", "3abc", "4:abc", "-1:abc", " 1:a", "1:a2:b", "1:a,", "99999999999999999999:a",
                            "18446744073709551615:a"}) {
    EXPECT_EQ(DecodeWarnings(bytes), std::nullopt) << bytes;
  }
}

}  // namespace
}  // namespace pvebus::network
