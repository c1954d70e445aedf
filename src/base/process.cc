#include "base/process.h"

#include <clocale>
#include <csignal>
#include <cstdlib>

namespace headrace {

void InitProcess() {
  // OpenMP reads its environment when its library is loaded. Active waiting makes two training
  // threads on shared cores several times slower.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  std::signal(SIGPIPE, SIG_IGN);
  std::setlocale(LC_NUMERIC, "C");
}

}  // namespace headrace
