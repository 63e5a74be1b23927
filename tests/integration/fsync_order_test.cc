// The reply of Publish is written after fdatasync has returned: seen from outside, in the system calls of the real bus.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"

namespace pvebus::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kPatience = std::chrono::seconds(60);  // under strace, and sanitizers

// What `strace -f -y` says of one system call, in the order of its lines: a call that another thread interrupted has two.
struct Line {
  std::string thread;
  std::string call;
  std::string file;  // of the first argument, as -y shows it
  std::string text;
  bool begins = false;
  bool ends = false;
  bool succeeded = false;
};

Line ParseLine(const std::string& text) {
  Line line;
  line.text = text;
  std::istringstream words(text);
  std::string word;
  words >> line.thread >> word;
  if (word == "<...") {
    words >> line.call;
    line.ends = true;
  } else {
    const size_t arguments = word.find('(');
    line.call = word.substr(0, arguments);
    line.begins = arguments != std::string::npos;
    line.ends = !absl::StrContains(text, "<unfinished ...>");
    const size_t path = text.find('<');
    const size_t path_end = text.find('>', path);
    if (path_end != std::string::npos && path < text.find_first_of("\",")) line.file = text.substr(path + 1, path_end - path - 1);
  }
  const size_t result = text.rfind(" = ");
  line.succeeded = line.ends && result != std::string::npos && text[result + 3] != '-';
  return line;
}

bool IsSync(const Line& line) { return line.call == "fdatasync" || line.call == "fsync"; }

// Follows the event that carries `mark` through the trace. Empty when a file below `directory` into which it was written was
// synced, from a moment after the write and to the end, before the first byte that carries it went to a socket; else what is
// wrong.
std::string WhyNotDurable(const std::vector<Line>& trace, const std::string& directory, const std::string& mark) {
  std::set<std::string> written;
  std::set<std::string> syncing;  // threads whose sync began after the event was in that file
  bool synced = false;
  for (const Line& line : trace) {
    const bool carries = line.begins && absl::StrContains(line.text, mark);
    const bool stored = absl::StartsWith(line.file, directory);
    if (carries && stored) {
      written.insert(line.file);
    } else if (carries) {
      if (written.empty()) return absl::StrCat("the reply was sent before the event was written: ", line.text.substr(0, 200));
      if (!synced) return absl::StrCat("the reply was sent before fdatasync had returned: ", line.text.substr(0, 200));
      return "";
    } else if (IsSync(line)) {
      if (line.begins && written.contains(line.file)) syncing.insert(line.thread);
      if (line.ends && syncing.erase(line.thread) > 0 && line.succeeded) synced = true;
    }
  }
  return written.empty() ? "the event was never written" : "no reply was seen";
}

std::vector<Line> ParseTrace(std::istream& text) {
  std::vector<Line> trace;
  for (std::string line; std::getline(text, line);) trace.push_back(ParseLine(line));
  return trace;
}

std::string WhyNotDurable(const std::string& text) {
  std::istringstream stream(text);
  return WhyNotDurable(ParseTrace(stream), "/data/", "mark-1");
}

constexpr char kWrite[] = "11 pwrite64(5</data/journal.db-wal>, \"\\0\\1mark-1custom\", 8192, 56) = 8192\n";
constexpr char kSync[] = "11 fdatasync(5</data/journal.db-wal>) = 0\n";
constexpr char kSyncBegins[] = "11 fdatasync(5</data/journal.db-wal> <unfinished ...>\n";
constexpr char kSyncEnds[] = "11 <... fdatasync resumed>)          = 0 (DELAYED)\n";
constexpr char kReply[] = "12 sendmsg(9<socket:[7]>, {msg_iov=[{iov_base=\"\\n\\6mark-1\", iov_len=8}]}, 0) = 8\n";
constexpr char kOther[] = "12 sendmsg(9<socket:[7]>, {msg_iov=[{iov_base=\"mark-2\", iov_len=8}]}, 0) = 8\n";

TEST(FsyncOrderCheckTest, AcceptsAReplyAfterTheSync) {
  EXPECT_EQ(WhyNotDurable(absl::StrCat(kWrite, kOther, kSync, kReply)), "");
  EXPECT_EQ(WhyNotDurable(absl::StrCat(kWrite, kSyncBegins, kOther, kSyncEnds, kReply)), "");
}

