/// A level of practice, always derived from XP and never stored beside it.
package struct Level: Hashable, Sendable {
    package let number: Int

    /// XP at which levels 1 to 10 begin; beyond, each level takes 700 more.
    /// Levels 1 to 8 are the extension's own.
    package static let thresholds = [0, 50, 150, 300, 500, 750, 1000, 1500, 2000, 2600]
    package static let stepBeyond = 700

    package init(totalXP: Int) {
        let reached = Self.thresholds.count { totalXP >= $0 }
        let last = Self.thresholds[Self.thresholds.count - 1]
        self.number = max(1, reached) + max(0, totalXP - last) / Self.stepBeyond
    }
}
