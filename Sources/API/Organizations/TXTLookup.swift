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

    /// Nil for what is no IP address such as 127.0.0.1 or ::1 or, with a port, 127.0.0.1:5353 or [::1]:5353.
    init?(_ text: String) {
        var (address, port) = (text[...], "53"[...])
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[end...].dropFirst()
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            address = text[..<end].dropFirst()
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if SourceAddress(text) == nil, let colon = text.firstIndex(of: ":") {
            (address, port) = (text[..<colon], text[colon...].dropFirst())
        }
        guard SourceAddress(address) != nil, let port = UInt16(port), port > 0 else { return nil }
        server = (String(address), port)
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
