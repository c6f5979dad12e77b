import ArgumentParser
import Foundation
import PGClient

/// What an operator does about mail.
struct MailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail",
        abstract: "Messages that were given up.",
        subcommands: [List.self, Retry.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Prints the messages that were given up, the oldest first: for whom and why, and not what is in them.",
            discussion: "They are kept for a week."
        )

        func run() async throws {
            for message in try await asOperator({ try await $0.deadMail(at: Date()) }) { print(message) }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a message that was given up to the servers again, as if it were new."
        )

        @Argument(help: "The message's id.", transform: parseUID) var message: UUID

        func run() async throws {
            switch try await asOperator({ try await $0.retryMail(message, at: Date()) }) {
            case "waiting": print("waiting")
            case "unknown": throw Failure(description: "no such message was given up")
            default: throw Failure(description: "what it says is over: it was good for a while only")
            }
        }
    }
}
