import Crypto
import Foundation
import PGClient
import Tenancy

/// That a person's state has a new version, and which of their devices made it.
///
/// It is a hint and the database has the truth: any of them may get lost, and
/// the newest stands for all before it.
struct SyncEvent: Sendable {
    let uid: UUID
    let version: Int
    /// Nil on an account that has never synced.
    let deviceID: String?
}

extension SyncEvent {
    /// The event as the database passes it on. Sealed: LISTEN needs no privilege,
    /// so whoever may connect hears the channel, and can speak on it.
    ///
    /// - Returns: at most 440 bytes of the 7999 that a notification may have.
    func sealed(with key: SymmetricKey) throws -> String? {
        let text = "\(uid.text):\(version):\(deviceID ?? "")"
        return try AES.GCM.seal(Data(text.utf8), using: key).combined?.base64URL
    }

    /// Nil for what this server, or another that has its key, did not seal.
    init?(sealed text: String, with key: SymmetricKey) {
        guard let data = Data(base64URL: text), let box = try? AES.GCM.SealedBox(combined: data),
            let opened = try? AES.GCM.open(box, using: key)
        else { return nil }
        // A device's id comes last, because it may have colons itself.
        let parts = String(decoding: opened, as: UTF8.self).split(
            separator: ":",
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard parts.count == 3, let uid = UUID(uuidString: String(parts[0])), let version = Int(parts[1])
        else { return nil }
        self.init(uid: uid, version: version, deviceID: String(parts[2]))
    }
}

extension SyncEvent {
    private struct Body: Encodable {
        let deviceId: String?
        let syncVersion: Int
    }

    /// The event as a client reads it. JSON has no line breaks, which would end
    /// the `data` early.
    func message() throws -> String {
        let body = try JSONOutput.bytes(of: Body(deviceId: deviceID, syncVersion: version))
        return "id: \(version)\nevent: sync\ndata: \(String(decoding: body, as: UTF8.self))\n\n"
    }
}

extension TenantTransaction {
    /// The newest version of the person's own state, as the event of who made it.
    func newestSync() async throws -> SyncEvent {
        let (version, deviceID) = try await queryOne(
            "select sync_version, last_device_id from app.game_state where uid = \(principal.uid)",
            as: (Int, String?).self
        )
        return SyncEvent(uid: principal.uid, version: version, deviceID: deviceID)
    }
}
