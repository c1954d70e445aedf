#include "store/network_disk.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace headrace::store {

namespace {

struct NetworkType {
  uint32_t magic;
  std::string_view name;
};

// From linux/magic.h and the file systems' own sources.
constexpr NetworkType kNetworkTypes[] = {
    {0x6969, "NFS"},        {0x517B, "SMB"},      {0xFF534D42, "CIFS"},  {0xFE534D42, "SMB"},
    {0x5346414F, "AFS"},    {0x6B414653, "AFS"},  {0x73757245, "Coda"},  {0x00C36400, "CephFS"},
    {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"}, {0x7461636F, "OCFS2"}, {0x01161970, "GFS2"},
    {0x19830326, "BeeGFS"}, {0x564C, "NCP"},      {0xAAD7AAEA, "PanFS"},
};
constexpr uint32_t kFuse = 0x65735546;

// FUSE carries local file systems too (ntfs-3g, fuse-overlayfs): only these are refused.
constexpr std::string_view kNetworkFuse[] = {
    "fuse.sshfs",     "fuse.rclone",   "fuse.s3fs",      "fuse.goofys",    "fuse.gcsfuse",
    "fuse.glusterfs", "fuse.ceph",     "fuse.curlftpfs", "fuse.mount-s3",  "fuse.blobfuse2",
    "fuse.juicefs",   "fuse.dfs_fuse", "fuse.davfs2",    "fuse.seaweedfs", "fuse.moosefs",
};

/// Type of the mount that holds `device`, from lines such as
///   36 35 0:52 / /mnt rw,noatime shared:1 - fuse.sshfs host:/dir rw
std::string MountType(dev_t device) {
  const std::string wanted = fmt::format("{}:{}", major(device), minor(device));
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string id, parent, number, word;
    words >> id >> parent >> number;
    if (number != wanted) continue;
    while (words >> word) {
      if (word == "-" && words >> word) return word;
    }
  }
  return {};
}

}  // namespace

std::string_view NetworkFileSystemName(int64_t magic, std::string_view mount_type) {
  // f_type is signed on some architectures: compare 32 bits.
  const auto type = static_cast<uint32_t>(magic);
  for (const NetworkType& known : kNetworkTypes) {
    if (known.magic == type) return known.name;
  }
  if (type != kFuse) return {};
  for (std::string_view name : kNetworkFuse) {
    if (name == mount_type) return name;
  }
  return {};
}

Status RefuseNetworkDisk(const std::string& folder) {
  struct statfs disk {};
  struct stat info {};
  if (statfs(folder.c_str(), &disk) != 0 || stat(folder.c_str(), &info) != 0) {
    return ErrnoError(errno, "look at the disk of " + folder);
  }
  const auto magic = static_cast<int64_t>(disk.f_type);
  const bool fuse = static_cast<uint32_t>(magic) == kFuse;
  const std::string mount_type = fuse ? MountType(info.st_dev) : std::string();
  const std::string_view name = NetworkFileSystemName(magic, mount_type);
  if (name.empty()) return Ok();
  return UserError("store_on_network",
                   fmt::format("the store can't stand in {}: that is a network file system ({}), "
                               "where locks between machines are not safe",
                               folder, name))
      .Hint("put the project on a local disk; only the warehouse may be shared");
}

}  // namespace headrace::store
