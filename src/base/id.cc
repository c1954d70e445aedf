#include "base/id.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace headrace {

std::string NewId(const Clock& clock) {
  uint32_t random = 0;
  // Up to 256 bytes come whole or not at all; only a signal before the pool is ready interrupts.
  while (getrandom(&random, sizeof random, 0) != sizeof random) {
    if (errno != EINTR) std::abort();  // a kernel without getrandom: ids would collide
  }
  const std::string t = FormatTimestamp(clock.Now());  // 2026-01-31T09:30:00…
  return fmt::format("{}{}{}-{}{}{}-{:08x}", t.substr(0, 4), t.substr(5, 2), t.substr(8, 2),
                     t.substr(11, 2), t.substr(14, 2), t.substr(17, 2), random);
}

}  // namespace headrace
