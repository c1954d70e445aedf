#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace::store {

/// The name of a network file system, "" for a local one. `magic` is statfs's f_type; `mount_type`
/// the type in /proc/self/mountinfo ("fuse.sshfs"), looked at for FUSE only, may be empty.
std::string_view NetworkFileSystemName(int64_t magic, std::string_view mount_type);

/// Error "store_on_network" when `folder` (must exist) lies on a network file system: SQLite's
/// shared memory and locks don't work between machines, and a damaged store would be the result.
Status RefuseNetworkDisk(const std::string& folder);

}  // namespace headrace::store
