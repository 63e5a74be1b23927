#include "network-service/host/files/unified_diff.h"
