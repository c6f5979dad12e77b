import CCurl
import Foundation

/// Runs libcurl's transfers, which block, on threads that may.
enum Curl {
    private static let prepared: Void = bmc_prepare()

    /// Without TLS only this machine is spoken to.
    static func isThisMachine(_ host: String?) -> Bool {
        ["localhost", "127.0.0.1", "[::1]", "::1"].contains(host)
    }

    /// - Parameter transfer: gets what tells curl to stop, which it does within a second of a cancellation.
    static func run<Result: Sendable>(
        on thread: DispatchQueue,
        _ transfer: @escaping @Sendable (_ stopped: UnsafeMutablePointer<Int32>) throws -> Result
    ) async throws -> Result {
        _ = prepared
        let stop = Stop()
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                thread.async {
                    continuation.resume(with: Swift.Result { try transfer(stop.flag) })
                }
            }
        } onCancel: {
            stop.now()
        }
    }

    /// What curl looks at from its thread while somebody else may set it.
    private final class Stop: Sendable {
        /// Safe: the integer is only touched atomically, in shim.h, and freed when nobody has the class any
        /// more; whoever runs a transfer has it until curl has returned.
        nonisolated(unsafe) let flag: UnsafeMutablePointer<Int32>

        init() {
            flag = .allocate(capacity: 1)
            flag.initialize(to: 0)
        }

        deinit {
            flag.deallocate()
        }

        func now() {
            bmc_stop(flag)
        }
    }
}
