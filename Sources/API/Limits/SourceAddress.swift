import Foundation
import NIOCore

/// Where a request came from: an IPv4 address, also one that was mapped into IPv6, or an
/// IPv6 address.
struct SourceAddress: Hashable, Sendable {
    /// 4 or 16, in network order.
    private let bytes: [UInt8]

    /// This machine: what a connection without an address came from.
    static let loopback = SourceAddress(bytes: [127, 0, 0, 1])

    private init(bytes: [UInt8]) {
        let isMapped =
            bytes.count == 16 && bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10...11] == [255, 255]
        self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
    }

    /// Nil for a connection that has none, such as a Unix socket's.
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let four): self.init(bytes: withUnsafeBytes(of: four.address.sin_addr) { Array($0) })
        case .v6(let six): self.init(bytes: withUnsafeBytes(of: six.address.sin6_addr) { Array($0) })
        case .unixDomainSocket, nil: return nil
        }
    }

    /// Nil for text that is no address. One with a port, as some proxies write it, is none.
    init?(_ text: some StringProtocol) {
        // What C takes for the end of it would hide the rest.
        guard !text.utf8.contains(0), let address = try? SocketAddress(ipAddress: String(text), port: 0)
        else {
            return nil
        }
        self.init(address)
    }

    /// What counts as one source: an IPv4 address, behind which there may be many people
    /// already, or the 64 bits of an IPv6 address within which one machine has them all.
    var limited: String { network(bits: bytes.count == 4 ? 32 : 64) }

    /// What is told of it afterwards: enough to know one's own network by, and no more.
    var coarse: String { network(bits: bytes.count == 4 ? 24 : 48) }

    /// All of it.
    var text: String { network(bits: length) }

    fileprivate func begins(with prefix: SourceAddress, bits: Int) -> Bool {
        bytes.count == prefix.bytes.count && masked(bits) == prefix.masked(bits)
    }

    fileprivate var length: Int { bytes.count * 8 }

    /// Its first bits, and noughts after them.
    private func masked(_ bits: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let isLeftOut = min(8, max(0, (index + 1) * 8 - bits))
            return byte & (.max << isLeftOut)
        }
    }

    /// The network of its first bits, as Postgres reads it. Of IPv6 no more groups than there are bits for.
    fileprivate func network(bits: Int) -> String {
        let kept = masked(bits)
        guard kept.count == 16 else { return kept.map(String.init).joined(separator: ".") + "/\(bits)" }
        let groups = (0..<(bits + 15) / 16).map { group in
            String(UInt16(kept[2 * group]) << 8 | UInt16(kept[2 * group + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + (groups.count < 8 ? "::" : "") + "/\(bits)"
    }
}

/// Addresses that begin alike, such as `10.0.0.0/8`; one address, without the bits.
struct SourceNetwork: Hashable, Sendable {
    fileprivate let prefix: SourceAddress
    fileprivate let bits: Int

    /// Nil for text that is none.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let prefix = SourceAddress(first) else { return nil }
        let bits = parts.count == 2 ? Int(parts[1]) : prefix.length
        guard let bits, (0...prefix.length).contains(bits) else { return nil }
        self.prefix = prefix
        self.bits = bits
    }

    func contains(_ address: SourceAddress) -> Bool {
        address.begins(with: prefix, bits: bits)
    }

    /// With nothing behind its bits, as Postgres wants it.
    var text: String { prefix.network(bits: bits) }
}

/// The proxies whose word on whom they speak for is taken.
struct TrustedProxies: Sendable {
    private let networks: [SourceNetwork]

    /// - Parameter text: addresses and networks, such as `10.0.0.0/8, ::1`, with commas between
    ///   them. Nil where one of them is none.
    init?(_ text: String) {
        var networks: [SourceNetwork] = []
        for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            guard let network = SourceNetwork(word) else { return nil }
            networks.append(network)
        }
        self.networks = networks
    }

    /// Who asks, when `peer` does and says that it asks for others. `X-Forwarded-For` is read
    /// from its end, where the nearest proxy wrote: the first address that isn't a trusted
    /// proxy's is the source, and whatever stands before it anybody could have written.
    func source(of peer: SourceAddress, forwardedFor: [String]) -> SourceAddress {
        var source = peer
        for word in forwardedFor.flatMap({ $0.split(separator: ",") }).reversed() {
            guard isTrusted(source), let next = SourceAddress(word.trimming(while: \.isWhitespace)) else {
                break
            }
            source = next
        }
        return source
    }

    private func isTrusted(_ address: SourceAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }
}

extension Substring {
    fileprivate func trimming(while isLeftOut: (Character) -> Bool) -> Substring {
        let start = drop(while: isLeftOut)
        return start[..<(start.lastIndex { !isLeftOut($0) }.map(start.index(after:)) ?? start.startIndex)]
    }
}
