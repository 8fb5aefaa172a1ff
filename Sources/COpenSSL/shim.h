// OpenSSL 3. The MAC functions fetch their algorithm once per thread and reuse one context, because implicit
// fetching costs more than hashing a request does.
#pragma once
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

/// SHA-256 of `length` bytes into `out` (32 bytes). 1 on success.
///
/// By the plain functions, which libcrypto keeps although it prefers EVP: the same code for the same processors, without
/// the look-ups of a provider, which cost as much as hashing a record does.
static inline int gh_sha256(const void *bytes, size_t length, unsigned char *out) {
  SHA256_CTX ctx;
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  return SHA256_Init(&ctx) && SHA256_Update(&ctx, bytes, length) && SHA256_Final(out, &ctx);
#pragma clang diagnostic pop
}

/// HMAC-SHA-256 (RFC 2104) of `length` bytes under `key` into `out` (32 bytes). 1 on success.
static inline int gh_hmac_sha256(
    const void *key, size_t key_length, const void *bytes, size_t length, unsigned char *out) {
  static _Thread_local EVP_MAC_CTX *ctx;
  size_t written = 0;
  if (!ctx) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!mac) return 0;
    ctx = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (!ctx) return 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end()};
    if (!EVP_MAC_CTX_set_params(ctx, params)) {
      EVP_MAC_CTX_free(ctx);
      ctx = NULL;
      return 0;
    }
  }
  // An empty key must still be a key: a NULL pointer would mean "the key before".
  static const unsigned char empty[1];
  return EVP_MAC_init(ctx, key_length ? (const unsigned char *)key : empty, key_length, NULL)
      && EVP_MAC_update(ctx, bytes, length) && EVP_MAC_final(ctx, out, &written, 32);
}

/// An HMAC-SHA-256 key with its two paddings hashed already (RFC 2104 section 4): a MAC under it costs half of
/// one that begins with the key. The contexts are only copied from, so threads may share them.
/// 1 on success; on failure there is nothing to free.
static inline int gh_hmac_key_new(
    const void *key, size_t key_length, EVP_MD_CTX **inner, EVP_MD_CTX **outer) {
  unsigned char block[64] = {0};
  unsigned char digest[32];
  EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
  *inner = EVP_MD_CTX_new();
  *outer = EVP_MD_CTX_new();
  int ok = md && *inner && *outer;
  if (ok && key_length > sizeof block) {
    ok = gh_sha256(key, key_length, digest);
    key = digest;
    key_length = sizeof digest;
  }
  if (ok && key_length) memcpy(block, key, key_length);
  for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
  ok = ok && EVP_DigestInit_ex2(*inner, md, NULL) && EVP_DigestUpdate(*inner, block, sizeof block);
  for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5c;
  ok = ok && EVP_DigestInit_ex2(*outer, md, NULL) && EVP_DigestUpdate(*outer, block, sizeof block);
  OPENSSL_cleanse(block, sizeof block);
  OPENSSL_cleanse(digest, sizeof digest);
  EVP_MD_free(md);
  if (!ok) {
    EVP_MD_CTX_free(*inner);
    EVP_MD_CTX_free(*outer);
  }
  return ok;
}

/// HMAC-SHA-256 of `length` bytes under a key of `gh_hmac_key_new` into `out` (32 bytes). 1 on success.
static inline int gh_hmac_key_authenticate(
    const EVP_MD_CTX *inner, const EVP_MD_CTX *outer, const void *bytes, size_t length,
    unsigned char *out) {
  static _Thread_local EVP_MD_CTX *ctx;
  if (!ctx && !(ctx = EVP_MD_CTX_new())) return 0;
  return EVP_MD_CTX_copy_ex(ctx, inner) && EVP_DigestUpdate(ctx, bytes, length)
      && EVP_DigestFinal_ex(ctx, out, NULL) && EVP_MD_CTX_copy_ex(ctx, outer)
      && EVP_DigestUpdate(ctx, out, 32) && EVP_DigestFinal_ex(ctx, out, NULL);
}

static inline long gh_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
  return SSL_set_tlsext_host_name(ssl, name);
}
static inline long gh_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) {
  return SSL_CTX_set_min_proto_version(ctx, version);
}
static inline long gh_SSL_CTX_set_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_mode(ctx, mode); }

/// The subject alternative name number `index` of `certificate`, if it is a URI or DNS name: its bytes, which live as
/// long as `names`. 1 found, 0 another kind of name, -1 no more names.
static inline int gh_subject_alternative_name(
    const GENERAL_NAMES *names, int index, const unsigned char **bytes, int *length) {
  if (!names || index >= sk_GENERAL_NAME_num(names)) return -1;
  const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
  if (name->type != GEN_URI && name->type != GEN_DNS) return 0;
  const ASN1_IA5STRING *text = name->type == GEN_URI ? name->d.uniformResourceIdentifier : name->d.dNSName;
  *bytes = ASN1_STRING_get0_data(text);
  *length = ASN1_STRING_length(text);
  return 1;
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

/// Whether an error of the PEM reader says that no further block begins: the end of a good file.
static inline int gh_is_pem_end(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// A `pem_password_cb` that has no passphrase to give.
static inline int gh_no_passphrase(char *buffer, int size, int writing, void *data) {
  (void)buffer, (void)size, (void)writing, (void)data;
  return -1;
}
