// libpq 13 or later.
#pragma once
#include <libpq-fe.h>

/// The five characters of the SQLSTATE, or NULL. The macro is a character literal.
static inline const char *gh_pq_sqlstate(const PGresult *result) {
  return PQresultErrorField(result, PG_DIAG_SQLSTATE);
}

/// The first line of the server's message, without details, which may quote values.
static inline const char *gh_pq_message(const PGresult *result) {
  return PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
}
