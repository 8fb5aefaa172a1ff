// glibc 2.30. What is GNU's own is hidden from Swift's Glibc module, which is compiled without _GNU_SOURCE.
#pragma once
#include <semaphore.h>
#include <spawn.h>
#include <time.h>
#include <fcntl.h>

extern int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline);

// sem_clockwait with the clock that nobody sets.
static inline int gh_sem_wait_until(sem_t *semaphore, const struct timespec *deadline) {
  return sem_clockwait(semaphore, CLOCK_MONOTONIC, deadline);
}

extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// What a program that is started must not have: descriptors from `from` on (glibc 2.34).
static inline int gh_spawn_close_from(posix_spawn_file_actions_t *actions, int from) {
  return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

extern int pipe2(int ends[2], int flags);

// A pipe that programs do not inherit.
static inline int gh_pipe_to_keep(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