TEST(FsyncOrderCheckTest, SeesAReplyThatDidNotWait) {
  constexpr char kEarly[] = "before fdatasync had returned";
  EXPECT_THAT(WhyNotDurable(absl::StrCat(kWrite, kReply, kSync)), HasSubstr(kEarly));
  EXPECT_THAT(WhyNotDurable(absl::StrCat(kWrite, kSyncBegins, kReply, kSyncEnds)), HasSubstr(kEarly));
  EXPECT_THAT(WhyNotDurable(absl::StrCat(kSync, kWrite, kReply)), HasSubstr(kEarly)) << "the sync came before the write";
  EXPECT_THAT(WhyNotDurable(absl::StrCat(kSyncBegins, "13 ", kWrite + 3, kSyncEnds, kReply)), HasSubstr(kEarly))
      << "the sync began before the write";
  EXPECT_THAT(
      WhyNotDurable(absl::StrCat(kWrite, "11 fdatasync(5</data/journal.db-wal>) = -1 EIO (Input/output error)\n", kReply)),
      HasSubstr(kEarly))
      << "the sync failed";
  EXPECT_THAT(WhyNotDurable(absl::StrCat(kWrite, "11 fdatasync(6</data/journal.db>) = 0\n", kReply)), HasSubstr(kEarly))
      << "another file was synced";
  EXPECT_THAT(WhyNotDurable(absl::StrCat(kReply, kWrite, kSync)), HasSubstr("before the event was written"));
  EXPECT_THAT(WhyNotDurable(absl::StrCat(kWrite, kSync)), HasSubstr("no reply was seen"));
}

std::string WhyNoTracing() {
  Process strace({"/usr/bin/strace", "-f", "-e", "trace=none", "/bin/true"});
  const auto code = strace.WaitExit(kPatience);
  return code == 0 ? "" : absl::StrFormat("strace ended with %d: %s", code.value_or(-1), strace.StandardError());
}

TEST(FsyncOrderTest, FdatasyncReturnsBeforeTheReplyOfPublishIsWritten) {
  if (!std::filesystem::exists("/usr/bin/strace")) {
    GTEST_SKIP() << "NOT PROVEN: fdatasync before the reply. There is no /usr/bin/strace: deploy/packages.sh --tests";
  }
  if (const std::string why = WhyNoTracing(); !why.empty()) {
    GTEST_SKIP() << "NOT PROVEN: fdatasync before the reply. The kernel does not let us trace: " << why;
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "pvebus-trace-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const std::string directory = std::filesystem::canonical(pattern).string();
  const std::string trace_file = directory + "/trace";
  // fdatasync takes 2 ms longer: a reply that does not wait for it is there first. LeakSanitizer cannot work under ptrace.
  Process traced({"/usr/bin/strace", "-f", "-y", "-s", "65536", "-o", trace_file, "-E", "ASAN_OPTIONS=detect_leaks=0", "-e",
                  "trace=execve,fdatasync,fsync,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg", "-e",
                  "inject=fdatasync,fsync:delay_enter=2000", ProgramPath("bus-service"), "--journal=sqlite", "--data-dir",
                  directory + "/bus", "--listen", "127.0.0.1:0"});
  const auto address = traced.WaitForLine("listening on ", kPatience);
  ASSERT_TRUE(address.ok()) << address.status();
  const auto bus = bus::v1::BusService::NewStub(SeparateChannel(*address));

  std::vector<std::string> marks;
  for (int i = 0; i < 50; ++i) {
    marks.push_back(absl::StrFormat("fsync-order-mark-%03d", i));
    auto request = RequestOf(CustomEvent("ordered"), bus::v1::WAIT_POLICY_DURABLE);
    request.mutable_event()->set_event_id(marks.back());
    const auto response = Call(&bus::v1::BusService::Stub::Publish, *bus, request, kPatience);
    ASSERT_TRUE(response.ok()) << response.status();
  }
  // strace ends with the bus, and then its file is complete.
  pid_t pid = 0;
  std::ifstream(trace_file) >> pid;
  ASSERT_GT(pid, 0);
  ASSERT_EQ(kill(pid, SIGTERM), 0);
  ASSERT_EQ(traced.WaitExit(kPatience), 0) << traced.StandardError();

  std::ifstream file(trace_file);
  const std::vector<Line> trace = ParseTrace(file);
  for (const std::string& mark : marks) EXPECT_THAT(WhyNotDurable(trace, directory + "/bus/", mark), IsEmpty()) << mark;
  if (!::testing::Test::HasFailure()) std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace pvebus::testing
