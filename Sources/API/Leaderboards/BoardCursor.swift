import Crypto
import Domain
import Foundation

/// The place beside one standing, in the order of a board. Sealed: it says when
/// the standing was reached, which orders ties and is not for others to read.
struct BoardCursor: Sendable {
    let value: Double
    let achievedAt: Instant
    let entryID: UUID
    /// The page ends above it, instead of beginning below.
    let isBackward: Bool

    init(_ row: StandingRow, isBackward: Bool) {
        value = row.value
        achievedAt = row.achievedAt
        entryID = row.entryID
        self.isBackward = isBackward
    }

    /// Nil for what isn't a cursor of that board.
    init?(_ text: String, on board: String, key: SymmetricKey) {
        guard text.utf8.count < 512, let data = Data(base64URL: text),
            let box = try? AES.GCM.SealedBox(combined: data),
            let opened = try? AES.GCM.open(box, using: key, authenticating: Data(board.utf8)),
            opened.count == Self.length
        else { return nil }
        (value, achievedAt, entryID, isBackward) = opened.withUnsafeBytes { bytes in
            (
                Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))),
                Instant(
                    milliseconds: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self))
                ),
                UUID(uuid: bytes.loadUnaligned(fromByteOffset: 16, as: uuid_t.self)),
                bytes[32] != 0
            )
        }
    }

    func text(on board: String, key: SymmetricKey) throws -> String? {
        try AES.GCM.seal(bytes, using: key, authenticating: Data(board.utf8)).combined?.base64URL
    }

    private static let length = 33

    /// Value, when it was reached, whose and in which direction: nobody else reads them, so they need no names.
    private var bytes: Data {
        var bytes = Data(capacity: Self.length)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: achievedAt.milliseconds.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: entryID.uuid) { bytes.append(contentsOf: $0) }
        bytes.append(isBackward ? 1 : 0)
        return bytes
    }
}
