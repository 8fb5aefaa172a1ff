// zlib 1.2 or later.
#pragma once
#include <zlib.h>

/// deflateInit2 is a macro. 15 + 16: the largest window, in a gzip member (RFC 1952) without name and time, so that
/// the same bytes always give the same file.
static inline int gh_gzip_init(z_stream *stream) {
  return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

/// inflateInit2 is a macro as well. The same window, for gzip members only.
static inline int gh_gunzip_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
