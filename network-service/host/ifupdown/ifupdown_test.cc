#include "network-service/host/ifupdown/ifupdown.h"
