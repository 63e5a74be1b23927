#include <unistd.h>

#include <iostream>

#include "cli/command_line.h"
#include "google/protobuf/stubs/logging.h"

int main(int argc, char** argv) {
  // What is wrong with an event is said once, by the bus.
  google::protobuf::SetLogHandler(nullptr);
  pvebus::cli::Console console{std::cout, std::cerr, isatty(STDERR_FILENO) == 1};
  return pvebus::cli::RunPvebus(argc, argv, console);
}
