import Foundation

@testable import Domain

extension SyncBatch {
    /// Sessions of a device that takes nothing over.
    static func of(
        _ device: String,
        in zone: Zone = .utc,
        _ records: [ExtensionExport.SessionRecord]
    ) -> SyncBatch {
        SyncBatch(
            batchID: UUID(),
            device: DeviceDescription(id: Label(device), name: Label(device), timeZone: zone),
            epoch: nil,
            baseVersion: 0,
            since: nil,
            sessions: Items(all: records.map { .valid($0) }),
            challengeClaims: Items(all: []),
            state: [:]
        )
    }
}
