// For ThreadSanitizer only. `Synchronization.Mutex` is taken by code that the compiler puts into the caller, which the
// sanitizer sees; but where two threads contend, by a function of the toolchain's libswiftSynchronization, which it does
// not see: it then reports races between two accesses that both held the mutex. This one takes the place of that function
// when the tests are linked, and does the same by means that are seen. It leaves no mark of a waiter, so nobody has to be
// woken.
#include <sched.h>
#include <stdint.h>

__attribute__((swiftcall)) void lock_slowly(uint32_t thread, __attribute__((swift_context)) _Atomic(uint32_t) *owner)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void lock_slowly(uint32_t thread, __attribute__((swift_context)) _Atomic(uint32_t) *owner) {
  uint32_t nobody = 0;
  while (!__c11_atomic_compare_exchange_strong(owner, &nobody, thread, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    nobody = 0;
    sched_yield();
  }
}
