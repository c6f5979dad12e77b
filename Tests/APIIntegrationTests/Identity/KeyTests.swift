import Crypto
import Foundation
import HTTPTypes
import Testing

@testable import API

struct KeyTests {
    private let start = Date(timeIntervalSince1970: 1_795_574_800)

    private func ring() -> KeyRing {
        KeyRing(seed: Curve25519.Signing.PrivateKey().rawRepresentation, madeAt: start)
    }

    @Test func `a new key is known before it signs, and an old one after it did`() throws {
        let first = ring()
        let old = try #require(first.keys.first).id()
        let both = first.rotated(at: start)
        let new = try #require(both.keys.last).id()
        #expect(try both.keys.map { try $0.id() } == [old, new])
        #expect(try both.signing(at: start.addingTimeInterval(599))?.id() == old)
        #expect(try both.signing(at: start.addingTimeInterval(600))?.id() == new)

        // Soon afterwards there are tokens of both, and later only of the newer.
        #expect(both.rotated(at: start.addingTimeInterval(4199)).keys.count == 3)
        let later = both.rotated(at: start.addingTimeInterval(4200))
        #expect(try later.keys.count == 2 && later.keys.first?.id() == new)
    }

    @Test func `a key that others have seen goes at once, and what is derived stays`() throws {
        let first = ring()
        let next = first.rotated(at: start, atOnce: true)
        #expect(next.keys.count == 1)
        #expect(try next.signing(at: start)?.id() != first.keys.first?.id())
        #expect(next.derivedKey(for: "friend codes") == first.derivedKey(for: "friend codes"))
        #expect(next.derivedKey(for: "friend codes") != next.derivedKey(for: "sync events"))
    }

    @Test func `a rotation signs nobody out, and taking a key away refuses what it signed`() async throws {
        let clock = TestClock(start)
        let server = try await TestServer(clock: clock)
        try await server.run { nobody in
            func names() async throws -> [String] {
                let answer = try await nobody.send(.get, "/.well-known/jwks.json")
                return try #require(answer.json["keys"] as? [[String: String]]).compactMap { $0["kid"] }
            }
            func keyID(of client: Client) throws -> String? {
                let header = try #require(client.token?.split(separator: ".").first.map(String.init))
                let json = try JSONSerialization.jsonObject(with: try #require(Data(base64URL: header)))
                return (json as? [String: Any])?["kid"] as? String
            }
            let before = try await names()
            let (early, _) = try await nobody.newcomer()
            let both = server.keys.rotated(at: clock.now)
            try await server.server.tokens.use(both)
            #expect(try await names().count == 2)
            #expect(try await names().first == before.first)

            clock.advance(by: 601)
            let (late, _) = try await nobody.newcomer()
            #expect(try keyID(of: early) == before.first)
            #expect(try keyID(of: late) == both.keys.last?.id())
            for client in [early, late] { #expect(try await client.send(.get, "/v1/me").status == 200) }

            try await server.server.tokens.use(both.rotated(at: clock.now, atOnce: true))
            for client in [early, late] { #expect(try await client.send(.get, "/v1/me").status == 401) }
            #expect(try await names().count == 1)
        }
    }

    @Test func `the keys are made once, whoever comes first`() async throws {
        // Again and again, since two have to meet.
        for _ in 1...100 {
            try await Self.inFolder { folder in
                let secrets = try await withThrowingTaskGroup(of: Data.self) { group in
                    for _ in 1...8 { group.addTask { try KeyFile(home: folder).read().secret } }
                    return try await group.reduce(into: Set<Data>()) { $0.insert($1) }
                }
                #expect(secrets.count == 1)
            }
        }
    }

    @Test func `nobody else can read the keys, and nothing is left beside them`() async throws {
        try await Self.inFolder { folder in
            let file = KeyFile(home: folder)
            let rotated = try file.read().rotated(at: start)
            try file.replace(with: rotated)
            #expect(try file.read().keys.map(\.seed) == rotated.keys.map(\.seed))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["signing-keys.json"])
            let rights = try FileManager.default.attributesOfItem(atPath: "\(folder)/signing-keys.json")
            #expect(rights[.posixPermissions] as? Int == 0o600)
        }
    }

    /// In a folder that there is not yet, and afterwards no more.
    private static func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    @Test(arguments: ["signing-keys.json", "signing-key"])
    func `keys that are there and can't be read are not made anew`(name: String) async throws {
        try await Self.inFolder { folder in
            // Even the superuser can't read a folder as a file.
            let path = "\(folder)/\(name)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            #expect {
                try KeyFile(home: folder).read()
            } throws: { error in
                "\(error)".hasPrefix(path)
            }
        }
    }

    @Test func `the key of an earlier version stays`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let seed = Curve25519.Signing.PrivateKey().rawRepresentation
        try seed.write(to: URL(filePath: "\(folder)/signing-key"))
        let ring = try KeyFile(home: folder).read()
        #expect(ring.secret == seed)
        #expect(ring.keys.map(\.seed) == [seed])
        #expect(try ring.signing(at: start)?.id() == ring.keys.first?.id())
    }

    @Test(arguments: ["", "{}", #"{"secret":"AAAA","keys":[]}"#, String(repeating: "a", count: 32)])
    func `a file that holds no keys is refused by its name, and left alone`(text: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = "\(folder)/signing-keys.json"
        try Data(text.utf8).write(to: URL(filePath: path))
        #expect {
            try KeyFile(home: folder).read()
        } throws: { error in
            "\(error)".hasPrefix(path)
        }
        #expect(FileManager.default.contents(atPath: path) == Data(text.utf8))
    }
}
