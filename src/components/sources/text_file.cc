#include "components/sources/text_file.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <vector>

namespace headrace::components {
namespace {

constexpr int64_t kPiece = 256 << 10;

Error BadArchive(const std::string& shown, const std::string& what) {
  return DataError("bad_archive", fmt::format("{}: {}", shown, what))
      .At({.file = shown})
      .Hint("copy the file again, or pack it again; nothing of it was used");
}

/// Bytes as they stand in the file.
class RawFile : public TextFile {
 public:
  RawFile(FileSystem& fs, std::string path, int64_t offset)
      : fs_(fs), path_(std::move(path)), offset_(offset) {}
  Result<bool> Read(std::string& out) override {
    HR_ASSIGN(std::string piece, fs_.ReadRange(path_, offset_, kPiece));
    offset_ += static_cast<int64_t>(piece.size());
    out += piece;
    return !piece.empty();
  }

 private:
  FileSystem& fs_;
  std::string path_;
  int64_t offset_;
};

class GzipFile : public TextFile {
 public:
  GzipFile(std::unique_ptr<TextFile> raw, std::string shown)
      : raw_(std::move(raw)), shown_(std::move(shown)) {
    ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
  }
  ~GzipFile() override {
    if (ready_) inflateEnd(&stream_);
  }

  Result<bool> Read(std::string& out) override {
    if (!ready_) return SystemError("out_of_memory", shown_ + ": no memory to unpack it");
    const size_t before = out.size();
    while (out.size() == before) {
      if (stream_.avail_in == 0) {
        input_.clear();
        HR_ASSIGN(bool more, raw_->Read(input_));
        if (!more) {
          if (in_member_) return BadArchive(shown_, "the gzip file is cut off");
          if (!any_) return BadArchive(shown_, "is not a gzip file, as its name says: it is empty");
          return false;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(input_.size());
      }
      if (!in_member_ && any_) {  // several members may follow each other
        inflateReset(&stream_);
      }
      in_member_ = any_ = true;
      out.resize(before + kPiece);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = kPiece;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      out.resize(before + kPiece - stream_.avail_out);
      if (result == Z_STREAM_END) {
        in_member_ = false;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return BadArchive(
            shown_, started_ ? "the gzip file is damaged" : "is not a gzip file, as its name says");
      }
      started_ = true;
    }
    return true;
  }

 private:
  std::unique_ptr<TextFile> raw_;
  std::string shown_, input_;
  z_stream stream_{};
  bool ready_ = false, in_member_ = false, any_ = false, started_ = false;
};

class ZstdFile : public TextFile {
 public:
  ZstdFile(std::unique_ptr<TextFile> raw, std::string shown)
      : raw_(std::move(raw)), shown_(std::move(shown)), stream_(ZSTD_createDStream()) {}
  ~ZstdFile() override { ZSTD_freeDStream(stream_); }

  Result<bool> Read(std::string& out) override {
    if (stream_ == nullptr)
      return SystemError("out_of_memory", shown_ + ": no memory to unpack it");
    const size_t before = out.size();
    while (out.size() == before) {
      if (taken_ == input_.size() && !flushing_) {
        input_.clear();
        taken_ = 0;
        HR_ASSIGN(bool more, raw_->Read(input_));
        if (!more) {
          if (in_frame_) return BadArchive(shown_, "the zstd file is cut off");
          if (!any_) return BadArchive(shown_, "is not a zstd file, as its name says: it is empty");
          return false;
        }
      }
      out.resize(before + kPiece);
      ZSTD_inBuffer in{input_.data(), input_.size(), taken_};
      ZSTD_outBuffer unpacked{out.data() + before, static_cast<size_t>(kPiece), 0};
      const size_t left = ZSTD_decompressStream(stream_, &unpacked, &in);
      out.resize(before + unpacked.pos);
      if (ZSTD_isError(left)) {
        return BadArchive(
            shown_, any_ ? "the zstd file is damaged" : "is not a zstd file, as its name says");
      }
      taken_ = in.pos;
      any_ = true;
      in_frame_ = left != 0;
      flushing_ = unpacked.pos == unpacked.size && left != 0;
    }
    return true;
  }

