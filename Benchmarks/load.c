// Keeps N connections busy with signed requests, one outstanding request each, and checks every answer.
//
// Prints one JSON object: requests per second, latencies, and the CPU time that the processes named with
// --pids (with all their threads, user and system) spent between the first measured answer and the last.
#define _GNU_SOURCE
#include "requests.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 8192, EVENTS = 512 };

struct options {
    int port, connections, idle, print, steps, waves, tls;
    size_t requests, warmup;
    unsigned seed;
    const char *pids;
    struct signer signer;
};

struct connection {
    int fd;
    SSL *tls;    // NULL without --tls
    size_t count;
    uint64_t sent_at;
    char bytes[BUFFER];
};

struct run {
    struct options options;
    struct request *requests;
    size_t sent, answered;
    uint32_t *latencies;    // nanoseconds, of the measured answers
    uint64_t started, ended, cpu_started, cpu_ended;
};

static void fail(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Nanoseconds on a CPU of all threads of one process (the first number of schedstat).
static uint64_t cpu_of(long pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) fail(path);
    uint64_t sum = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.') continue;
        char file[384];
        snprintf(file, sizeof file, "/proc/%ld/task/%s/schedstat", pid, entry->d_name);
        FILE *stat = fopen(file, "r");
        unsigned long long spent;
        if (!stat || fscanf(stat, "%llu", &spent) != 1) fail(file);
        sum += spent;
        fclose(stat);
    }
    closedir(tasks);
    return sum;
}

static uint64_t cpu_of_all(const char *pids) {
    uint64_t sum = 0;
    for (const char *at = pids; at && *at;) {
        char *end;
        sum += cpu_of(strtol(at, &end, 10));
        at = *end == ',' ? end + 1 : end;
    }
    return sum;
}

