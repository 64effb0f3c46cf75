#pragma once

namespace qed::check {

// True in a build with AddressSanitizer or ThreadSanitizer, which keep freed memory and reserve
// large parts of the address space.
constexpr bool has_sanitizer() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

// What limits of time are multiplied by.
inline constexpr int kSlowness = has_sanitizer() ? 5 : 1;

}  // namespace qed::check
