/// What the extension asks with (product brief, `presentSyncInvitation`). It comes
/// with the gate's answer, so that the words are ours to mend without a release of
/// the extension, and so that it can ask before anybody has an account.
package struct Invitation: Hashable, Sendable, Encodable {
    package let title: String
    package let message: String
    /// What is unlocked, one line each.
    package let features: [String]
    package let question: String
    /// The answers, of which only the first enables anything.
    package let choices: [String]

    package static let toSync = Invitation(
        title: "Congratulations on reaching Level 5!",
        message: "You've unlocked cloud sync features:",
        features: [
            "Cross-device progress synchronization",
            "Global leaderboards (privacy-first)",
            "Community challenges & sharing",
            "Optional email reminders",
            "Advanced analytics dashboard",
        ],
        question: "Ready to sync your mindfulness journey?",
        choices: ["Enable Cloud Sync", "Stay Local Only", "Learn More"]
    )
}
