package import Foundation

/// What `POST /v1/sync` brings: what a device has that it doesn't know to be here.
package struct SyncBatch: Sendable {
    /// The same again for as long as the device doesn't know the answer.
    package let batchID: UUID
    package let device: DeviceDescription
    /// The epoch of the last answer; nil before the first.
    package let epoch: Int?
    /// The `syncVersion` of the answer that the device's totals contain; 0 before the first.
    package let baseVersion: Int
    /// The `syncVersion` up to which it has other devices' sessions.
    package let since: Int?
    package let sessions: Items<ExtensionExport.SessionRecord>
    package let challengeClaims: Items<ExtensionExport.ChallengeRecord>
    package let state: [String: Item<StateClaim>]

    /// One field as the device has it.
    package struct StateClaim: Decodable, Sendable {
        package let value: JSONValue
        /// By the device's clock.
        package let modifiedAt: Instant?

        package init(value: JSONValue, modifiedAt: Instant?) {
            self.value = value
            self.modifiedAt = modifiedAt
        }
    }

    /// The names of the challenges that its state shows.
    package var shownChallengeIDs: [String] {
        ["challengeHistory", "activeChallenges"].flatMap { field -> [String] in
            guard case .valid(let claim) = state[field], case .array(let items) = claim.value else {
                return []
            }
            return items.compactMap { item in
                if case .object(let members) = item { members["id"]?.label } else { nil }
            }
        }
    }

    package static let mostItems = 500
    package static let mostFields = 64
}

extension SyncBatch: Decodable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case batchID = "batchId"
        case device, epoch, baseVersion, since, sessions, challengeClaims, state
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        batchID = try container.decode(UUID.self, forKey: .batchID)
        device = try container.decode(DeviceDescription.self, forKey: .device)
        epoch = try container.decodeIfPresent(Count.self, forKey: .epoch)?.value
        baseVersion = try container.decodeIfPresent(Count.self, forKey: .baseVersion)?.value ?? 0
        since = try container.decodeIfPresent(Count.self, forKey: .since)?.value
        sessions = try container.decodeIfPresent(Items.self, forKey: .sessions) ?? Items(all: [])
        challengeClaims =
            try container.decodeIfPresent(Items.self, forKey: .challengeClaims) ?? Items(all: [])
        state = try container.decodeIfPresent([String: Item<StateClaim>].self, forKey: .state) ?? [:]
        for (key, count, most) in [
            (CodingKeys.sessions, sessions.all.count, Self.mostItems),
            (.challengeClaims, challengeClaims.all.count, Self.mostItems),
            (.state, state.count, Self.mostFields),
        ] where count > most {
            throw DecodingError.dataCorruptedError(
                forKey: key,
                in: container,
                debugDescription: "must have at most \(most) items"
            )
        }
    }
}

/// An export of the extension on its way into a ledger.
package struct ExportSubmission: Decodable, Sendable {
    package let device: DeviceDescription
    /// By the device's clock.
    package let takenAt: Instant
    package let export: ExtensionExport
    /// The `syncVersion` of the answer that the export's total contains, where the
    /// device has taken one over; nil is 0.
    package let baseVersion: Int?

    package init(
        device: DeviceDescription,
        takenAt: Instant,
        export: ExtensionExport,
        baseVersion: Int? = nil
    ) {
        self.device = device
        self.takenAt = takenAt
        self.export = export
        self.baseVersion = baseVersion
    }
}

/// Which editor speaks, and where it is.
package struct DeviceDescription: Decodable, Sendable {
    package let id: Label
    package let name: Label
    package let timeZone: Zone

    package init(id: Label, name: Label, timeZone: Zone) {
        self.id = id
        self.name = name
        self.timeZone = timeZone
    }
}
