import Foundation
import Tenancy
import Testing

@testable import API

struct VerifiedTokensTests {
    private let access = Access(principal: Principal(uid: UUID()), endsAt: .distantFuture)

    @Test func `one that is used again and again is kept, however many others come`() {
        let tokens = VerifiedTokens(limit: 8)
        tokens.add(access, for: "mine")
        for other in 0..<100 {
            tokens.add(access, for: "\(other)")
            #expect(tokens.access(by: "mine") != nil)
        }
    }

    @Test func `no more are kept than the limit`() {
        let tokens = VerifiedTokens(limit: 8)
        let names = (0..<100).map { "\($0)" }
        for name in names { tokens.add(access, for: name) }
        let kept = names.filter { tokens.access(by: $0) != nil }
        #expect((1...8).contains(kept.count))
        #expect(kept.last == "99")
    }
}
