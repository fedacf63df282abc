/*
 * Preloaded into User Mode Linux. Its kernel (6.12) keeps 2696 bytes of a guest program's floating point state, which is all that
 * processors had before AMX. A host with AMX takes the state back only as a whole, 11008 bytes, so that the first program of the guest
 * would die ("Attempted to kill init"). The rest of the state is always empty: a guest program cannot ask for AMX.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { largest = 1 << 16, header = 512 };

/* User Mode Linux has one processor, and only it sets registers. What is behind the guest's part stays zero. */
static unsigned char whole[largest] __attribute__((aligned(64)));
static size_t host_size;

static long set_state(long pid, struct iovec *part) {
  if (!host_size) {
    struct iovec asked = {whole, largest};
    if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &asked) < 0) return -1;
    host_size = asked.iov_len;
    memset(whole, 0, largest);
  }
  if (part->iov_len >= host_size || part->iov_len < header + sizeof(uint64_t))
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, part);
  struct iovec all = {whole, host_size};
  memcpy(whole, part->iov_base, part->iov_len);
  /* Which components are not in their first state; 17 and 18 are AMX's. */
  *(uint64_t *)(whole + header) &= ~(UINT64_C(3) << 17);
  return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &all);
}

long ptrace(enum __ptrace_request request, ...) {
  va_list arguments;
  va_start(arguments, request);
  long pid = va_arg(arguments, pid_t);
  void *address = va_arg(arguments, void *);
  void *data = va_arg(arguments, void *);
  va_end(arguments);
  if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE) return set_state(pid, data);
  long word;
  /* What glibc makes of the system call: the word that was read is given back. */
  int peeks = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
  long result = syscall(SYS_ptrace, request, pid, address, peeks ? &word : data);
  return result < 0 || !peeks ? result : word;
}
