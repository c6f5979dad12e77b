/// How many people have each value of a stretch of a board, and how many have more than all of it: what the ranks of
/// the stretch come from, without counting the whole board.
package struct RankCounts: Sendable {
    /// The values of the stretch, the largest first, and how many people have that much or more.
    private let steps: [(value: Double, peopleWithIt: Int)]
    private let peopleAbove: Int

    /// - Parameters:
    ///   - peopleAbove: how many people have more than the largest of `values`.
    ///   - values: in any order; what is said twice of a value adds up.
    ///   - people: how many have the value at the same index. Negative where one count takes another back.
    package init(peopleAbove: Int, values: [Double], people: [Int]) {
        self.peopleAbove = peopleAbove
        var sum = peopleAbove
        steps = Dictionary(zip(values, people), uniquingKeysWith: +)
            .sorted { $0.key > $1.key }
            .map { value, people in
                sum += people
                return (value, sum)
            }
    }

    /// "1224" competition ranks: one more than how many people have more.
    package func rank(of value: Double) -> Int {
        (steps.last { $0.value > value }?.peopleWithIt ?? peopleAbove) + 1
    }
}
