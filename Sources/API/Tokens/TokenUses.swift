import Domain
import Foundation
import Logging
import Synchronization
import Tenancy

/// Notes on which day a token was last used: once a day, by whichever server sees it first. What was
/// noted is remembered, so that no other request of that day costs anything.
final class TokenUses: Sendable {
    /// The most that is remembered, at about fifty bytes each.
    private static let limit = 20_000

    private let database: TenantDatabase
    private let noted = Mutex<[UUID: LocalDay]>([:])

    init(database: TenantDatabase) {
        self.database = database
    }

    /// After an answer was found by it. Not worth an error: the next one notes it.
    func note(_ token: PersonalAccessToken, at now: Date, logger: Logger) async {
        let today = LocalDay(daysSince1970: Int32((now.timeIntervalSince1970 / 86_400).rounded(.down)))
        guard noted.withLock({ $0[token.id] != today }) else { return }
        do {
            try await database.write(as: Principal(uid: token.uid)) { tx in
                try await tx.noteUse(of: token, on: today)
            }
        } catch {
            logger.warning("a token's use was not noted", metadata: ["error": "\(error)"])
            return
        }
        noted.withLock { noted in
            if noted.count >= Self.limit { noted = [:] }
            noted[token.id] = today
        }
    }
}
