// jansson 2.14. Macros that Swift cannot import are functions here.
#pragma once
#include <jansson.h>

static inline void gh_json_decref(json_t *json) { json_decref(json); }
static inline json_type gh_json_typeof(const json_t *json) { return json_typeof(json); }
