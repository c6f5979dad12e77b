import Testing

@testable import Domain

struct `Ranks from counts` {
    @Test func `a rank is one more than how many people have more`() {
        let counts = RankCounts(peopleAbove: 10, values: [7, 9, 5], people: [2, 1, 4])
        #expect([9, 7, 5].map(counts.rank(of:)) == [11, 12, 14])
    }

    @Test func `what is said twice of a value adds up, and what was taken back doesn't count`() {
        let counts = RankCounts(peopleAbove: 0, values: [9, 9, 8, 8, 7], people: [3, 2, 4, -4, 1])
        #expect([9, 8, 7].map(counts.rank(of:)) == [1, 6, 6])
    }

    @Test func `a stretch with nobody in it begins below those above`() {
        #expect(RankCounts(peopleAbove: 3, values: [], people: []).rank(of: 0) == 4)
    }

    @Test(arguments: 1...100)
    func `ranks are those that counting everybody gives`(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let board = (0..<50).map { _ in Double(Int.random(in: 0..<30, using: &generator)) }
        let top = Double(Int.random(in: 0..<30, using: &generator))
        let stretch = board.filter { $0 <= top }.shuffled(using: &generator)
        let counts = RankCounts(
            peopleAbove: board.count { $0 > top },
            values: stretch,
            people: stretch.map { _ in 1 }
        )
        for value in stretch {
            #expect(counts.rank(of: value) == board.count { $0 > value } + 1)
        }
    }
}
