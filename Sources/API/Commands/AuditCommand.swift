import ArgumentParser
import Foundation
import PGClient

/// The records of what was done to companies.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "The records of what was done to companies.",
        subcommands: [Verify.self]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tells whether a company's record is what was written; fails where it isn't.",
            discussion: """
                Each line holds a hash of itself and the one before. Whoever can write the whole table \
                could write all of them anew: so keep what this prints somewhere else, and compare.
                """
        )

        @Argument(help: "The company's id.", transform: parseUID) var organization: UUID

        func run() async throws {
            let verdict = try await asOperator { try await $0.verifyOrganizationEvents(of: organization) }
            if let wrong = verdict.wrong {
                throw Failure(description: "line \(wrong): \(verdict.why ?? "it is wrong")")
            }
            print("\(verdict.events) lines, the last is \(verdict.lastNumber) \(verdict.lastHash)")
        }
    }
}
