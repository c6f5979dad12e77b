#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The statements that are prepared on one connection, by text and parameter types; the least recently used
/// is given up for a new one.
struct StatementCache {
    /// What a prepared statement is known by. The hash is computed once, since the same is asked of every connection.
    struct Key: Hashable, Sendable {
        private let text: [UInt8]
        private let types: [PGType]
        private let hash: Int

        init(text: [UInt8], types: [PGType]) {
            self.text = text
            self.types = types
            var hasher = Hasher()
            text.withUnsafeBytes { hasher.combine(bytes: $0) }
            hasher.combine(types)
            hash = hasher.finalize()
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(hash)
        }

        /// By one call for all of the text: arrays are compared byte by byte.
        static func == (left: Key, right: Key) -> Bool {
            left.hash == right.hash && left.types == right.types && left.text.count == right.text.count
                && memcmp(left.text, right.text, left.text.count) == 0
        }
    }

    /// A name as libpq takes it, so that it isn't converted each time.
    typealias Name = ContiguousArray<CChar>

    private struct Entry {
        let number: UInt64
        let name: Name
        var lastUse: UInt64
        /// Never given up: it has to be there also in a transaction that has failed, in which nothing can be
        /// removed.
        let isPinned: Bool
    }

    private let bound: Int
    private var entries: [Key: Entry] = [:]
    private var pinned = 0
    private var uses: UInt64 = 0
    private var names: UInt64 = 0
    /// Names are this connection's own: behind a pooler a session may be several clients', and what one has
    /// prepared must never be what another executes.
    private let prefix = "pgc_" + String(UInt64.random(in: 0...UInt64.max), radix: 36) + "_"

    init(bound: Int) {
        self.bound = bound
    }

    enum Lookup {
        case prepared(name: Name)
        /// To be prepared under the name, after the evicted one has been removed.
        case new(name: Name, evicted: String?)
    }

    /// The statement's name; a new one counts as prepared from now on, since what is sent after it is
    /// executed after it. ``remove(_:)`` takes it back if preparing fails.
    mutating func use(_ key: Key, isPinned: Bool = false) -> Lookup {
        uses += 1
        if let index = entries.index(forKey: key) {
            entries.values[index].lastUse = uses
            return .prepared(name: entries.values[index].name)
        }
        var evicted: String?
        if !isPinned, entries.count - pinned >= bound, let oldest = oldest {
            evicted = name(oldest.value.number)
            entries[oldest.key] = nil
        }
        names += 1
        // Never the same name twice, so a statement that was forgotten here can't be mistaken for a new one.
        let name = self.name(names).utf8CString
        entries[key] = Entry(number: names, name: name, lastUse: uses, isPinned: isPinned)
        if isPinned { pinned += 1 }
        return .new(name: name, evicted: evicted)
    }

    private var oldest: (key: Key, value: Entry)? {
        entries.filter { !$0.value.isPinned }.min { $0.value.lastUse < $1.value.lastUse }
    }

    private func name(_ number: UInt64) -> String { "\(prefix)\(number)" }

    mutating func remove(_ key: Key) {
        if entries.removeValue(forKey: key)?.isPinned == true { pinned -= 1 }
    }

    mutating func removeAll() {
        entries.removeAll()
        pinned = 0
    }
}
