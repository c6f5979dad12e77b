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
    private let fixture: PythonFixture
    private let file = FileManager.default.temporaryDirectory.appending(path: "mail-\(UUID()).jsonl")

    init() async throws {
        fixture = try await PythonFixture("mail-sink", file.path())
        port = try #require(Int(fixture.firstLine), "the sink's port")
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
        fixture.stop()
        try? FileManager.default.removeItem(atPath: file.path() + ".silent")
        try? FileManager.default.removeItem(at: file)
    }
}
