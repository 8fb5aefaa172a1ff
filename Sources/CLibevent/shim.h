// libevent 2.1: loops, timers, signals and asynchronous DNS. Macros that Swift cannot import
// are functions here; names keep libevent's vocabulary.
#pragma once
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
