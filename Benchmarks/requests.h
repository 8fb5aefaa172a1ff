// CreateAppInstanceUser requests as boto3 sends them, each with a ClientRequestToken and a signature of its own.
#pragma once
#include <stddef.h>

struct signer {
    const char *host;        // value of the Host field
    const char *key_id;
    const char *secret;
    const char *region;
    const char *date;        // YYYYMMDDTHHMMSSZ
    const char *body;        // JSON with @TOKEN@ where the 36 characters of the token belong
};

struct request {
    char *bytes;
    size_t count;
};

// Signs `count` requests (SigV4, service `chime`). Tokens begin with `seed`, so that runs do not repeat them.
// Exits with a message when something is wrong.
struct request *make_requests(const struct signer *signer, unsigned seed, size_t count);
