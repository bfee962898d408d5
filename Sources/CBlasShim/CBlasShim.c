#include "CBlasShim.h"
