import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    func ownDevices(at now: Date) async throws -> [DeviceRoutes.SyncingDevice] {
        try await query(
            """
            select d.device_id, coalesce(d.chosen_name, d.name), d.time_zone, d.created_at, d.last_taken_at,
              exists (
                select from app.refresh_token t
                where t.uid = \(principal.uid) and t.family = d.family and t.expires_at > \(now)
              ),
              coalesce(d.family = \(principal.signIn), false)
            from app.device d
            where d.uid = \(principal.uid) and d.revoked_at is null
            order by d.last_taken_at desc, d.device_id
            """,
            as: (String, String, String, Instant, Instant, Bool, Bool).self
        ).map {
            DeviceRoutes.SyncingDevice(
                id: $0,
                name: $1,
                timeZone: $2,
                createdAt: $3,
                lastSyncAt: $4,
                signedIn: $5,
                current: $6
            )
        }
    }

    func renameDevice(_ id: String, to name: DeviceName?) async throws {
        try await execute(
            """
            update app.device set chosen_name = \(name?.text)
            where uid = \(principal.uid) and device_id = \(id) and revoked_at is null
            """
        )
    }

    /// Ends the sign-in that it synced by. A program's token, which is good for any device, goes on, and is refused
    /// where it syncs this one.
    /// - Returns: whether there was such a device.
    func revokeDevice(_ id: String, at now: Date) async throws -> Bool {
        try await queryOne(
            """
            with revoked as (
              update app.device set revoked_at = \(now)
              where uid = \(principal.uid) and device_id = \(id) and revoked_at is null
              returning family
            ), ended as (
              delete from app.refresh_token t using revoked r
              where t.uid = \(principal.uid) and t.family = r.family
            )
            select exists (select from revoked)
            """,
            as: Bool.self
        )
    }

    /// Notes that the device, which has its row, synced by this sign-in: that is
    /// what revoking it will end. A device that was revoked is back, unless the
    /// sign-in ended meanwhile, as it does for a sync that the revoking overtook.
    func noteDevice(_ id: String) throws {
        guard let signIn = principal.signIn else { return }
        try executeWithCommit(
            """
            update app.device set family = \(signIn), revoked_at = null
            where uid = \(principal.uid) and device_id = \(id)
              and (family is distinct from \(signIn) or revoked_at is not null)
              and exists (select from app.refresh_token where uid = \(principal.uid) and family = \(signIn))
            """
        )
    }
}
