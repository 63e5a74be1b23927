#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "bus-service/rpc/unary_call.h"

namespace pvebus::bus {

// The unary methods of one service. Requires: lives until the loop has ended.
class Methods {
 public:
  // `handle(call, request)` is called for each call whose request could be parsed.
  template <typename Request, typename Handle>
  void Add(decltype(UnaryCall::Method::request_call) request_call, Handle handle) {
    methods_.push_back({std::move(request_call), [handle = std::move(handle)](UnaryCall& call) {
                          Request request;
                          if (call.Parse(request)) handle(call, request);
                        }});
  }

  // Waits for calls; so many of each method may arrive in one turn of the loop without a detour.
  void Listen(EventLoop& loop, int at_once) const {
    for (const auto& method : methods_) {
      for (int i = 0; i < at_once; ++i) UnaryCall::Listen(method, loop);
    }
  }

 private:
  std::deque<UnaryCall::Method> methods_;
};

}  // namespace pvebus::bus
