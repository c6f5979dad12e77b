import Domain
import Foundation
import PGClient
import Tenancy

/// A device that waits to be signed in.
struct DeviceRequest: Sendable {
    let id: UUID
    let deviceName: String
    /// The network that it asked from.
    let source: String
    let askedAt: Instant
}

/// What has come of a device's wish.
enum DeviceOutcome: String, Sendable, PGDecodable {
    case waiting, approved, denied, expired, unknown
    case tooOften = "too often"
}

extension PGPool {
    func askDeviceSignIn(
        _ device: DeviceCode,
        _ digest: [UInt8],
        named name: DeviceName,
        from source: String,
        at now: Date
    ) async throws {
        try await transaction { tx in
            _ = try await tx.execute(
                """
                select app.ask_device_sign_in(\(device.id), \(device.hash), \(digest), \(name.text), \(source), \(now),
                  \(now.addingTimeInterval(DeviceCode.lifetime)))
                """
            )
        }
    }

    /// Nil where no device waits that shows the code.
    func deviceRequest(showing digest: [UInt8], at now: Date) async throws -> DeviceRequest? {
        let (id, name, source, since) = try await transaction { tx in
            try await tx.queryOne(
                "select id, called, from_source, since from app.device_request_by_code(\(digest), \(now))",
                as: (UUID?, String?, String?, Instant?).self
            )
        }
        guard let id, let name, let source, let since else { return nil }
        return DeviceRequest(id: id, deviceName: name, source: source, askedAt: since)
    }
}

extension TenantTransaction {
    /// Whether the device waited until now.
    func answerDevice(_ id: UUID, isApproved: Bool, at now: Date) async throws -> Bool {
        try await queryOne("select app.answer_device_request(\(id), \(isApproved), \(now))", as: Bool.self)
    }
}

extension TenantDatabase {
    /// As the person who said yes to the device.
    func enter<Result: Sendable>(
        by code: DeviceCode,
        at now: Date,
        _ body: (TenantTransaction) async throws -> Result
    ) async throws -> (outcome: DeviceOutcome, result: Result?) {
        try await enter(
            by: "select outcome, entered from app.enter_by_device_request(\(code.id), \(code.hash), \(now))",
            saying: DeviceOutcome.self
        ) { _, tx in try await body(tx) }
    }
}
