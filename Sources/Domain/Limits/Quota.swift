/// So many within so long, whenever that began: the window slides, and what was spent
/// comes back one by one.
package struct Quota: Hashable, Sendable {
    package let count: Int
    /// In seconds.
    package let window: Int

    package init(_ count: Int, perSeconds window: Int) {
        self.count = count
        self.window = window
    }

    /// The moment at which the whole quota is there again, after one more was taken; the
    /// seconds to wait, where none is left. That one moment is all that there is to keep:
    /// the generic cell rate algorithm (ITU-T I.371, annex A.1), as `app.take` has it.
    ///
    /// - Parameters: moments are seconds since any same moment.
    package func take(freeAt: Double, at now: Double) -> Result<Double, Spent> {
        let next = max(freeAt, now) + Double(window) / Double(count)
        let excess = next - (now + Double(window))
        // What is added up in binary fractions may miss by less than anybody could wait.
        guard excess > 1e-3 else { return .success(next) }
        return .failure(Spent(retryAfter: max(1, Int(excess.rounded(.up)))))
    }

    /// There is none left.
    package struct Spent: Error, Hashable {
        /// In seconds, at least one.
        package let retryAfter: Int
    }
}
