#include "sdk/base/utf8.h"

#include "gtest/gtest.h"

namespace pvebus {
namespace {

TEST(Utf8Test, ValidCharactersStay) {
  EXPECT_EQ(CleanUtf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 100), "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Utf8Test, EachInvalidByteIsReplaced) {
  EXPECT_EQ(CleanUtf8("a\xffz", 100), "a?z");
  EXPECT_EQ(CleanUtf8("\xc0\xaf", 100), "??") << "overlong";
  EXPECT_EQ(CleanUtf8("\xe0\x80\x80", 100), "???") << "overlong";
  EXPECT_EQ(CleanUtf8("\xed\xa0\x80", 100), "???") << "a surrogate";
  EXPECT_EQ(CleanUtf8("\xf4\x90\x80\x80", 100), "????") << "beyond U+10FFFF";
  EXPECT_EQ(CleanUtf8("x\xe2\x82", 100), "x??") << "cut off";
}

TEST(Utf8Test, TextIsCutAtACharacter) {
  EXPECT_EQ(CleanUtf8("abc", 2), "ab");
  EXPECT_EQ(CleanUtf8("a\xc3\xa4", 2), "a");
  EXPECT_EQ(CleanUtf8("a\xc3\xa4", 3), "a\xc3\xa4");
  EXPECT_EQ(CleanUtf8("abc", 0), "");
}

TEST(Utf8Test, EndOfATextIsCutAtACharacter) {
  EXPECT_EQ(CleanUtf8End("abc", 3), "abc");
  EXPECT_EQ(CleanUtf8End("abc", 2), "bc");
  EXPECT_EQ(CleanUtf8End("\xc3\xa4z", 2), "z");
  EXPECT_EQ(CleanUtf8End("\xc3\xa4z", 3), "\xc3\xa4z");
  EXPECT_EQ(CleanUtf8End("x\xff\xa4z", 3), "??z") << "bytes that are no character stay as such";
  EXPECT_EQ(CleanUtf8End("\xf0\x9f\x98\x80", 3), "");
  EXPECT_EQ(CleanUtf8End("abc", 0), "");
}

}  // namespace
}  // namespace pvebus
