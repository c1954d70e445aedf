// Preloaded into a run: fails the n-th writing call on a file below a folder, whoever makes it
// (our code, SQLite, DuckDB). HR_FAIL_BELOW=folder, HR_FAIL_AT=n (0 = none), HR_FAIL_ERRNO,
// HR_FAIL_STICKY=1 (all later ones too: a full disk), HR_FAIL_COUNT=file (gets the number of calls).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static long calls = 0;
static int in_hook = 0;

static int Below(const char* path) {
  const char* folder = getenv("HR_FAIL_BELOW");
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int BelowFd(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return Below(path);
}

static int BelowPath(const char* path) {
  if (path == NULL) return 0;
  if (path[0] == '/') return Below(path);
  char full[PATH_MAX];
  if (getcwd(full, sizeof full) == NULL) return 0;
  return Below(full);
}

// 1 = this call shall fail; errno is set.
static int Fails(void) {
  long at = atol(getenv("HR_FAIL_AT") ? getenv("HR_FAIL_AT") : "0");
  long now = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (at == 0 || (getenv("HR_FAIL_STICKY") ? now < at : now != at)) return 0;
  errno = atoi(getenv("HR_FAIL_ERRNO") ? getenv("HR_FAIL_ERRNO") : "28");
  return 1;
}

__attribute__((destructor)) static void Report(void) {
  const char* path = getenv("HR_FAIL_COUNT");
  if (path == NULL) return;
  in_hook = 1;
  FILE* file = fopen(path, "w");
  if (file == NULL) return;
  fprintf(file, "%ld\n", calls);
  fclose(file);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* data, size_t size) {
  if (!in_hook && BelowFd(fd) && Fails()) return -1;
  return NEXT(write)(fd, data, size);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  if (BelowFd(fd) && Fails()) return -1;
  return NEXT(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  if (BelowFd(fd) && Fails()) return -1;
  return NEXT(pwrite64)(fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (BelowFd(fd) && Fails()) return -1;
  return NEXT(writev)(fd, parts, count);
}
int fsync(int fd) {
  if (BelowFd(fd) && Fails()) return -1;
  return NEXT(fsync)(fd);
}
int fdatasync(int fd) {
  if (BelowFd(fd) && Fails()) return -1;
  return NEXT(fdatasync)(fd);
}
int rename(const char* from, const char* to) {
  if (BelowPath(to) && Fails()) return -1;
  return NEXT(rename)(from, to);
}
int ftruncate(int fd, off_t size) {
  if (BelowFd(fd) && Fails()) return -1;
  return NEXT(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
  if (BelowFd(fd) && Fails()) return -1;
  return NEXT(ftruncate64)(fd, size);
}
int mkdir(const char* path, mode_t mode) {
  if (BelowPath(path) && Fails()) return -1;
  return NEXT(mkdir)(path, mode);
}
