// The system OpenBLAS as Swift sees it: plain functions, no macros, no enums of the library's own.
#ifndef CBLASSHIM_H
#define CBLASSHIM_H
#include <stdbool.h>
#include <stddef.h>
#endif
