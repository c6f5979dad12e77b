import Foundation
import HTTPTypes
import PGClient
import Testing

/// Two transactions of one person at the same moment, in the order that hurts.
struct RaceTests {
    @Test func `who opts out while joining is not shown to the company`() async throws {
        try await withMember { server, uid, company in
            _ = try await server.asSuperuser { tx in
                try await tx.execute("delete from app.member where uid = \(uid)")
            }
            try await server.race(
                first: "update app.user set company_board = false where uid = \(uid)",
                then:
                    "select app.join_organization(\(company), app.joining_agreement(\(company), now()), \(origin))",
                as: uid
            )
            let shown = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select count(*) from app.company_standing where uid = \(uid)",
                    as: Int.self
                )
            }
            #expect(shown == 0)
        }
    }

    @Test func `leaving while a sync projects is no error, and leaves nothing behind`() async throws {
        try await withMember { server, uid, company in
            try await server.race(
                first: "select app.end_membership(\(company), \(uid), \(origin))",
                then: "update app.user set share_streaks = false where uid = \(uid)",
                as: uid
            )
            let shown = try await server.asSuperuser { tx in
                try await tx.queryOne(
                    "select count(*) from app.company_standing where uid = \(uid)",
                    as: Int.self
                )
            }
            #expect(shown == 0)
        }
    }

    @Test func `of two requests at the same moment, one has the last place`() async throws {
        let server = try await TestServer()
        try await server.run { nobody in
            let ada = try await nobody.newcomer()
            try await server.crowd(around: ada.uid, 99, accepted: false)
            var others: [UUID] = []
            for _ in 1...2 {
                let (other, uid) = try await nobody.newcomer()
                _ = try await other.send(.patch, "/v1/me", ["privacy": ["allowFriendRequests": true]])
                others.append(try #require(UUID(uuidString: uid)))
            }
            let error = await #expect(throws: PGError.self) {
                try await server.race(
                    first: "select app.befriend(\(others[0]))",
                    then: "select app.befriend(\(others[1]))",
                    as: try #require(UUID(uuidString: ada.uid))
                )
            }
            #expect(error?.constraint == "friend_request_limit_reached")
        }
    }

    private let origin: SQL = "row(gen_random_uuid(), '', now())::app.origin"

    private func withMember(_ body: @Sendable (TestServer, UUID, UUID) async throws -> Void) async throws {
        let clock = TestClock()
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            let (_, owner) = try await nobody.newcomer()
            let acme = try await server.company("Acme", owner: owner)
            let (ben, text) = try await nobody.practitioner("Ben", at: clock.now)
            try await server.recordEmail(of: text, "ben@\(acme.domain)")
            _ = try await ben.join(acme.id)
            let uid = try #require(UUID(uuidString: text))
            try await body(server, uid, try #require(UUID(uuidString: acme.id)))
        }
    }
}
