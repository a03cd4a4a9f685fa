// SPDX-License-Identifier: Apache-2.0
#include "index/text/packed_integers.h"

#include <array>
#include <utility>

namespace sextant {
namespace {

constexpr uint32_t kBlock = 128;
constexpr size_t kLanes = 4;
constexpr uint32_t kSteps = kBlock / uint32_t{kLanes};  // = bits of a word

// Four lanes; the compiler makes instructions of any processor of it.
using Lanes = uint32_t __attribute__((vector_size(16)));

inline Lanes Load(const char* in) {
  Lanes lanes;
  std::memcpy(&lanes, in, sizeof(lanes));
  return lanes;
}

inline void Store(Lanes lanes, uint32_t* out) {
  std::memcpy(out, &lanes, sizeof(lanes));
}

template <uint32_t kBits, uint32_t kStep>
inline void UnpackStep(const char* in, uint32_t* out) {
  if constexpr (kBits == 0) {
    Store(Lanes{}, out + kStep * kLanes);
  } else {
    constexpr uint32_t kBit = kStep * kBits;
    constexpr uint32_t kShift = kBit % kSteps;
    constexpr size_t kWord = kBit / kSteps;
    Lanes lanes = Load(in + kWord * sizeof(Lanes)) >> kShift;
    if constexpr (kShift + kBits > kSteps) {
      lanes |= Load(in + (kWord + 1) * sizeof(Lanes)) << (kSteps - kShift);
    }
    if constexpr (kBits < kSteps) {
      lanes &= (uint32_t{1} << kBits) - 1;
    }
    Store(lanes, out + kStep * kLanes);
  }
}

template <uint32_t kBits>
void Unpack(const char* in, uint32_t* out) {
  [&]<uint32_t... kStep>(std::integer_sequence<uint32_t, kStep...>) {
    (UnpackStep<kBits, kStep>(in, out), ...);
  }
  (std::make_integer_sequence<uint32_t, kSteps>());
}

using UnpackFunction = void (*)(const char*, uint32_t*);

template <uint32_t... kBits>
constexpr std::array<UnpackFunction, sizeof...(kBits)> UnpackTable(
    std::integer_sequence<uint32_t, kBits...> /*bits*/) {
  return {&Unpack<kBits>...};
}

constexpr auto kUnpack =
    UnpackTable(std::make_integer_sequence<uint32_t, kSteps + 1>());

}  // namespace

uint32_t BitWidthOf(std::span<const uint32_t> values) {
  uint32_t all = 0;
  for (const uint32_t value : values) {
    all |= value;
  }
  return BitWidth(all);
}

void AppendPackedBlock(const uint32_t* values, uint32_t bits,
                       std::string* out) {
  std::array<uint32_t, kBlock> words{};
  for (uint32_t i = 0; i < kBlock; ++i) {
    const size_t bit = i / kLanes * bits;
    const size_t word = bit / kSteps * kLanes + i % kLanes;
    const uint64_t shifted = uint64_t{values[i]} << (bit % kSteps);
    words[word] |= static_cast<uint32_t>(shifted);
    if ((shifted >> kSteps) != 0) {
      words[word + kLanes] |= static_cast<uint32_t>(shifted >> kSteps);
    }
  }
  out->append(reinterpret_cast<const char*>(words.data()),
              size_t{bits} * sizeof(Lanes));
}

void UnpackBlock(const char* in, uint32_t bits, uint32_t* values) {
  kUnpack[bits](in, values);
}

void RowsFromGaps(uint32_t before, uint32_t* values) {
  Lanes carry = {before, before, before, before};
  constexpr Lanes kStep = {1, 2, 3, 4};
  constexpr Lanes kZero = {};
  for (size_t i = 0; i < kBlock; i += kLanes) {
    Lanes lanes;
    std::memcpy(&lanes, values + i, sizeof(lanes));
    lanes += __builtin_shufflevector(kZero, lanes, 0, 4, 5, 6);
    lanes += __builtin_shufflevector(kZero, lanes, 0, 1, 4, 5);
    lanes += carry + kStep;
    Store(lanes, values + i);
    carry = __builtin_shufflevector(lanes, lanes, 3, 3, 3, 3);
  }
}

void AppendPackedRun(std::span<const uint32_t> values, uint32_t bits,
                     std::string* out) {
  uint64_t pending = 0;
  uint32_t held = 0;
  for (const uint32_t value : values) {
    pending |= uint64_t{value} << held;
    held += bits;
    while (held >= 8) {
      out->push_back(static_cast<char>(pending));
      pending >>= 8U;
      held -= 8;
    }
  }
  if (held > 0) {
    out->push_back(static_cast<char>(pending));
  }
}

}  // namespace sextant
