import CArgon2
import Crypto
import Domain
import Foundation
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization

/// Makes what a password is recognised by, and recognises it: Argon2id (RFC 9106) by libargon2.
///
/// It is slow on purpose, so it has threads of its own, and a bound on how many wait for them:
/// a flood of sign-ins holds up sign-ins, and nothing else.
final class PasswordHashing: Sendable {
    /// How much work one password is: what OWASP recommends at least for Argon2id.
    struct Cost: Sendable {
        let kibibytes: UInt32
        let passes: UInt32

        static let standard = Cost(kibibytes: 19 * 1024, passes: 2)
    }

    private static let saltBytes = 16
    private static let hashBytes = 32
    private static let mostBytes = 4 * 4 * NewPassword.length.upperBound
    /// A thread takes some tens of milliseconds for one: whoever waits longer than for these, waits too long.
    private static let mostWaiting = 64

    private let cost: Cost
    private let threads: NIOThreadPool
    private let waiting = Mutex(0)
    /// Of no password: what is compared where there is none, so that nobody takes as long as somebody.
    private let nobodys: String

    /// - Parameter count: half of the cores, so that the others answer everybody else.
    init(cost: Cost = .standard, threads count: Int = max(1, System.coreCount / 2)) throws {
        self.cost = cost
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
        nobodys = try Self.hash(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }, cost)
    }

    deinit {
        threads.shutdownGracefully { _ in }
    }

    /// In the PHC string format, with a salt of its own.
    ///
    /// - Throws: the problem `busy` where too many are waiting.
    func hash(_ password: String) async throws -> String {
        let bytes = Self.bytes(of: password)
        return try await work { [cost] in try Self.hash(bytes, cost) }
    }

    /// Whether it is the password. Takes as long where there is none to compare it with.
    ///
    /// - Throws: the problem `busy` where too many are waiting.
    func matches(_ password: String, _ phc: String?) async throws -> Bool {
        let bytes = Self.bytes(of: password)
        let isIt = try await work { [nobodys] in
            argon2id_verify(phc ?? nobodys, bytes, bytes.count) == ARGON2_OK.rawValue
        }
        return isIt && phc != nil
    }

    /// Whether it was made with less work than is asked for now.
    func isOutdated(_ phc: String) -> Bool {
        !phc.hasPrefix("$argon2id$v=19$m=\(cost.kibibytes),t=\(cost.passes),p=1$")
    }

    /// No password is longer than that, so what is cut off is of a wrong one.
    private static func bytes(of password: String) -> [UInt8] {
        Array(PasswordText.prepared(password).utf8.prefix(mostBytes + 1))
    }

    private func work<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws
        -> Result
    {
        try waiting.withLock { waiting in
            guard waiting < Self.mostWaiting else { throw Problem.busy }
            waiting += 1
        }
        defer { waiting.withLock { $0 -= 1 } }
        return try await threads.runIfActive(body)
    }

    private static func hash(_ password: [UInt8], _ cost: Cost) throws -> String {
        let salt = SymmetricKey(size: .init(bitCount: saltBytes * 8)).withUnsafeBytes { Array($0) }
        let length = argon2_encodedlen(
            cost.passes,
            cost.kibibytes,
            1,
            UInt32(saltBytes),
            UInt32(hashBytes),
            Argon2_id
        )
        var encoded = [CChar](repeating: 0, count: length)
        let result = argon2id_hash_encoded(
            cost.passes,
            cost.kibibytes,
            1,
            password,
            password.count,
            salt,
            salt.count,
            hashBytes,
            &encoded,
            length
        )
        guard result == ARGON2_OK.rawValue else { throw Problem.busy }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Problem {
    fileprivate static let busy = Problem(
        .serviceUnavailable,
        "busy",
        "Too many are signing in right now",
        retryAfter: 1
    )
}
