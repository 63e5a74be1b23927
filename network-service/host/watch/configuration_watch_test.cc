#include "network-service/host/watch/configuration_watch.h"
