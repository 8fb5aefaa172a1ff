// libevent 2.1: loops, timers, signals and asynchronous DNS; and the Linux calls for sockets and wake-ups that Swift's
// Glibc module does not show. Names keep the C vocabulary.
#pragma once
// Before libevent's headers, which define _GNU_SOURCE: glibc's types must look as Swift's Glibc module saw them.
#include <sys/types.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <netdb.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

/// accept4(2), which glibc declares only under _GNU_SOURCE.
extern int accept4(int, struct sockaddr *, socklen_t *, int);

static inline int gh_accept(int listener, struct sockaddr *peer, socklen_t *length) {
  return accept4(listener, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline int gh_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
