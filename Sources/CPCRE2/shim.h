// PCRE2 10.42, 8-bit code units.
#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stddef.h>

// What a match may cost. Values are at most some kilobytes long, and the patterns that people write for them need
// a few backtracking steps for each character, so these bounds are only met by patterns that explode.
enum {
  gh_pcre2_match_limit = 50000,     // backtracking steps at one starting place
  gh_pcre2_search_limit = 1 << 22,  // backtracking steps at all starting places together
  gh_pcre2_depth_limit = 10000,     // nested backtracking points, interpreter only
  gh_pcre2_heap_limit_kib = 4096,   // interpreter only
  gh_pcre2_jit_stack_bytes = 1 << 20
};

/// Matches `text`, which is well-formed UTF-8, within the bounds above. The result is that of pcre2_match().
///
/// PCRE2 begins to count anew at each starting place. What a search may take at all is therefore shared out among
/// `places` of them: 1 where the pattern is anchored.
///
/// What a match writes to (match data, JIT stack) belongs to the thread and lives as long as it; the code is
/// only read.
static inline int gh_pcre2_match(const pcre2_code_8 *code, const unsigned char *text, size_t length,
                                 size_t places) {
  static _Thread_local pcre2_match_data_8 *data;
  static _Thread_local pcre2_match_context_8 *context;
  static _Thread_local pcre2_jit_stack_8 *stack;
  if (!data && !(data = pcre2_match_data_create_8(1, NULL))) return PCRE2_ERROR_NOMEMORY;
  if (!context) {
    if (!(context = pcre2_match_context_create_8(NULL))) return PCRE2_ERROR_NOMEMORY;
    pcre2_set_depth_limit_8(context, gh_pcre2_depth_limit);
    pcre2_set_heap_limit_8(context, gh_pcre2_heap_limit_kib);
    // Without a stack of its own JIT code gets 32 KiB of the thread's; then `(a|b)*` fails at a kilobyte.
    stack = pcre2_jit_stack_create_8(32 * 1024, gh_pcre2_jit_stack_bytes, NULL);
    pcre2_jit_stack_assign_8(context, NULL, stack);
  }
  size_t share = gh_pcre2_search_limit / places;
  if (share > gh_pcre2_match_limit) share = gh_pcre2_match_limit;
  pcre2_set_match_limit_8(context, share ? (uint32_t)share : 1);
  static const unsigned char empty[1];
  if (!length) text = empty;
  // pcre2_match() would come to the same code after 130 instructions of looking at options. Where JIT was not to be had
  // the interpreter is left.
  int result = pcre2_jit_match_8(code, text, length, 0, PCRE2_NO_UTF_CHECK, data, context);
  if (result != PCRE2_ERROR_JIT_BADOPTION) return result;
  return pcre2_match_8(code, text, length, 0, PCRE2_NO_UTF_CHECK, data, context);
}

/// Whether some text that begins with `text` matches, as far as PCRE2's partial matching can tell: 1, 0 when none does, or
/// another error of pcre2_match(). For compiled policies' review, not for requests. `code` has no PCRE2_ENDANCHORED, with
/// which there is no partial matching; a code that wants the end has it in the pattern.
static inline int gh_pcre2_may_begin(const pcre2_code_8 *code, const unsigned char *text, size_t length) {
  pcre2_match_data_8 *data = pcre2_match_data_create_8(1, NULL);
  pcre2_match_context_8 *context = pcre2_match_context_create_8(NULL);
  int result = PCRE2_ERROR_NOMEMORY;
  if (data && context) {
    static const unsigned char empty[1];
    pcre2_set_match_limit_8(context, gh_pcre2_match_limit);
    pcre2_set_depth_limit_8(context, gh_pcre2_depth_limit);
    pcre2_set_heap_limit_8(context, gh_pcre2_heap_limit_kib);
    result = pcre2_match_8(code, length ? text : empty, length, 0,
                           PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT | PCRE2_PARTIAL_HARD, data, context);
  }
  pcre2_match_context_free_8(context);
  pcre2_match_data_free_8(data);
  if (result >= 0 || result == PCRE2_ERROR_PARTIAL) return 1;
  return result == PCRE2_ERROR_NOMATCH ? 0 : result;
}
