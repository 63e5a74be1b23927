#include "container-service/core/guest_file.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = GuestLine::Kind;
using SectionKind = GuestSection::Kind;

GuestLine OnlyLine(std::string_view text) {
  const GuestFile file = ReadGuestFile(text);
  EXPECT_EQ(file.current.size(), 1u) << text;
  return file.current.empty() ? GuestLine() : file.current[0];
}

TEST(GuestFileTest, AValueIsAKeyAColonAndTheRestWithoutBlanksAround) {
  for (const char* text : {"net0: a=b c", "net0:a=b c", "net0: \t a=b c \t\r", "\n \t\n\r\nnet0: a=b c\n"}) {
    const GuestLine line = OnlyLine(text);

    EXPECT_EQ(line.kind, Kind::kValue) << text;
    EXPECT_EQ(line.key, "net0") << text;
    EXPECT_EQ(line.value, "a=b c") << text;
  }
  EXPECT_EQ(OnlyLine("\n\n  \nmp0: x").line, 4u);
  EXPECT_EQ(OnlyLine("startup: order=1:2").value, "order=1:2");
  EXPECT_EQ(OnlyLine("hostname:").value, "");
}

TEST(GuestFileTest, AKeyIsLowerCaseLettersThenDigitsAtTheStartOfTheLine) {
  for (const char* text : {" net0: x", "\tnet0: x", "Net0: x", "net0 : x", "net-0: x", "net0a: x", "_net: x", "0net: x", ": x",
                           "net0", "net0=x", "\xef\xbb\xbfnet0: x", "lxc.: x", "lxc.Net: x", "lxc.a b: x", "lxc.a : x"}) {
    EXPECT_EQ(OnlyLine(text).kind, Kind::kOther) << text;
    EXPECT_EQ(OnlyLine(text).key, text);
  }
}

TEST(GuestFileTest, RawLinesHaveAColonOrAnEqualsSign) {
  for (const char* text : {"lxc.cgroup2.devices.allow: c 226:0 rwm", "lxc.cgroup2.devices.allow = c 226:0 rwm",
                           "lxc.cgroup2.devices.allow=c 226:0 rwm", "lxc.cgroup2.devices.allow  =  c 226:0 rwm \r"}) {
    const GuestLine line = OnlyLine(text);

    EXPECT_EQ(line.kind, Kind::kRawLxc) << text;
    EXPECT_EQ(line.key, "lxc.cgroup2.devices.allow") << text;
    EXPECT_EQ(line.value, "c 226:0 rwm") << text;
  }
  EXPECT_EQ(OnlyLine("lxc.cap.drop:").value, "");
  EXPECT_EQ(OnlyLine("lxc.net.0.flags=a=b").value, "a=b");
}

TEST(GuestFileTest, CommentsAndTheKeyDescriptionAreTheDescription) {
  const GuestFile file = ReadGuestFile("# one\nnet0: x\n#%C3%A9\ndescription: three\n#\n");

  EXPECT_THAT(file.description, ElementsAre(" one", "%C3%A9", "three", ""));
  EXPECT_EQ(file.current.size(), 1u);
}

TEST(GuestFileTest, SectionsEndTheCurrentValues) {
  const GuestFile file = ReadGuestFile(
      "net0: x\n\n[pve:pending]\n# new text\nmemory: 1\nlxc.a: b\n\n[snap_1]\n# old\nnet1: y\n[Vzdump-2]  \r\n[a]\n[x "
      "y]\n[x\nnet2: z\n");

  EXPECT_EQ(file.current.size(), 1u);
  EXPECT_THAT(file.description, IsEmpty());
  ASSERT_EQ(file.sections.size(), 6u);
  EXPECT_EQ(file.sections[0].kind, SectionKind::kPending);
  EXPECT_EQ(file.sections[0].line, 3u);
  ASSERT_EQ(file.sections[0].lines.size(), 3u);
  EXPECT_EQ(file.sections[0].lines[0].key, "description");
  EXPECT_EQ(file.sections[0].lines[1].key, "memory");
  EXPECT_EQ(file.sections[0].lines[2].key, "lxc.a");
  EXPECT_EQ(file.sections[1].kind, SectionKind::kSnapshot);
  EXPECT_EQ(file.sections[1].name, "snap_1");
  EXPECT_THAT(file.sections[1].lines, IsEmpty());
  EXPECT_EQ(file.sections[2].name, "Vzdump-2");
  for (size_t i = 3; i < 6; ++i) EXPECT_EQ(file.sections[i].kind, SectionKind::kUnknown) << i;
  EXPECT_EQ(file.sections[4].name, "[x y]");
}

TEST(GuestFileTest, CaseDoesNotCountInTheNameOfThePendingSection) {
  EXPECT_EQ(ReadGuestFile("[PVE:Pending]").sections[0].kind, SectionKind::kPending);
  EXPECT_EQ(ReadGuestFile("[pve:pendings]").sections[0].kind, SectionKind::kUnknown);
  EXPECT_EQ(ReadGuestFile("[]").sections[0].kind, SectionKind::kUnknown);
  EXPECT_EQ(ReadGuestFile("[").sections[0].kind, SectionKind::kUnknown);
}

TEST(GuestFileTest, AListIsSplitAtCommaSemicolonAndBlank) {
  EXPECT_THAT(SplitList(" a,b;c d\t,, e\r"), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(SplitList(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
  EXPECT_THAT(SplitList(" ,; "), IsEmpty());
}

}  // namespace
}  // namespace pvebus::container
