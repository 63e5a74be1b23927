#include "sdk/programs/stuck_programs.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

#include "gtest/gtest.h"
#include "sdk/programs/program_start.h"

namespace pvebus {
namespace {

TEST(StuckProgramsTest, WhatEndedLaterIsReaped) {
  auto program = StartProgram({.path = "/bin/sleep", .arguments = {"60"}});
  ASSERT_TRUE(program.ok()) << program.status();
  pollfd ended{dup(program->pidfd.get()), POLLIN, 0};
  const Fd kept(ended.fd);
  StuckPrograms stuck;
  siginfo_t info{};

  stuck.Add(std::move(program->pidfd));
  stuck.Reap();
  EXPECT_EQ(waitid(P_PIDFD, static_cast<id_t>(kept.get()), &info, WEXITED | WNOHANG), 0) << "it is still our child";
  kill(program->pid, SIGKILL);
  ASSERT_EQ(poll(&ended, 1, 10'000), 1) << "waited for the end of a killed program";
  stuck.Reap();

  EXPECT_EQ(waitid(P_PIDFD, static_cast<id_t>(kept.get()), &info, WEXITED | WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace pvebus
