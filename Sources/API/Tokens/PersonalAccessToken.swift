import Crypto
import Domain
import Foundation
import Tenancy

/// What a program of a person's own comes with: whose it is, which of their tokens, and 256
/// secret bits. Only its SHA-256 is stored.
///
/// It ends in a checksum, so that who finds one in a file, by its prefix, knows without asking
/// us whether it is one.
struct PersonalAccessToken: Sendable {
    let uid: UUID
    let id: UUID
    private let secret: Data

    init(uid: UUID) {
        self.uid = uid
        id = UUID()
        secret = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    }

    /// Nil for text that is not one of ours.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count < 128,
            let bytes = Data(base64URL: String(text.dropFirst(Self.prefix.count))), bytes.count == 68,
            Self.checksum(of: bytes.prefix(64)) == bytes.suffix(4)
        else { return nil }
        uid = UUID(bytes: bytes.prefix(16))
        id = UUID(bytes: bytes.dropFirst(16).prefix(16))
        secret = Data(bytes.dropFirst(32).prefix(32))
    }

    var text: String {
        let bytes = uid.data + id.data + secret
        return Self.prefix + (bytes + Self.checksum(of: bytes)).base64URL
    }

    var hash: [UInt8] {
        Array(SHA256.hash(data: Data(text.utf8)))
    }

    /// What `app.bind` is shown.
    func proof(for scope: TokenScope, at now: Date) -> TokenProof {
        TokenProof(id: id, hash: hash, scope: scope.rawValue, at: now)
    }

    private static let prefix = "bm_pat_"

    private static func checksum(of bytes: Data) -> Data {
        Data(SHA256.hash(data: bytes).prefix(4))
    }
}
