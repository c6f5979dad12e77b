import Domain
import Testing

struct `Boards` {
    @Test(arguments: [
        (Scope.global, ["weeklyXP", "weeklyStreak"]),
        (.friends, ["weeklyXP", "weeklyStreak", "totalSessions"]),
        (.company, ["weeklyMinutes", "weeklyConsistency", "teamChallengeParticipation"]),
    ])
    func `a scope shows its own metrics and no other`(_ scope: Scope, _ metrics: [String]) {
        #expect(scope.metrics.map(\.rawValue) == metrics)
    }

    @Test func `a company never sees what friends see`() {
        #expect(Set(Scope.company.metrics).isDisjoint(with: Scope.friends.metrics))
    }
}