 private:
  std::unique_ptr<TextFile> raw_;
  std::string shown_, input_;
  ZSTD_DStream* stream_;
  size_t taken_ = 0;
  bool in_frame_ = false, any_ = false, flushing_ = false;
};

void AppendUtf8(uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  } else {
    out += {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 0x3F)),
            static_cast<char>(0x80 | ((c >> 6) & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
}

class Latin1File : public TextFile {
 public:
  explicit Latin1File(std::unique_ptr<TextFile> raw) : raw_(std::move(raw)) {}
  Result<bool> Read(std::string& out) override {
    std::string bytes;
    HR_ASSIGN(bool more, raw_->Read(bytes));
    for (unsigned char c : bytes) AppendUtf8(c, out);
    return more;
  }

 private:
  std::unique_ptr<TextFile> raw_;
};

/// Little endian unless a byte order mark says otherwise.
class Utf16File : public TextFile {
 public:
  Utf16File(std::unique_ptr<TextFile> raw, std::string shown)
      : raw_(std::move(raw)), shown_(std::move(shown)) {}
  Result<bool> Read(std::string& out) override {
    const size_t before = out.size();
    while (out.size() == before) {
      HR_ASSIGN(bool more, raw_->Read(bytes_));
      if (!more) {
        if (!bytes_.empty()) return Broken();
        return false;
      }
      size_t at = 0;
      if (first_ && bytes_.size() >= 2) {
        first_ = false;
        big_ = bytes_[0] == '\xFE' && bytes_[1] == '\xFF';
        if (big_ || (bytes_[0] == '\xFF' && bytes_[1] == '\xFE')) {
          at = 2;
        } else if (!AnyAscii()) {
          return Broken();  // nearly anything decodes: a table without a comma or digit is none
        }
      }
      for (; at + 1 < bytes_.size(); at += 2) {
        uint32_t unit = Unit(at);
        if (unit >= 0xDC00 && unit < 0xE000) return Broken();
        if (unit >= 0xD800 && unit < 0xDC00) {
          if (at + 3 >= bytes_.size()) break;
          const uint32_t low = Unit(at + 2);
          if (low < 0xDC00 || low >= 0xE000) return Broken();
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
          at += 2;
        }
        AppendUtf8(unit, out);
      }
      bytes_.erase(0, at);
    }
    return true;
  }

 private:
  uint32_t Unit(size_t at) const {
    const auto a = static_cast<uint8_t>(bytes_[at]), b = static_cast<uint8_t>(bytes_[at + 1]);
    return big_ ? a << 8 | b : b << 8 | a;
  }
  bool AnyAscii() const {
    for (size_t at = 0; at + 1 < bytes_.size(); at += 2) {
      if (Unit(at) < 0x80) return true;
    }
    return false;
  }
  Error Broken() const {
    return DataError("bad_encoding", shown_ + ": is not UTF-16, as `encoding:` says")
        .At({.file = shown_})
        .Hint("leave `encoding` out for UTF-8, or write latin-1");
  }
  std::unique_ptr<TextFile> raw_;
  std::string shown_, bytes_;
  bool first_ = true, big_ = false;
};

/// Leaves out a byte order mark of UTF-8.
class WithoutMark : public TextFile {
 public:
  explicit WithoutMark(std::unique_ptr<TextFile> text) : text_(std::move(text)) {}
  Result<bool> Read(std::string& out) override {
    if (!first_) return text_->Read(out);
    first_ = false;
    const size_t before = out.size();
    HR_ASSIGN(bool more, text_->Read(out));
    if (std::string_view(out).substr(before).starts_with("\xEF\xBB\xBF")) {
      out.erase(before, 3);
      if (out.size() == before) return text_->Read(out);
    }
    return more;
  }

 private:
  std::unique_ptr<TextFile> text_;
  bool first_ = true;
};

}  // namespace

Compression CompressionOf(const std::string& path) {
  if (path.ends_with(".gz")) return Compression::kGzip;
  if (path.ends_with(".zst")) return Compression::kZstd;
  return Compression::kNone;
}

Result<std::unique_ptr<TextFile>> TextFile::Open(FileSystem& fs, const std::string& path,
                                                 const std::string& shown, TextEncoding encoding,
                                                 int64_t offset) {
  std::unique_ptr<TextFile> file = std::make_unique<RawFile>(fs, path, offset);
  switch (CompressionOf(path)) {
    case Compression::kNone:
      break;
    case Compression::kGzip:
      file = std::make_unique<GzipFile>(std::move(file), shown);
      break;
    case Compression::kZstd:
      file = std::make_unique<ZstdFile>(std::move(file), shown);
      break;
  }
  switch (encoding) {
    case TextEncoding::kUtf8:
      if (offset == 0) file = std::make_unique<WithoutMark>(std::move(file));
      break;
    case TextEncoding::kLatin1:
      file = std::make_unique<Latin1File>(std::move(file));
      break;
    case TextEncoding::kUtf16:
      file = std::make_unique<Utf16File>(std::move(file), shown);
      break;
  }
  return file;
}

}  // namespace headrace::components
