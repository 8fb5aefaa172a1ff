// jansson 2.14. Macros that Swift cannot import are functions here.
#pragma once
#include <jansson.h>

static inline void gh_json_decref(json_t *json) { json_decref(json); }
