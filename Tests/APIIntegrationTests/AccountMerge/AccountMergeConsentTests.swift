import Foundation
import HTTPTypes
import Testing

/// Who has to say yes before two accounts become one, and for how long that holds.
struct AccountMergeConsentTests {
    @Test func `who has a password says it before the account ends`() async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, uid) = try await nobody.newcomer()
            let password = "a quiet lake at dawn"
            #expect(try await ada.send(.put, "/v1/me/password", ["password": password]).status == 204)
            let refused = try await ada.merge(into: ben)
            #expect(refused.status == 422)
            #expect(refused.json["field"] as? String == "currentPassword")
            #expect(try await ada.confirmMerge(into: uid, password: password).status == 200)
        }
    }

    @Test func `a code is nobody's after half an hour, when it was taken back, and for the one who shows it`()
        async throws
    {
        let clock = TestClock()
        try await TestServer(clock: clock, keepsTokens: true, isAlone: true).run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, benID) = try await nobody.newcomer()
            let first = try await ada.openMerge()
            #expect(try await ada.send(.post, "/v1/me/merges/\(first)").status == 404)
            #expect(try await ada.send(.delete, "/v1/me/merge").status == 204)
            #expect(try await ben.send(.get, "/v1/me/merges/\(first)").status == 404)
            let second = try await ada.openMerge()
            #expect(try await ben.send(.post, "/v1/me/merges/\(second)").status == 204)
            clock.advance(by: 1800)
            #expect(try await ben.send(.get, "/v1/me/merges/\(second)").status == 404)
            #expect(try await ada.send(.get, "/v1/me/merge").status == 404)
            #expect(
                try await ada.confirmMerge(into: benID).json["code"] as? String == "merge_not_agreed"
            )
            #expect(try await ben.send(.get, "/v1/me/merges/nonsense").status == 404)
        }
    }

    @Test func `who agrees first is the one, and another ask begins anew`() async throws {
        try await TestServer().run { nobody in
            let (ada, _) = try await nobody.newcomer()
            let (ben, benID) = try await nobody.newcomer()
            let (eve, _) = try await nobody.newcomer()
            let code = try await ada.openMerge()
            #expect(try await ben.send(.post, "/v1/me/merges/\(code)").status == 204)
            #expect(try await eve.send(.post, "/v1/me/merges/\(code)").status == 404)
            #expect(try await eve.send(.get, "/v1/me/merges/\(code)").status == 404)
            #expect(try await ben.send(.post, "/v1/me/merges/\(code)").status == 204)
            #expect(try await ben.send(.delete, "/v1/me/merge").status == 204)
            #expect(try await ada.confirmMerge(into: benID).status == 409)
            let again = try await ada.openMerge()
            #expect(try await ben.send(.post, "/v1/me/merges/\(again)").status == 204)
            _ = try await ada.openMerge()
            #expect(try await ada.confirmMerge(into: benID).status == 409)
        }
    }
}
