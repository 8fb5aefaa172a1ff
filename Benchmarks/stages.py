"""Which functions of the gateway are what in the table of a request's costs: to be edited as the code changes."""

# Threads, each told by a function that runs again and again on it and on no other.
THREADS = {
    "loop": r"Transport\.ServerConnection\.",
    "journal": r"AuditStore\.(JournalWriter|SegmentWriter)\.",
    "index": r"AuditIndex\.(JournalIndex|IndexFeeder)\.",
}

# Stages of the loop, by the demangled names of the functions they begin with. A stage's costs are those of these
# functions and of what they call, down to the functions of other stages. Of two that match, the first counts. Each has
# to be found, but for those in `OFTEN_INLINED`: the optimiser may have put these into their caller, `serve`.
STAGES = {
    "read and parse": r"HTTPWire\.(RequestParser|RequestReader)\.",
    "begin": r"Gateway\.Worker\.begin\(",
    "limit source": r"Gateway\.Worker\.limitSource\(",
    "identify": r"Gateway\.Worker\.identify\(",
    "authenticate": r"Gateway\.Worker\.authenticate\(",
    "confine": r"Gateway\.Worker\.confine\(",
    "admit": r"Gateway\.Worker\.admit\(",
    "validate": r"Gateway\.Worker\.validate\(",
    "decide": r"Gateway\.Worker\.decide\(",
    "join repeat": r"Gateway\.Worker\.joinRepeat\(",
    "await turn": r"Gateway\.Worker\.awaitTurn\(",
    "record intent": r"Gateway\.Worker\.recordIntent\(",
    "outbound": r"Gateway\.Worker\.outbound\(",
    "exchange": r"Transport\.UpstreamPool\.exchange\(|Transport\.PooledConnection\.|HTTPWire\.(ResponseParser|ResponseReader)\.",
    "forward": r"Gateway\.Worker\.forward\(",
    "conclude": r"Gateway\.Worker\.conclude\(",
    "reply": r"Transport\.ServerConnection\.(write|send|answer)",
    "serve": r"Gateway\.Worker\.(serve|reply)\(|Transport\.ServerConnection\.",
    "ticks": r"Transport\.EventLoop\.tick\(",
    "event loop": r"Transport\.EventLoop\.|libevent",
}
OFTEN_INLINED = {"begin", "limit source", "identify", "confine", "admit", "validate", "decide", "join repeat", "reply", "outbound", "await turn", "read and parse"}
# What happens now and then, however many requests there are: shown, but no request's.
TIMED = "ticks"
