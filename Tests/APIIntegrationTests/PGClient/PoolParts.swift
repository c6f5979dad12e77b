@testable import PGClient

/// A connection, which is nothing but one that was made at some time.
final class Link: Sendable {
    let number: Int
    let birth: Instant

    init(_ number: Int = 0, at birth: Instant) {
        self.number = number
        self.birth = birth
    }
}

/// Somebody who wants a connection.
final class Guest: Sendable {
    let number: Int

    init(_ number: Int = 0) {
        self.number = number
    }
}
