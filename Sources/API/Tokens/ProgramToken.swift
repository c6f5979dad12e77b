import Crypto
import Foundation

/// What a program comes with: whose it is, which of their tokens, and 256 secret bits. Only
/// its SHA-256 is stored.
///
/// It ends in a checksum, so that who finds one in a file, by its prefix, knows without asking
/// us whether it is one.
struct ProgramToken: Sendable {
    /// By whose word the program acts.
    enum Kind: String, Sendable {
        case person = "bm_pat_"
        case organization = "bm_org_"
    }

    let kind: Kind
    let owner: UUID
    let id: UUID
    private let secret: Data

    init(_ kind: Kind, of owner: UUID) {
        self.kind = kind
        self.owner = owner
        id = UUID()
        secret = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    }

    /// Nil for text that is none of that kind.
    init?(_ kind: Kind, _ text: String) {
        guard text.hasPrefix(kind.rawValue), text.utf8.count < 128,
            let bytes = Data(base64URL: String(text.dropFirst(kind.rawValue.count))), bytes.count == 68,
            Self.checksum(of: bytes.prefix(64)) == bytes.suffix(4)
        else { return nil }
        self.kind = kind
        owner = UUID(bytes: bytes.prefix(16))
        id = UUID(bytes: bytes.dropFirst(16).prefix(16))
        secret = Data(bytes.dropFirst(32).prefix(32))
    }

    var text: String {
        let bytes = owner.data + id.data + secret
        return kind.rawValue + (bytes + Self.checksum(of: bytes)).base64URL
    }

    var hash: [UInt8] {
        Array(SHA256.hash(data: Data(text.utf8)))
    }

    private static func checksum(of bytes: Data) -> Data {
        Data(SHA256.hash(data: bytes).prefix(4))
    }
}
