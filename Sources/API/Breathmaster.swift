import ArgumentParser

@main
struct Breathmaster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "breathmaster",
        abstract: "The Breath Master backend.",
        subcommands: [Serve.self, Migrate.self, OrganizationCommand.self, EmailCommand.self]
    )
}
