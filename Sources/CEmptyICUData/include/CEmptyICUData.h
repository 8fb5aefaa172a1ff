// Nothing is called here: see ../empty.c.
#pragma once
