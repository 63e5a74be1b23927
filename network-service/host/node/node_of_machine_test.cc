#include "network-service/host/node/node_of_machine.h"
