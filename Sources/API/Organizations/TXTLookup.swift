import CDomains
import Foundation

/// Looks texts up in the DNS, by the C library's resolver. It has no way to wait but to block, so it does
/// that on threads of its own.
struct TXTLookup: Sendable {
    /// Nobody who knows has answered.
    struct Unanswered: Error {}

    private static let threads = DispatchQueue(label: "dns", attributes: .concurrent)
    private static let mostBytes = 65_536

    private let server: (address: String, port: UInt16)?

    /// Whom `/etc/resolv.conf` names.
    static let ofThisMachine = TXTLookup(server: nil)

    private init(server: (String, UInt16)?) {
        self.server = server
    }

    /// Nil for what is no IPv4 address such as 127.0.0.1 or, with a port, 127.0.0.1:5353.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), SourceAddress(parts[0]) != nil else { return nil }
        guard let port = parts.count == 2 ? UInt16(parts[1]) : 53, port > 0 else { return nil }
        server = (String(parts[0]), port)
    }

    /// One for each record; none where the name has none.
    ///
    /// - Throws: ``Unanswered``.
    func texts(of name: String) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            Self.threads.async {
                continuation.resume(with: Result { try lookUp(name) })
            }
        }
    }

    private func lookUp(_ name: String) throws -> [String] {
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Self.mostBytes)
        defer { buffer.deallocate() }
        let written = Int(
            bmd_texts(name, server?.address, server?.port ?? 0, buffer.baseAddress, Int32(buffer.count))
        )
        if written == Int(bmd_none) { return [] }
        guard written >= 0 else { throw Unanswered() }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<written])
            .split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
