#include "base/process.h"

#include <clocale>
#include <csignal>
#include <cstdlib>

namespace headrace {

void InitProcess() {
  // OpenMP reads its environment when its library is loaded. Active waiting makes two training
  // threads on shared cores several times slower; none at all costs a system call at each of
  // LightGBM's many short loops. So: some microseconds of it.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  setenv("GOMP_SPINCOUNT", "10000", /*overwrite=*/0);
  std::signal(SIGPIPE, SIG_IGN);
  std::setlocale(LC_NUMERIC, "C");
}

}  // namespace headrace
