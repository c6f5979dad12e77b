import ArgumentParser
import PGClient

@main
struct Breathmaster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "breathmaster",
        abstract: "The Breath Master backend.",
        subcommands: [
            Serve.self, Migrate.self, DemoCommand.self, OrganizationCommand.self, EmailCommand.self,
            AppealCommand.self, AuditCommand.self, BoardsCommand.self, KeysCommand.self, MailCommand.self,
        ]
    )

    /// Runs the command. What the database said is for the operator at the
    /// terminal; a ``PGError`` by itself would keep it for the log.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as PGError {
            exit(withError: Failure(description: error.message))
        } catch {
            exit(withError: error)
        }
    }
}

/// What keeps a command from going on, told to the person who gave it.
struct Failure: Error, CustomStringConvertible {
    let description: String
}
