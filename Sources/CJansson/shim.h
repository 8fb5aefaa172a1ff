// jansson 2.14. Macros that Swift cannot import are functions here.
#pragma once
#include <jansson.h>
#include <stddef.h>

static inline void gh_json_decref(json_t *json) { json_decref(json); }
static inline json_type gh_json_typeof(const json_t *json) { return json_typeof(json); }

#if defined(__SSE2__)
// Compilers define __SSE2__ for every x86-64 processor. Swift's own vectors are not lowered to these instructions.
#include <emmintrin.h>

// How many of the sixteen bytes at `bytes + at` stand before the first that is a quote, a backslash, a control or,
// if asked for, not ASCII.
static inline ptrdiff_t gh_json_plain_bytes(const void *bytes, ptrdiff_t at, _Bool stop_at_non_ascii) {
  __m128i block = _mm_loadu_si128((const __m128i *)((const char *)bytes + at));
  __m128i quotes = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  __m128i backslashes = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  // With a sign, what is not ASCII is below a space as controls are.
  __m128i low = stop_at_non_ascii ? _mm_cmplt_epi8(block, _mm_set1_epi8(' '))
                                  : _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
  int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), low));
  return __builtin_ctz((unsigned)found | 1u << 16);
}

// The same, before the first backslash.
static inline ptrdiff_t gh_json_bytes_before_backslash(const void *bytes, ptrdiff_t at) {
  __m128i block = _mm_loadu_si128((const __m128i *)((const char *)bytes + at));
  int found = _mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
  return __builtin_ctz((unsigned)found | 1u << 16);
}
#endif
