import Domain
import Testing

struct QuotaTests {
    private let quota = Quota(3, perSeconds: 3600)

    /// What came of asking at these seconds: nothing, or how long to wait.
    private func waits(_ seconds: [Double]) -> [Int?] {
        var freeAt = 0.0
        return seconds.map { second in
            switch quota.take(freeAt: freeAt, at: second) {
            case .success(let next):
                freeAt = next
                return nil
            case .failure(let spent):
                return spent.retryAfter
            }
        }
    }

    @Test func `as many as the quota are let in at once, and the next waits for the first to come back`() {
        #expect(waits([10, 10, 10, 10]) == [nil, nil, nil, 1200])
    }

    @Test func `who waits as long as was said is let in, and who comes too soon waits no longer for it`() {
        #expect(waits([0, 0, 0, 0, 600, 1199.5, 1200, 1200]) == [nil, nil, nil, 1200, 600, 1, nil, 1200])
    }

    @Test func `however long nobody came, there is the quota and no more`() {
        #expect(waits([1e9, 1e9, 1e9, 1e9]) == [nil, nil, nil, 1200])
    }

    @Test func `a clock that goes back gives nothing away`() {
        #expect(waits([7200, 7200, 7200, 3600]) == [nil, nil, nil, 4800])
    }

    @Test func `an even stream at the rate of the quota always gets in`() {
        let quota = Quota(7, perSeconds: 60)
        var freeAt = 0.0
        for n in 0..<10_000 {
            guard case .success(let next) = quota.take(freeAt: freeAt, at: Double(n) * 60 / 7) else {
                Issue.record("the \(n)th had to wait")
                return
            }
            freeAt = next
        }
    }
}
