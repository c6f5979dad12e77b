import ArgumentParser
import Domain
import Foundation
import PGClient
import Tenancy

/// What an operator decides about sessions in quarantine.
struct AppealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "appeal",
        abstract: "Appeals for sessions in quarantine.",
        subcommands: [List.self, Decide.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a person's appeals, as JSON in lines. The log tells whose wait."
        )

        @Argument(help: "Whose.", transform: parseUID) var uid: UUID

        func run() async throws {
            let appeals = try await asOperator(on: uid) { try await $0.appeals(for: nil) }
            for appeal in appeals { print(String(decoding: try JSONOutput.bytes(of: appeal), as: UTF8.self)) }
        }
    }

    struct Decide: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decides an appeal, once. An accepted session counts from then on, on its own day."
        )

        enum Decision: String, ExpressibleByArgument {
            case accept
            case decline
        }

        @Argument(help: "Whose session.", transform: parseUID) var uid: UUID
        @Argument(help: "The device.") var device: String
        @Argument(help: "The session.") var session: String
        @Argument(help: "When it started, as the device labelled it.", transform: parseInstant) var startedAt:
            Instant
        @Argument(help: "accept or decline.") var decision: Decision
        @Option(help: "Your name, for the record.") var by: String
        @Option(help: "What the person is told.") var note: String?

        func run() async throws {
            let key = Session.Key(deviceID: device, sessionID: session, startedAt: startedAt)
            try await asOperator(on: uid) { tx in
                try await tx.decide(
                    key,
                    accepted: decision == .accept,
                    by: by,
                    note: note,
                    at: Instant(Date())
                )
            }
            print("\(decision == .accept ? "accepted" : "declined")")
        }
    }
}

@Sendable private func parseInstant(_ text: String) throws -> Instant {
    guard let instant = Instant(text) else {
        throw ValidationError("\(text) is not an RFC 3339 date and time")
    }
    return instant
}
