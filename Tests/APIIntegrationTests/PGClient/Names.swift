import Dispatch
import Foundation
public import Glibc
import Synchronization

/// Names of hosts that only these tests know.
enum Names {
    enum Answer: Sendable {
        /// The host has these addresses, and they are tried in this order.
        case addresses([String])
        /// There is no such host.
        case unknown
        /// No name server answers until it is let. It is after eight seconds in any case.
        case silence(DispatchSemaphore)
    }

    private static let answers = Mutex<[String: Answer]>([:])

    /// A new name with that answer.
    static func name(_ answer: Answer) -> String {
        let name = "\(UUID().uuidString.lowercased()).test"
        answers.withLock { $0[name] = answer }
        return name
    }

    fileprivate static func answer(_ name: String) -> Answer? {
        answers.withLock { $0[name] }
    }
}

private typealias Resolve =
    @convention(c) (
        UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?,
        UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
    ) -> Int32

/// The C library's own, which the program's comes before.
private let resolve = unsafeBitCast(
    dlsym(UnsafeMutableRawPointer(bitPattern: -1), "getaddrinfo"),
    to: Resolve.self
)

/// libpq asks `getaddrinfo`, and finds this one: a program's own functions come before those of a library.
@_cdecl("getaddrinfo")
public func resolveForTests(
    _ name: UnsafePointer<CChar>?,
    _ service: UnsafePointer<CChar>?,
    _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> Int32 {
    switch name.flatMap({ Names.answer(String(cString: $0)) }) {
    case nil:
        return resolve(name, service, hints, result)
    case .unknown:
        return EAI_NONAME
    case .silence(let semaphore):
        // Whoever is let lets the next.
        _ = semaphore.wait(timeout: .now() + 8)
        semaphore.signal()
        return EAI_AGAIN
    case .addresses(let addresses):
        var first: UnsafeMutablePointer<addrinfo>?
        for address in addresses.reversed() {
            var next: UnsafeMutablePointer<addrinfo>?
            let code = resolve(address, service, hints, &next)
            guard code == 0 else { return code }
            next?.pointee.ai_next = first
            first = next
        }
        result?.pointee = first
        return 0
    }
}
