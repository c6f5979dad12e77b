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
        await note(token.id, at: now, logger: logger) { [database] today in
            try await database.write(as: Principal(uid: token.uid)) { tx in
                try await tx.noteUse(of: token, on: today)
            }
        }
    }

    /// The same of an organization's key.
    func note(_ key: OrganizationPrincipal, at now: Date, logger: Logger) async {
        await note(key.keyID, at: now, logger: logger) { [database] today in
            try await database.write(as: key) { tx in
                try await tx.noteUse(on: today)
            }
        }
    }

    private func note(
        _ id: UUID,
        at now: Date,
        logger: Logger,
        by write: (LocalDay) async throws -> Void
    ) async {
        let today = LocalDay(daysSince1970: Int32((now.timeIntervalSince1970 / 86_400).rounded(.down)))
        guard noted.withLock({ $0[id] != today }) else { return }
        do {
            try await write(today)
        } catch {
            logger.warning("a token's use was not noted", metadata: ["error": "\(error)"])
            return
        }
        noted.withLock { noted in
            if noted.count >= Self.limit { noted = [:] }
            noted[id] = today
        }
    }
}
