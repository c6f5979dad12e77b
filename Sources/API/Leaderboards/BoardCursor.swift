import Crypto
import Domain
import Foundation

/// The place beside one standing, in the order of a board. Sealed: it says when
/// the standing was reached, which orders ties and is not for others to read.
struct BoardCursor: Codable, Sendable {
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
            let cursor = try? JSONDecoder().decode(Self.self, from: opened)
        else { return nil }
        self = cursor
    }

    func text(on board: String, key: SymmetricKey) throws -> String? {
        let data = try JSONOutput.bytes(of: self)
        return try AES.GCM.seal(data, using: key, authenticating: Data(board.utf8)).combined?.base64URL
    }
}
