import Crypto
import Foundation

/// Where the keys are kept: one file, readable by its owner alone, that is there as a whole or not at all.
struct KeyFile: Sendable {
    let home: String

    private var path: String { "\(home)/signing-keys.json" }

    /// Reads the keys, and makes them at the first start. Two programs that start at once end up with the same.
    ///
    /// - Throws: ``Settings/Malformed``, by the name of the file.
    func read(at now: Date = Date()) throws -> KeyRing {
        if let ring = try stored() { return ring }
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let first = try firstKey(at: now)
        let draft = try write(first)
        defer { unlink(draft) }
        // A link, unlike a rename, takes nobody's place.
        guard link(draft, path) == 0 || errno == EEXIST, let ring = try stored() else { throw unwritable }
        return ring
    }

    /// Puts another ring in the place of the one before.
    func replace(with ring: KeyRing) throws {
        let draft = try write(ring)
        guard rename(draft, path) == 0 else {
            unlink(draft)
            throw unwritable
        }
    }

    private func stored() throws -> KeyRing? {
        guard let text = try contents(of: path) else { return nil }
        guard let ring = try? Self.decoder.decode(KeyRing.self, from: text), ring.secret.count == 32,
            !ring.keys.isEmpty, ring.keys.allSatisfy({ (try? $0.signing()) != nil })
        else { throw Settings.Malformed(name: path, why: "does not hold signing keys") }
        return ring
    }

    /// Nil where there is no such file. One that only can't be read is not made anew: that would sign
    /// everybody out.
    private func contents(of path: String) throws -> Data? {
        do {
            return try Data(contentsOf: URL(filePath: path))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            return nil
        } catch {
            throw Settings.Malformed(name: path, why: "can't be read")
        }
    }

    /// The one key of an earlier version stays, and with it everybody's sign-in.
    private func firstKey(at now: Date) throws -> KeyRing {
        let earlier = "\(home)/signing-key"
        guard let seed = try contents(of: earlier) else {
            return KeyRing(seed: Curve25519.Signing.PrivateKey().rawRepresentation, madeAt: now)
        }
        guard seed.count == 32 else {
            throw Settings.Malformed(name: earlier, why: "is not a signing key of 32 bytes")
        }
        return KeyRing(seed: seed, madeAt: now)
    }

    /// A file beside it that is on the disk, with its rights, before it gets the name.
    private func write(_ ring: KeyRing) throws -> String {
        let draft = "\(path).\(UUID().uuidString)"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw unwritable }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: try Self.encoder.encode(ring))
            try file.synchronize()
            try file.close()
        } catch {
            unlink(draft)
            throw unwritable
        }
        return draft
    }

    private var unwritable: Settings.Malformed { Settings.Malformed(name: path, why: "can't be written") }

    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return encoder
    }()

    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }()
}
