// Expat 2.4 or later.
#pragma once
#include <expat.h>
