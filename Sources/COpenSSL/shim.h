// OpenSSL 3.
//
// SHA-256 goes by the functions on SHA256_CTX. OpenSSL 3 calls them deprecated and offers EVP instead, whose contexts
// lie on the heap: fetching an algorithm costs more than hashing a request does, and each copy of a prepared HMAC state
// allocates. SHA256_CTX is a struct without pointers, to be copied by assignment, and the functions use the processor's
// SHA instructions as EVP's do.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stddef.h>
#include <string.h>

/// An HMAC-SHA-256 key with its two paddings hashed already (RFC 2104 section 4): a MAC under it costs half of
/// one that begins with the key. It is only copied from, so threads may share it.
typedef struct {
  SHA256_CTX inner, outer;
} gh_hmac_sha256_key;

/// SHA-256 of `length` bytes into `out` (32 bytes).
static inline void gh_sha256(const void *bytes, size_t length, unsigned char *out) {
  SHA256_CTX ctx;
  SHA256_Init(&ctx);
  SHA256_Update(&ctx, bytes, length);
  SHA256_Final(out, &ctx);
}

static inline void gh_hmac_sha256_key_init(gh_hmac_sha256_key *made, const void *key, size_t length) {
  unsigned char block[SHA256_CBLOCK] = {0};
  if (length > sizeof block) {
    gh_sha256(key, length, block);
  } else if (length) {
    memcpy(block, key, length);
  }
  for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
  SHA256_Init(&made->inner);
  SHA256_Update(&made->inner, block, sizeof block);
  for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
  SHA256_Init(&made->outer);
  SHA256_Update(&made->outer, block, sizeof block);
  OPENSSL_cleanse(block, sizeof block);
}

/// HMAC-SHA-256 of `length` bytes under `key` into `out` (32 bytes).
static inline void gh_hmac_sha256(
    const gh_hmac_sha256_key *key, const void *bytes, size_t length, unsigned char *out) {
  SHA256_CTX ctx = key->inner;
  SHA256_Update(&ctx, bytes, length);
  SHA256_Final(out, &ctx);
  ctx = key->outer;
  SHA256_Update(&ctx, out, 32);
  SHA256_Final(out, &ctx);
  OPENSSL_cleanse(&ctx, sizeof ctx);
}

static inline long gh_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
  return SSL_set_tlsext_host_name(ssl, name);
}
static inline long gh_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) {
  return SSL_CTX_set_min_proto_version(ctx, version);
}
static inline long gh_SSL_CTX_set_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_mode(ctx, mode); }

/// The subject alternative name number `index` of `certificate`, if it is a URI or DNS name: its bytes, which live as
/// long as `names`. 1 a DNS name, 2 a URI, 0 another kind of name, -1 no more names.
static inline int gh_subject_alternative_name(
    const GENERAL_NAMES *names, int index, const unsigned char **bytes, int *length) {
  if (!names || index >= sk_GENERAL_NAME_num(names)) return -1;
  const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
  if (name->type != GEN_URI && name->type != GEN_DNS) return 0;
  const ASN1_IA5STRING *text = name->type == GEN_URI ? name->d.uniformResourceIdentifier : name->d.dNSName;
  *bytes = ASN1_STRING_get0_data(text);
  *length = ASN1_STRING_length(text);
  return name->type == GEN_URI ? 2 : 1;
}

static inline GENERAL_NAMES *gh_subject_alternative_names(X509 *certificate) {
  return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline void gh_free_names(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }

/// Chooses `http/1.1` when the client offers protocols (RFC 7301); no protocol when it does not offer that one.
static inline int gh_select_http11(
    SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *offered,
    unsigned int offered_length, void *context) {
  static const unsigned char http11[] = "\x08http/1.1";
  (void)ssl;
  (void)context;
  unsigned char *chosen = NULL;
  if (SSL_select_next_proto(&chosen, out_length, http11, sizeof http11 - 1, offered, offered_length)
      != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

static inline long gh_SSL_CTX_add1_chain_cert(SSL_CTX *ctx, X509 *certificate) {
  return SSL_CTX_add1_chain_cert(ctx, certificate);
}
static inline void gh_SSL_CTX_read_ahead(SSL_CTX *ctx) { SSL_CTX_set_read_ahead(ctx, 1); }

static inline void gh_SSL_CTX_offer_http11(SSL_CTX *ctx) {
  SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x08http/1.1", 9);
}
static inline void gh_SSL_CTX_select_http11(SSL_CTX *ctx) {
  SSL_CTX_set_alpn_select_cb(ctx, gh_select_http11, NULL);
}
static inline long gh_SSL_CTX_set_session_cache_off(SSL_CTX *ctx) {
  // Tickets are sessions, too: one would stand in for the certificate and its key.
  SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(ctx, 0);
  return SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

/// Sees each read of a session's descriptor, and says whether it brought less than was asked for.
static inline long gh_note_read(
    BIO *bio, int operation, const char *bytes, size_t wanted, int argi, long argl, int result, size_t *got) {
  (void)bytes, (void)argi, (void)argl;
  if (operation == (BIO_CB_READ | BIO_CB_RETURN))
    *(int *)BIO_get_callback_arg(bio) = result > 0 && got && *got < wanted;
  return result;
}
static inline void gh_SSL_watch_reads(SSL *ssl, int *was_short) {
  BIO *bio = SSL_get_rbio(ssl);
  BIO_set_callback_arg(bio, (char *)was_short);
  BIO_set_callback_ex(bio, gh_note_read);
}

/// Whether an error of the PEM reader says that no further block begins: the end of a good file.
static inline int gh_is_pem_end(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// A `pem_password_cb` that has no passphrase to give.
static inline int gh_no_passphrase(char *buffer, int size, int writing, void *data) {
  (void)buffer, (void)size, (void)writing, (void)data;
  return -1;
}
