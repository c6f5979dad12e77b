import Domain
import Foundation
import Hummingbird
import Tenancy

/// `/v1/devices`: the editors that sync, what the person calls them, and an end
/// to one that was lost.
struct DeviceRoutes: Sendable {
    let database: TenantDatabase
    let now: @Sendable () -> Date

    struct SyncingDevice: Encodable, Sendable {
        let id: String
        let name: String
        let timeZone: String
        let createdAt: Instant
        /// When the newest of its exports was taken.
        let lastSyncAt: Instant
        /// Whether the sign-in by which it last synced is still good.
        let signedIn: Bool
        /// Whether it syncs by the sign-in that asks.
        let current: Bool
    }

    struct List: Encodable, Sendable {
        let devices: [SyncingDevice]
    }

    /// Null gives the device back the name by which it calls itself. A body
    /// without the member would change nothing, so it is a mistake.
    private struct Change: Decodable {
        let name: DeviceName?

        enum CodingKeys: CodingKey {
            case name
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name =
                try container.decodeNil(forKey: .name)
                ? nil : container.decode(DeviceName.self, forKey: .name)
        }
    }

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("devices")
            .get(use: devices)
            .patch(":device", use: renameDevice)
            .delete(":device", use: revokeDevice)
    }

    /// `GET /v1/devices`: the newest sync first.
    @Sendable func devices(_ request: Request, in context: MemberContext) async throws -> Response {
        let devices = try await database.read(as: context.principal) { tx in
            try await tx.ownDevices(at: now())
        }
        return try JSON.response(List(devices: devices))
    }

    /// `PATCH /v1/devices/{device}`
    @Sendable func renameDevice(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.label("device")
        let change = try await JSON.decode(Change.self, from: request)
        let devices = try await database.write(as: context.principal) { tx in
            try await tx.renameDevice(id, to: change.name)
            return try await tx.ownDevices(at: now())
        }
        guard let device = devices.first(where: { $0.id == id }) else { throw Problem.notFound }
        return try JSON.response(device)
    }

    /// `DELETE /v1/devices/{device}`: ends its sign-in, and with it its tokens, at
    /// once. Its practice stays the person's.
    @Sendable func revokeDevice(_ request: Request, in context: MemberContext) async throws -> Response {
        let id = try context.parameters.label("device")
        let revoked = try await database.write(as: context.principal) { tx in
            let revoked = try await tx.revokeDevice(id, at: now())
            if revoked { try tx.record(.deviceRevoked, by: context.origin, at: now()) }
            return revoked
        }
        guard revoked else { throw Problem.notFound }
        return Response(status: .noContent)
    }
}

extension Parameters {
    /// What an editor named, in the path: any text, in the form in which sync keeps it. What can't be such a name is one
    /// that doesn't exist.
    func label(_ name: String) throws -> String {
        guard let text = get(name)?.removingPercentEncoding, !text.utf8.contains(0) else {
            throw Problem.notFound
        }
        return text.precomposedStringWithCanonicalMapping
    }
}
