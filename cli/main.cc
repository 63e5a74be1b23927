#include <unistd.h>

#include <iostream>

#include "cli/command_line.h"

int main(int argc, char** argv) {
  pvebus::cli::Console console{std::cout, std::cerr, isatty(STDERR_FILENO) == 1};
  return pvebus::cli::RunPvebus(argc, argv, console);
}
