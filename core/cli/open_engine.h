#pragma once

// The engine, libqed_engine.so, which some commands need. See core/run/engine.h.

namespace qed {

// The address of an extern "C" function of the engine. The first call opens it, for good: LibTorch
// does not survive being unloaded. Throws Error when this build has no engine, or it cannot be
// opened.
void* engine_symbol(const char* symbol);

// The same as a function: open_engine<EngineTrain>(kEngineTrainSymbol)(request).
template <class Function>
Function open_engine(const char* symbol) {
  return reinterpret_cast<Function>(engine_symbol(symbol));
}

}  // namespace qed
