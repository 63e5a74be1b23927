#pragma once

#include <ostream>

#include "pvebus/bus/v1/hook.pb.h"

namespace pvebus::cli {

// What services that run hooks tell about them, a row each.
void PrintHooks(const google::protobuf::RepeatedPtrField<bus::v1::Hook>& hooks, std::ostream& out);
void PrintHookExecutions(const google::protobuf::RepeatedPtrField<bus::v1::HookExecution>& executions, std::ostream& out);
void PrintHookStatistics(const google::protobuf::RepeatedPtrField<bus::v1::HookStatistics>& statistics, std::ostream& out);

}  // namespace pvebus::cli
