import ArgumentParser
import Foundation

/// The keys that sign access tokens.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "The keys that sign access tokens.",
        subcommands: [List.self, Rotate.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints each key's name, when it was made and what it does, the oldest first."
        )

        func run() async throws {
            for line in try lines(of: try keyFile().read(), at: Date()) { print(line) }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Makes another key. Running servers know it within a minute; it signs ten minutes later.",
            discussion: """
                Keys that nothing good is signed with any more go. Where servers don't share the folder, \
                each has to be given the file within the ten minutes.
                """
        )

        @Flag(help: "For a key that others have seen: all other keys go now. Clients have to refresh.")
        var atOnce = false

        func run() async throws {
            let (file, now) = (try keyFile(), Date())
            let ring = try file.read().rotated(at: now, atOnce: atOnce)
            try file.replace(with: ring)
            for line in try lines(of: ring, at: now) { print(line) }
        }
    }
}

private func keyFile() throws -> KeyFile {
    KeyFile(home: try Settings(environment: ProcessInfo.processInfo.environment).home)
}

private func lines(of ring: KeyRing, at now: Date) throws -> [String] {
    let signing = try ring.signing(at: now)?.id()
    return try ring.keys.map { key in
        let kid = try key.id()
        let role =
            kid == signing
            ? "signs" : key.signsFrom > now ? "signs from \(key.signsFrom.formatted(.iso8601))" : "verifies"
        return "\(kid)  made \(key.madeAt.formatted(.iso8601))  \(role)"
    }
}
