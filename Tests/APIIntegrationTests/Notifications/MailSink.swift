import Foundation
import Testing

/// A real mail server, for as long as a test runs; Fixtures/mail-sink.py says what it does.
struct MailSink {
    struct Received: Decodable {
        let from: String
        let to: [String]
        let user: String?
        let data: String
    }

    let port: Int
    private let process = Process()
    private let file = FileManager.default.temporaryDirectory.appending(path: "mail-\(UUID()).jsonl")

    init() async throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let python =
            ProcessInfo.processInfo.environment["TEST_PYTHON"]
            ?? root.appending(path: ".breathmaster/tools/bin/python").path()
        let script = try #require(
            Bundle.module.path(forResource: "mail-sink", ofType: "py", inDirectory: "Fixtures")
        )
        process.executableURL = URL(filePath: python)
        process.arguments = [script, file.path()]
        let output = Pipe()
        process.standardInput = Pipe()
        process.standardOutput = output
        try process.run()
        let reader = output.fileHandleForReading
        let line = try await blocking { String(decoding: reader.availableData, as: UTF8.self) }
        port = try #require(
            Int(line.trimmingCharacters(in: .whitespacesAndNewlines)),
            "the sink's port"
        )
    }

    func url(user: String = "") -> String { "smtp://\(user)127.0.0.1:\(port)" }

    /// What it has taken: it tells of a message before it answers, so nothing is on its way.
    func received() throws -> [Received] {
        guard let data = FileManager.default.contents(atPath: file.path()) else { return [] }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        return try lines.map { try JSONDecoder().decode(Received.self, from: $0) }
    }

    /// Whether it keeps somebody waiting.
    var isSilent: Bool { FileManager.default.fileExists(atPath: file.path() + ".silent") }

    func stop() {
        process.terminate()
        try? FileManager.default.removeItem(atPath: file.path() + ".silent")
        try? FileManager.default.removeItem(at: file)
    }
}
