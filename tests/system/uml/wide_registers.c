// To be preloaded into User Mode Linux on a processor that has AMX. It keeps the registers of what runs in it in as many bytes as
// there are up to AVX-512, and a kernel with AMX takes all or nothing: it cannot set the registers of its first process.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

// Offset of the bits that say which parts of an XSAVE area count, and those of AMX.
static const size_t kPartsOffset = 512;
static const uint64_t kAmxParts = 3ULL << 17;

static long (*real_ptrace)(int request, pid_t pid, void* address, void* data);

__attribute__((constructor)) static void FindPtrace(void) { real_ptrace = dlsym(RTLD_NEXT, "ptrace"); }

// Of what the kernel takes and gives; 0: it does not say.
static size_t WideSize(pid_t pid, char* area, size_t size) {
  static size_t known;
  struct iovec wide = {area, size};
  if (known == 0 && real_ptrace(PTRACE_GETREGSET, pid, (void*)NT_X86_XSTATE, &wide) == 0) known = wide.iov_len;
  return known;
}

// With AMX as in a process that never used it. Not on the stack, which is small; there is one thread.
static long SetWide(pid_t pid, const struct iovec* narrow) {
  static char area[64 * 1024];
  struct iovec wide = {area, WideSize(pid, area, sizeof(area))};
  if (wide.iov_len <= narrow->iov_len) {
    errno = EFAULT;
    return -1;
  }
  memcpy(area, narrow->iov_base, narrow->iov_len);
  memset(area + narrow->iov_len, 0, wide.iov_len - narrow->iov_len);
  uint64_t parts = 0;
  memcpy(&parts, area + kPartsOffset, sizeof(parts));
  parts &= ~kAmxParts;
  memcpy(area + kPartsOffset, &parts, sizeof(parts));
  return real_ptrace(PTRACE_SETREGSET, pid, (void*)NT_X86_XSTATE, &wide);
}

long ptrace(enum __ptrace_request request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const pid_t pid = va_arg(arguments, pid_t);
  void* const address = va_arg(arguments, void*);
  void* const data = va_arg(arguments, void*);
  va_end(arguments);
  const long result = real_ptrace(request, pid, address, data);
  const int is_xstate = request == PTRACE_SETREGSET && address == (void*)NT_X86_XSTATE;
  return result != 0 && is_xstate && errno == EFAULT ? SetWide(pid, data) : result;
}
