#define _GNU_SOURCE
#include "requests.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_LIMIT = 8192, MAC = SHA256_DIGEST_LENGTH };

static const char signed_names[] = "content-type;host;x-amz-date";

static void fail(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static void hex(const unsigned char digest[MAC], char out[2 * MAC + 1]) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < MAC; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * MAC] = 0;
}

static void sha256_hex(const char *bytes, size_t count, char out[2 * MAC + 1]) {
    unsigned char digest[MAC];
    SHA256((const unsigned char *)bytes, count, digest);
    hex(digest, out);
}

static void hmac(const void *key, size_t key_count, const char *text, unsigned char out[MAC]) {
    unsigned length = MAC;
    if (!HMAC(EVP_sha256(), key, (int)key_count, (const unsigned char *)text, strlen(text), out, &length))
        fail("HMAC failed");
}

// The signing key of the day (AWS's "derive a signing key").
static void derive(const struct signer *s, unsigned char out[MAC]) {
    char first[256], day[9];
    snprintf(day, sizeof day, "%.8s", s->date);
    if ((size_t)snprintf(first, sizeof first, "AWS4%s", s->secret) >= sizeof first) fail("secret too long");
    unsigned char a[MAC], b[MAC];
    hmac(first, strlen(first), day, a);
    hmac(a, MAC, s->region, b);
    hmac(b, MAC, "chime", a);
    hmac(a, MAC, "aws4_request", out);
}

static void signature(const struct signer *s, const unsigned char key[MAC], const char *body, char out[2 * MAC + 1]) {
    char digest[2 * MAC + 1], canonical[1024], to_sign[512];
    unsigned char mac[MAC];
    sha256_hex(body, strlen(body), digest);
    int count = snprintf(
        canonical, sizeof canonical,
        "POST\n/app-instance-users\n\ncontent-type:application/json\nhost:%s\nx-amz-date:%s\n\n%s\n%s", s->host,
        s->date, signed_names, digest);
    if (count >= (int)sizeof canonical) fail("canonical request too long");
    sha256_hex(canonical, (size_t)count, digest);
    snprintf(
        to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/chime/aws4_request\n%s", s->date, s->date, s->region,
        digest);
    hmac(key, MAC, to_sign, mac);
    hex(mac, out);
}

// Writes the body with the token of request number `index`.
static void fill(const char *template, unsigned seed, size_t index, char body[BODY_LIMIT]) {
    const char *at = strstr(template, "@TOKEN@");
    if (!at) fail("the body has no @TOKEN@");
    int count = snprintf(
        body, BODY_LIMIT, "%.*s%08x-0000-4000-8000-%012zx%s", (int)(at - template), template, seed, index, at + 7);
    if (count >= BODY_LIMIT) fail("body too long");
}

struct request *make_requests(const struct signer *s, unsigned seed, size_t count) {
    unsigned char key[MAC];
    derive(s, key);
    struct request *requests = calloc(count, sizeof *requests);
    if (!requests) fail("out of memory");
    for (size_t i = 0; i < count; i++) {
        char body[BODY_LIMIT], mac[2 * MAC + 1], *bytes;
        fill(s->body, seed, i, body);
        signature(s, key, body, mac);
        int length = asprintf(
            &bytes,
            "POST /app-instance-users HTTP/1.1\r\n"
            "Host: %s\r\n"
            "Accept-Encoding: identity\r\n"
            "Content-Type: application/json\r\n"
            "User-Agent: Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.2 "
            "md/pyimpl#CPython m/Z,N,e,D,b cfg/retry-mode#legacy Botocore/1.43.11\r\n"
            "X-Amz-Date: %s\r\n"
            "Authorization: AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/chime/aws4_request, SignedHeaders=%s, "
            "Signature=%s\r\n"
            "amz-sdk-invocation-id: %08x-0000-4000-8000-%012zx\r\n"
            "amz-sdk-request: attempt=1\r\n"
            "Content-Length: %zu\r\n"
            "\r\n"
            "%s",
            s->host, s->date, s->key_id, s->date, s->region, signed_names, mac, seed, i, strlen(body), body);
        if (length < 0) fail("out of memory");
        requests[i] = (struct request){bytes, (size_t)length};
    }
    return requests;
}
