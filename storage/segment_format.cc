// SPDX-License-Identifier: Apache-2.0
#include "storage/segment_format.h"

#include "absl/strings/str_cat.h"

#include "base/coding.h"

namespace sextant {
namespace {

constexpr absl::string_view kMagic("SXTSEG\r\n", 8);
// Name length, offset and size: the least a section takes in the contents.
constexpr size_t kEntryMinSize = 20;

bool ConsumeBytes(absl::string_view* input, size_t size,
                  absl::string_view* bytes) {
  if (input->size() < size) {
    return false;
  }
  *bytes = input->substr(0, size);
  input->remove_prefix(size);
  return true;
}

bool ConsumeSections(absl::string_view* bytes,
                     std::vector<SegmentContents::Entry>* sections) {
  uint32_t count = 0;
  if (!ConsumeLittleEndian<uint32_t>(bytes, &count) ||
      count > bytes->size() / kEntryMinSize) {
    return false;
  }
  sections->resize(count);
  for (SegmentContents::Entry& entry : *sections) {
    absl::string_view name;
    if (!ConsumeLengthPrefixed(bytes, &name) ||
        !ConsumeLittleEndian<uint64_t>(bytes, &entry.offset) ||
        !ConsumeLittleEndian<uint64_t>(bytes, &entry.size)) {
      return false;
    }
    entry.name.assign(name.data(), name.size());
  }
  return true;
}

bool ConsumeHashes(absl::string_view* bytes, std::vector<uint64_t>* hashes) {
  uint32_t count = 0;
  if (!ConsumeLittleEndian<uint32_t>(bytes, &count) ||
      count > bytes->size() / sizeof(uint64_t)) {
    return false;
  }
  hashes->resize(count);
  for (uint64_t& hash : *hashes) {
    if (!ConsumeLittleEndian<uint64_t>(bytes, &hash)) {
      return false;
    }
  }
  return bytes->empty();
}

}  // namespace

uint64_t SegmentPadding(uint64_t offset) {
  return (kSegmentAlignment - offset % kSegmentAlignment) % kSegmentAlignment;
}

std::string EncodeSegmentHeader(const SegmentIdentity& identity) {
  std::string header(kMagic);
  AppendLittleEndian<uint32_t>(&header, kSegmentFormatVersion);
  AppendLittleEndian<uint32_t>(&header, 0);
  header.append(identity.uuid);
  AppendLittleEndian<uint64_t>(&header, identity.number);
  AppendLittleEndian<uint64_t>(&header, identity.rows);
  header.resize(kSegmentAlignment, '\0');
  return header;
}

absl::StatusOr<SegmentIdentity> DecodeSegmentHeader(absl::string_view header) {
  absl::string_view magic;
  absl::string_view uuid;
  uint32_t version = 0;
  uint32_t zero = 0;
  SegmentIdentity identity;
  if (!ConsumeBytes(&header, kMagic.size(), &magic) || magic != kMagic) {
    return absl::DataLossError("not a segment file");
  }
  if (!ConsumeLittleEndian<uint32_t>(&header, &version) ||
      version != kSegmentFormatVersion) {
    return absl::DataLossError(absl::StrCat("segment format version ", version,
                                            ", this program reads ",
                                            kSegmentFormatVersion));
  }
  if (!ConsumeLittleEndian<uint32_t>(&header, &zero) || zero != 0 ||
      !ConsumeBytes(&header, kUuidSize, &uuid) ||
      !ConsumeLittleEndian<uint64_t>(&header, &identity.number) ||
      !ConsumeLittleEndian<uint64_t>(&header, &identity.rows)) {
    return absl::DataLossError("malformed header");
  }
  identity.uuid.assign(uuid.data(), uuid.size());
  return identity;
}

std::string EncodeSegmentContents(const SegmentContents& contents) {
  std::string bytes;
  AppendLittleEndian<uint32_t>(&bytes,
                               static_cast<uint32_t>(contents.sections.size()));
  for (const SegmentContents::Entry& entry : contents.sections) {
    AppendLengthPrefixed(&bytes, entry.name);
    AppendLittleEndian<uint64_t>(&bytes, entry.offset);
    AppendLittleEndian<uint64_t>(&bytes, entry.size);
  }
  AppendLittleEndian<uint32_t>(
      &bytes, static_cast<uint32_t>(contents.block_hashes.size()));
  for (const uint64_t hash : contents.block_hashes) {
    AppendLittleEndian<uint64_t>(&bytes, hash);
  }
  return bytes;
}

absl::StatusOr<SegmentContents> DecodeSegmentContents(
    absl::string_view bytes, uint64_t contents_offset) {
  SegmentContents contents;
  if (!ConsumeSections(&bytes, &contents.sections) ||
      !ConsumeHashes(&bytes, &contents.block_hashes)) {
    return absl::DataLossError("malformed table of contents");
  }
  for (const SegmentContents::Entry& entry : contents.sections) {
    if (entry.offset % kSegmentAlignment != 0 ||
        entry.offset < kSegmentAlignment || entry.offset > contents_offset ||
        entry.size > contents_offset - entry.offset) {
      return absl::DataLossError(
          absl::StrCat("section '", entry.name, "' lies outside the file"));
    }
  }
  const uint64_t blocks =
      (contents_offset + kSegmentBlockSize - 1) / kSegmentBlockSize;
  if (contents.block_hashes.size() != blocks) {
    return absl::DataLossError(absl::StrCat("expected ", blocks,
                                            " block hashes, got ",
                                            contents.block_hashes.size()));
  }
  return contents;
}

std::string EncodeSegmentFooter(const SegmentFooter& footer) {
  std::string bytes;
  AppendLittleEndian<uint64_t>(&bytes, footer.contents_offset);
  AppendLittleEndian<uint64_t>(&bytes, footer.contents_size);
  AppendLittleEndian<uint64_t>(&bytes, footer.contents_hash);
  AppendLittleEndian<uint64_t>(&bytes, footer.file_size);
  bytes.append(kMagic.data(), kMagic.size());
  return bytes;
}

absl::StatusOr<SegmentFooter> DecodeSegmentFooter(absl::string_view bytes,
                                                  uint64_t file_size) {
  SegmentFooter footer;
  if (bytes.size() != kSegmentFooterSize ||
      !ConsumeLittleEndian<uint64_t>(&bytes, &footer.contents_offset) ||
      !ConsumeLittleEndian<uint64_t>(&bytes, &footer.contents_size) ||
      !ConsumeLittleEndian<uint64_t>(&bytes, &footer.contents_hash) ||
      !ConsumeLittleEndian<uint64_t>(&bytes, &footer.file_size) ||
      bytes != kMagic) {
    return absl::DataLossError("the footer is missing");
  }
  const uint64_t body = file_size - kSegmentFooterSize;
  if (footer.file_size != file_size ||
      footer.contents_offset < kSegmentAlignment ||
      footer.contents_offset > body ||
      footer.contents_size != body - footer.contents_offset) {
    return absl::DataLossError("the footer does not fit the file's size");
  }
  return footer;
}

}  // namespace sextant
