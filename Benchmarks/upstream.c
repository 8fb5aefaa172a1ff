// A fixed-answer upstream: one thread, epoll, keep-alive. Prints its port, then answers every request with
// the same 201 until SIGTERM. It reads just enough HTTP to know where a request ends, so that what is
// measured is the proxy in front of it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 16384, EVENTS = 256 };

struct connection {
    int fd;
    size_t count;
    char bytes[BUFFER];
};

static const char answer[] =
    "HTTP/1.1 201 Created\r\n"
    "Date: Mon, 23 Nov 2026 13:00:00 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 132\r\n"
    "x-amzn-RequestId: 3b1f9c1e-52b4-4a8e-9d0c-0f6f2f0f7a11\r\n"
    "\r\n"
    "{\"AppInstanceUserArn\":\"arn:aws:chime:us-east-1:123456789012:app-instance/"
    "00000000-0000-4000-8000-000000000000/user/bench-user-0001\"}";

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_anywhere(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024)
        || getsockname(fd, (struct sockaddr *)&address, &length))
        die("upstream: listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

// The length of the first whole request in the buffer, or 0.
static size_t request_length(struct connection *c) {
    char *end = memmem(c->bytes, c->count, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - c->bytes) + 4, body = 0;
    for (char *line = c->bytes; line < end; line = memchr(line, '\n', (size_t)(end + 2 - line)) + 1) {
        if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
        if (!strncasecmp(line, "transfer-encoding:", 18)) {
            fputs("upstream: a chunked request, which the benchmark does not send\n", stderr);
            exit(1);
        }
    }
    return head + body <= c->count ? head + body : 0;
}

// Answers what is in the buffer. Returns 0 when the connection must be closed.
static int serve(struct connection *c) {
    size_t done;
    while ((done = request_length(c))) {
        if (send(c->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) != sizeof answer - 1) return 0;
        memmove(c->bytes, c->bytes + done, c->count - done);
        c->count -= done;
    }
    return c->count < BUFFER;
}

static int receive(struct connection *c) {
    ssize_t count = recv(c->fd, c->bytes + c->count, BUFFER - c->count, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    c->count += (size_t)count;
    return serve(c);
}

static void accept_all(int listener, int poll) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *c = malloc(sizeof *c);
        if (!c) die("upstream: malloc");
        c->fd = fd;
        c->count = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) die("upstream: epoll_ctl");
    }
}

int main(void) {
    int listener = listen_anywhere(), poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event)) die("upstream: epoll");
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                accept_all(listener, poll);
            } else if (!receive(c)) {
                close(c->fd);
                free(c);
            }
        }
    }
}
