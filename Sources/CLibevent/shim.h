// libevent 2.1: loops, timers and signals; and the Linux calls for sockets, wake-ups and memory that
// Swift's Glibc module does not show. Names keep the C vocabulary.
#pragma once
// Before libevent's headers, which define _GNU_SOURCE: glibc's types must look as Swift's Glibc module saw them.
#include <sys/types.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <elf.h>
#include <malloc.h>
#include <stdint.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/util.h>

/// accept4(2), which glibc declares only under _GNU_SOURCE.
extern int accept4(int, struct sockaddr *, socklen_t *, int);

static inline int gh_accept(int listener, struct sockaddr *peer, socklen_t *length) {
  return accept4(listener, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// dl_iterate_phdr(3) and its argument, which glibc declares only under _GNU_SOURCE.
struct gh_program {
  Elf64_Addr base;
  const char *name;
  const Elf64_Phdr *headers;
  Elf64_Half count;
};
extern int dl_iterate_phdr(int (*)(struct gh_program *, size_t, void *), void *)
    __asm__("dl_iterate_phdr");

/// A segment that is not writable is mapped from its file as it is; dropped pages come back from there. What is made
/// read-only after relocation is part of a writable segment.
static inline int gh_release_segments(struct gh_program *program, size_t size, void *context) {
  (void)size, (void)context;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  // The kernel's own library has no file.
  if (!program->name) return 0;
  for (Elf64_Half i = 0; i < program->count; i++) {
    const Elf64_Phdr *header = &program->headers[i];
    if (header->p_type != PT_LOAD || (header->p_flags & PF_W)) continue;
    uintptr_t start = (program->base + header->p_vaddr) & ~(page - 1);
    // Not the last page: a writable segment may begin on it.
    uintptr_t end = (program->base + header->p_vaddr + header->p_filesz) & ~(page - 1);
    if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}
static inline void gh_release_program_pages(void) { dl_iterate_phdr(gh_release_segments, NULL); }

static inline void gh_limit_heaps(int count) { mallopt(M_ARENA_MAX, count); }
static inline void gh_release_freed(void) { malloc_trim(0); }

static inline void gh_refuse_dumps(void) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static inline int gh_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