static int open_connection(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// Takes whatever certificate there is: it is the benchmark's own, on the loopback.
static SSL *shake_hands(int fd) {
    static SSL_CTX *context;
    if (!context && !(context = SSL_CTX_new(TLS_client_method()))) fail("SSL_CTX_new");
    SSL *tls = SSL_new(context);
    errno = 0;
    if (!tls || !SSL_set_fd(tls, fd) || SSL_connect(tls) != 1) fail("the TLS handshake failed");
    if (fcntl(fd, F_SETFL, O_NONBLOCK)) fail("fcntl");
    return tls;
}

static void open_into(struct connection *c, const struct options *o) {
    c->fd = open_connection(o->port);
    c->tls = o->tls ? shake_hands(c->fd) : NULL;
}

static void send_next(struct run *run, struct connection *c) {
    const struct request *request = &run->requests[run->sent++];
    c->count = 0;
    c->sent_at = now();
    ssize_t count = c->tls ? SSL_write(c->tls, request->bytes, (int)request->count)
                           : send(c->fd, request->bytes, request->count, MSG_NOSIGNAL);
    if (count != (ssize_t)request->count) fail("send");
}

// Whether the answer is whole. Anything but a 201 on a connection that stays open ends the run: numbers of
// requests that were refused would mean nothing.
static int is_whole(struct connection *c) {
    char *end = memmem(c->bytes, c->count, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - c->bytes) + 4, body = SIZE_MAX;
    for (char *line = c->bytes; line < end; line = memchr(line, '\n', (size_t)(end + 2 - line)) + 1)
        if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
    errno = 0;
    if (strncmp(c->bytes, "HTTP/1.1 201 ", 13) || body == SIZE_MAX) {
        fprintf(stderr, "load: not a 201 with a length:\n%.*s\n", (int)c->count, c->bytes);
        exit(1);
    }
    if (c->count > head + body) fail("more bytes than the answer has");
    return c->count == head + body;
}

static int receive_tls(struct connection *c) {
    int count;
    while ((count = SSL_read(c->tls, c->bytes + c->count, (int)(BUFFER - c->count))) > 0) {
        c->count += (size_t)count;
        if (is_whole(c)) return 1;
    }
    errno = 0;
    if (SSL_get_error(c->tls, count) != SSL_ERROR_WANT_READ) fail("the TLS connection ended in the middle of an answer");
    return 0;
}

// Reads what has come. Returns whether the answer is whole.
static int receive(struct connection *c) {
    if (c->count == BUFFER) fail("an answer larger than the buffer");
    if (c->tls) return receive_tls(c);
    ssize_t count = recv(c->fd, c->bytes + c->count, BUFFER - c->count, 0);
    if (count <= 0) {
        if (count == 0) errno = 0;
        fail("the connection was closed in the middle of an answer");
    }
    c->count += (size_t)count;
    return is_whole(c);
}

static void note_answer(struct run *run, struct connection *c) {
    const struct options *o = &run->options;
    size_t index = run->answered++;
    if (index >= o->warmup && index < o->warmup + o->requests) {
        uint64_t time = now();
        run->latencies[index - o->warmup] = (uint32_t)(time - c->sent_at);
        run->ended = time;
    }
    if (run->answered == o->warmup) {
        run->cpu_started = cpu_of_all(o->pids);
        run->started = now();
    } else if (run->answered == o->warmup + o->requests) {
        run->cpu_ended = cpu_of_all(o->pids);
    }
}

struct table {
    int poll, count;
    struct connection *connections;
};

static struct table connect_all(const struct options *o) {
    struct table table = {epoll_create1(0), o->connections, calloc((size_t)o->connections, sizeof(struct connection))};
    if (table.poll < 0 || !table.connections) fail("set-up");
    for (int i = 0; i < table.count; i++) {
        struct connection *c = &table.connections[i];
        open_into(c, o);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(table.poll, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl");
    }
    return table;
}

// Sends one request on each connection, as long as fewer than `limit` were sent.
static void send_on_all(struct run *run, struct table *table, size_t limit) {
    for (int i = 0; i < table->count && run->sent < limit; i++) send_next(run, &table->connections[i]);
}

// Plays until `answers` have come in all. Every answer lets its connection send the next request, or, with
// --waves, the last answer of a wave lets all connections send theirs.
static void play_until(struct run *run, struct table *table, size_t answers, size_t limit) {
    struct epoll_event events[EVENTS];
    send_on_all(run, table, limit);
    while (run->answered < answers) {
        int count = epoll_wait(table->poll, events, EVENTS, run->options.steps ? 120000 : 10000);
        if (count == 0) {
            errno = 0;
            fail("no answer for too long");
        }
        for (int i = 0; i < count && run->answered < answers; i++) {
            struct connection *c = events[i].data.ptr;
            if (!receive(c)) continue;
            note_answer(run, c);
            if (!run->options.waves) {
                if (run->sent < limit) send_next(run, c);
            } else if (run->answered == run->sent) {
                send_on_all(run, table, limit);
            }
        }
    }
}

// Plays warm-up and measured requests. The load keeps up until the last measured answer; with --steps there is
// a rest after the warm-up, until somebody writes a line, and not one request more than asked for.
static void play(struct run *run) {
    const struct options *o = &run->options;
    size_t total = o->warmup + o->requests;
    struct table table = connect_all(o);
    if (!o->steps) return play_until(run, &table, total, total + (size_t)o->connections);
    play_until(run, &table, o->warmup, o->warmup);
    printf("{\"warm\":%zu}\n", o->warmup);
    fflush(stdout);
    if (getchar() == EOF) exit(0);
    play_until(run, &table, total, total);
}

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void report(struct run *run) {
    size_t count = run->options.requests;
    qsort(run->latencies, count, sizeof *run->latencies, ascending);
    double seconds = (double)(run->ended - run->started) / 1e9;
    printf(
        "{\"requests\":%zu,\"seconds\":%.3f,\"perSecond\":%.1f,\"p50us\":%.1f,\"p99us\":%.1f,\"cpuUs\":%.3f}\n", count,
        seconds, (double)count / seconds, run->latencies[count / 2] / 1e3, run->latencies[count * 99 / 100] / 1e3,
        (double)(run->cpu_ended - run->cpu_started) / 1e3 / (double)count);
}

// Opens connections that each get one answer and then stay open until standard input ends.
static void hold_idle(struct run *run) {
    const struct options *o = &run->options;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < o->idle; i++) {
        struct connection c = {0};
        open_into(&c, o);
        send_next(run, &c);
        while (!receive(&c)) continue;
    }
    printf("{\"idle\":%d}\n", o->idle);
    fflush(stdout);
    while (getchar() != EOF) continue;
}

static struct options parse(int argc, char **argv) {
    struct options o = {.requests = 1, .connections = 1};
    static const struct option known[] = {
        {"port", 1, 0, 'p'},   {"connections", 1, 0, 'c'}, {"requests", 1, 0, 'n'}, {"warmup", 1, 0, 'w'},
        {"seed", 1, 0, 's'},   {"pids", 1, 0, 'P'},        {"host", 1, 0, 'h'},     {"key-id", 1, 0, 'k'},
        {"secret", 1, 0, 'x'}, {"region", 1, 0, 'r'},      {"date", 1, 0, 'd'},     {"body", 1, 0, 'b'},
        {"idle", 1, 0, 'i'},   {"print", 0, 0, 'o'},       {"steps", 0, 0, 'S'},   {"waves", 0, 0, 'W'},
        {"tls", 0, 0, 't'},
        {0, 0, 0, 0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'p': o.port = atoi(optarg); break;
        case 'c': o.connections = atoi(optarg); break;
        case 'n': o.requests = strtoul(optarg, NULL, 10); break;
        case 'w': o.warmup = strtoul(optarg, NULL, 10); break;
        case 's': o.seed = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'P': o.pids = optarg; break;
        case 'h': o.signer.host = optarg; break;
        case 'k': o.signer.key_id = optarg; break;
        case 'x': o.signer.secret = optarg; break;
        case 'r': o.signer.region = optarg; break;
        case 'd': o.signer.date = optarg; break;
        case 'b': o.signer.body = optarg; break;
        case 'i': o.idle = atoi(optarg); break;
        case 'o': o.print = 1; break;
        case 'S': o.steps = 1; break;
        case 'W': o.waves = 1; break;
        case 't': o.tls = 1; break;
        default: exit(64);
        }
    }
    const struct signer *s = &o.signer;
    errno = 0;
    if (!s->host || !s->key_id || !s->secret || !s->region || !s->date || !s->body) fail("an option is missing");
    if (!o.warmup) o.warmup = 1;
    return o;
}

int main(int argc, char **argv) {
    struct run run = {.options = parse(argc, argv)};
    const struct options *o = &run.options;
    // Each connection has one request more under way when the last measured answer comes.
    size_t count = o->print ? 1 : o->idle ? (size_t)o->idle : o->warmup + o->requests + (size_t)o->connections;
    run.requests = make_requests(&o->signer, o->seed, count);
    if (o->print) {
        fwrite(run.requests[0].bytes, 1, run.requests[0].count, stdout);
    } else if (o->idle) {
        hold_idle(&run);
    } else {
        run.latencies = calloc(o->requests, sizeof *run.latencies);
        if (!run.latencies) fail("out of memory");
        play(&run);
        report(&run);
    }
    return 0;
}
