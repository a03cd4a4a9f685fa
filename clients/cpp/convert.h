// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "clients/cpp/search_types.h"
#include "clients/cpp/types.h"
#include "sextant/v1/collection_service.pb.h"
#include "sextant/v1/point.pb.h"
#include "sextant/v1/point_service.pb.h"
#include "sextant/v1/search_service.pb.h"

// Between the client's structs and the wire. What comes from the server is not
// trusted: an answer that breaks the protocol is INTERNAL.
namespace sextant::client {

void ToWire(const PointId& id, v1::PointId* wire);
void ToWire(const Point& point, v1::Point* wire);
void ToWire(const Projection& projection, v1::Projection* wire);
void ToWire(const PayloadField& field, v1::PayloadField* wire);
// All but the collection.
void ToWire(const TextFieldUpdate& update, v1::UpdateTextFieldRequest* wire);
void ToWire(const CollectionSchema& schema, v1::CollectionSchema* wire);
void ToWire(const CutOff& cut_off, v1::CutOff* wire);
void ToWire(const SearchRequest& request, v1::SearchRequest* wire);

// A filter as text; empty: none.
template <typename Request>
void SetFilter(const std::string& filter, Request* wire) {
  if (!filter.empty()) {
    wire->mutable_filter()->set_text(filter);
  }
}

absl::StatusOr<PointId> FromWire(const v1::PointId& wire);
absl::StatusOr<Point> FromWire(const v1::Point& wire);
CutOffOutcome FromWire(const v1::CutOffOutcome& wire);
absl::StatusOr<SearchResult> FromWire(const v1::SearchResponse& wire);
absl::StatusOr<FacetResult> FromWire(const v1::FacetPointsResponse& wire);
CollectionInfo FromWire(const v1::CollectionInfo& wire);

}  // namespace sextant::client
