// glibc 2.30. What is GNU's own is hidden from Swift's Glibc module, which is compiled without _GNU_SOURCE.
#pragma once
#include <semaphore.h>
#include <time.h>

extern int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline);

// sem_clockwait with the clock that nobody sets.
static inline int gh_sem_wait_until(sem_t *semaphore, const struct timespec *deadline) {
  return sem_clockwait(semaphore, CLOCK_MONOTONIC, deadline);
}
