import Foundation
import HTTPTypes
import PGClient
import Testing

@testable import API

/// The counts of people by value that global ranks come from.
struct GlobalCountTests {
    private struct Member {
        let client: Client
        /// By one point, in the same bucket.
        let isAhead: Bool
    }

    @Test func `whoever comes to the same value at the same moment is counted once, while counts are folded`()
        async throws
    {
        // A Sunday.
        let clock = TestClock(try Date("2089-05-22T12:00:00Z", strategy: .iso8601))
        let server = try await TestServer(clock: clock, isAlone: true)
        try await server.run { nobody in
            let everyone = try await withThrowingTaskGroup(
                of: Member?.self,
                returning: [Member].self
            ) { group in
                for number in 0..<24 {
                    group.addTask {
                        let (client, _) = try await nobody.practitioner("P\(number)", at: clock.now)
                        let isAhead = number.isMultiple(of: 2)
                        var phone = BatchDevice("phone", of: client)
                        for (sitting, cycles) in [20, isAhead ? 21 : 20].enumerated() {
                            let start = clock.now.addingTimeInterval(
                                Double(-3 * 86_400 + (1 + sitting) * 1200)
                            )
                            let answer = try await phone.sync([
                                Practice.session(startedAt: start, cycles: cycles)
                            ])
                            try #require(answer.outcomes == ["sessions 0 accepted"])
                        }
                        return Member(client: client, isAhead: isAhead)
                    }
                }
                for _ in 0..<3 {
                    group.addTask {
                        for _ in 0..<25 {
                            _ = try await server.server.pool.transaction { tx in
                                try await tx.queryOne("select app.fold_global_tally(5)", as: Int.self)
                            }
                        }
                        return nil
                    }
                }
                var everyone: [Member] = []
                for try await case let member? in group { everyone.append(member) }
                return everyone
            }

            func expectRanks() async throws {
                for member in everyone {
                    // Of so short a page, the ranks come from the counts.
                    let page = try await member.client.send(.get, "/v1/leaderboards/global?limit=1").json
                    let me = try #require(page["me"] as? [String: Any], "\(page)")
                    #expect(page["total"] as? Int == 24)
                    #expect(me["value"] as? Int == (member.isAhead ? 996 : 995))
                    #expect(me["rank"] as? Int == (member.isAhead ? 1 : 13))
                }
            }
            try await expectRanks()
            try await TallyFolding(pool: server.server.pool).fold()
            try await expectRanks()
            let counts = try await server.asSuperuser { tx in
                try await tx.query(
                    """
                    select format('%s to %s: %s', bucket * width, (bucket + 1) * width - 1, people)
                    from app.global_tally
                      join (values (0, 1), (1, 128)) as levels (level, width) using (level)
                    where period = '2089-W20' and metric = 'weekly_xp' and people <> 0
                    order by bucket * width, level
                    """,
                    as: String.self
                )
            }
            #expect(counts == ["896 to 1023: 24", "995 to 995: 12", "996 to 996: 12"])
            #expect(try await server.boardDifferences() == [])
        }
    }
}
