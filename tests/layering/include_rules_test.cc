#include "tests/layering/include_rules.h"

#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::layering {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A small repository in a temporary folder.
class ExampleTree : public ::testing::Test {
 protected:
  ExampleTree() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / absl::StrCat("layering-", getpid(), "-", test->name());
    fs::create_directories(root_);
  }
  ~ExampleTree() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::vector<std::string> Found() const { return Violations(root_); }

 private:
  fs::path root_;
};

TEST(RepositoryTest, EveryIncludeFollowsTheDirection) {
  ASSERT_TRUE(fs::exists(fs::path(PVEBUS_SOURCE_DIR) / "sdk/base"));

  EXPECT_THAT(absl::StrJoin(Violations(PVEBUS_SOURCE_DIR), "\n"), IsEmpty());
}

TEST_F(ExampleTree, TheDirectionItselfIsAllowed) {
  Write("bus-service/main.cc", "#include \"bus-service/rpc/a.h\"\n#include \"bus-service/store/a.h\"\n#include <thread>\n");
  Write("bus-service/rpc/a.h", "#include \"bus-service/core/a.h\"\n#include \"grpcpp/grpcpp.h\"\n#include \"sdk/status/a.h\"\n");
  Write("bus-service/store/a.h", "#include \"bus-service/core/a.h\"\n#include <sqlite3.h>\n");
  Write("bus-service/core/a.h", "#include \"sdk/base/a.h\"\n#include \"absl/status/status.h\"\n#include <vector>\n");
  Write("bus-service/core/a_test.cc", "#include \"gtest/gtest.h\"\n#include \"tests/support/wait.h\"\n#include <thread>\n");
  Write("sdk/base/a.h", "#include <mutex>\n#include \"absl/status/status.h\"\n");
  Write("cli/main.cc", "#include \"sdk/client/a.h\"\n#include \"CLI/CLI.hpp\"\n#include \"storage-service/core/a.h\"\n");
  Write("storage-service/json/a.h", "#include \"storage-service/core/a.h\"\n#include <nlohmann/json.hpp>\n");
  Write("storage-service/rpc/a.h", "#include \"storage-service/json/a.h\"\n");
  Write("cli/a.cc", "#include \"storage-service/json/a.h\"\n");

  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(ExampleTree, TheFormOfACoresValuesKnowsNothingButTheCore) {
  Write("storage-service/json/a.h", "#include \"storage-service/rpc/a.h\"\n");
  Write("storage-service/core/a.h", "#include \"storage-service/json/a.h\"\n");

  EXPECT_THAT(Found(), ElementsAre(HasSubstr("core includes only its own core and sdk/base"),
                                   HasSubstr("store, host and rpc do not include each other")));
}

TEST_F(ExampleTree, AViolationIsNamedWithFileAndLine) {
  Write("bus-service/core/a.cc", "// A comment.\n#include \"grpcpp/grpcpp.h\"\n");

  EXPECT_THAT(Found(), ElementsAre(HasSubstr("bus-service/core/a.cc:2: grpcpp/grpcpp.h: core knows only")));
}

TEST_F(ExampleTree, GeneratedFoldersAreNotRead) {
  Write("build/dev/bus-service/core/a.cc", "#include \"grpcpp/grpcpp.h\"\n");
  Write("node_modules/sdk/base/a.h", "#include \"grpcpp/grpcpp.h\"\n");

  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(ExampleTree, AHeaderBesideTheFileIsNamedFromTheRoot) {
  Write("sdk/base/a.cc", "#include \"a.h\"\n");
  Write("sdk/base/a.h", "");
  Write("sdk/base/b.cc", "#include \"../base/a.h\"\n");

  EXPECT_THAT(Found(), ElementsAre(HasSubstr("sdk/base/a.cc:1: a.h:"), HasSubstr("sdk/base/b.cc:1: ../base/a.h: includes are")));
}

struct Forbidden {
  std::string file;
  std::string line;
};

class ForbiddenTest : public ExampleTree, public ::testing::WithParamInterface<Forbidden> {};

TEST_P(ForbiddenTest, IsFound) {
  Write(GetParam().file, GetParam().line);

  EXPECT_EQ(Found().size(), 1u) << GetParam().file << ": " << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(Seeded, ForbiddenTest,
                         ::testing::Values(Forbidden{"bus-service/core/a.cc", "#include <thread>"},
                                           Forbidden{"bus-service/core/a.cc", "#include <mutex>"},
                                           Forbidden{"bus-service/core/a.cc", "  # include <fstream>"},
                                           Forbidden{"bus-service/core/a.cc", "#include <sqlite3.h>"},
                                           Forbidden{"bus-service/core/a.cc", "#include <grpcpp/grpcpp.h>"},
                                           Forbidden{"bus-service/core/a.cc", "#include \"google/protobuf/any.pb.h\""},
                                           Forbidden{"bus-service/core/a.cc", "#include \"pvebus/event/v1/event.pb.h\""},
                                           Forbidden{"bus-service/core/a.cc", "#include \"sdk/client/listener.h\""},
                                           Forbidden{"bus-service/core/a.cc", "#include \"bus-service/rpc/a.h\""},
                                           Forbidden{"bus-service/core/a_test.cc", "#include \"grpcpp/grpcpp.h\""},
                                           Forbidden{"bus-service/rpc/a.cc", "#include \"bus-service/store/a.h\""},
                                           Forbidden{"bus-service/store/a.cc", "#include \"bus-service/rpc/a.h\""},
                                           Forbidden{"storage-service/host/a.cc", "#include \"storage-service/rpc/a.h\""},
                                           Forbidden{"storage-service/rpc/a.cc", "#include \"storage-service/flags.h\""},
                                           Forbidden{"storage-service/main.cc", "#include \"bus-service/core/a.h\""},
                                           Forbidden{"storage-service/main.cc", "#include \"tests/support/process.h\""},
                                           Forbidden{"sdk/client/a.cc", "#include \"bus-service/core/a.h\""},
                                           Forbidden{"sdk/base/a.cc", "#include \"sdk/client/a.h\""},
                                           Forbidden{"sdk/base/a.cc", "#include \"grpcpp/grpcpp.h\""},
                                           Forbidden{"sdk/client/a.cc", "#include \"cli/a.h\""},
                                           Forbidden{"cli/a.cc", "#include \"bus-service/core/a.h\""},
                                           Forbidden{"cli/a.cc", "#include \"storage-service/host/a.h\""},
                                           Forbidden{"cli/a.cc", "#include \"storage-service/rpc/a.h\""}));

}  // namespace
}  // namespace pvebus::layering
