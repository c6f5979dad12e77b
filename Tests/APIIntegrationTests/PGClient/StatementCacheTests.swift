import Testing

@testable import PGClient

@Suite(.timeLimit(.minutes(1))) struct `The statement cache` {
    private typealias Key = StatementCache.Key

    private func key(_ text: String, _ types: PGType...) -> Key {
        Key(text: Array(text.utf8), types: types)
    }

    private func written(_ name: StatementCache.Name) -> String {
        String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    @Test func `The statement whose last use is longest ago gives way, and no name is used twice`() {
        var random = SplitMix64(state: 1)
        var cache = StatementCache(bound: 8)
        // The one that was used longest ago comes first.
        var known: [(key: Key, name: String)] = []
        var names: Set<String> = []
        for _ in 0..<3_000 {
            let key = key("select \(Int.random(in: 0..<12, using: &random))")
            let index = known.firstIndex { $0.key == key }
            let entry = index.map { known.remove(at: $0) }
            if Int.random(in: 0..<20, using: &random) == 0 {
                cache.remove(key)
                continue
            }
            switch cache.use(key) {
            case .prepared(let name):
                #expect(written(name) == entry?.name)
                known.append((key, written(name)))
            case .new(let name, let evicted):
                #expect(entry == nil)
                #expect(names.insert(written(name)).inserted)
                #expect(evicted == (known.count == 8 ? known.removeFirst().name : nil))
                known.append((key, written(name)))
            }
        }
    }

    @Test func `The same text with other types is another statement`() {
        var cache = StatementCache(bound: 8)
        var names: Set<String> = []
        for key in [key("select $1"), key("select $1", .int8), key("select $1", .bool)] {
            guard case .new(let name, evicted: nil) = cache.use(key) else {
                Issue.record("\(key) isn't new")
                continue
            }
            names.insert(written(name))
        }
        #expect(names.count == 3)
    }

    @Test func `What is pinned is never given up, and takes nobody's place`() {
        var cache = StatementCache(bound: 2)
        _ = cache.use(key("commit"), isPinned: true)
        for number in 0..<10 {
            guard case .new(_, let evicted) = cache.use(key("select \(number)")) else {
                Issue.record("it isn't new")
                continue
            }
            #expect((evicted == nil) == (number < 2))
        }
        guard case .prepared = cache.use(key("commit"), isPinned: true) else {
            Issue.record("it was given up")
            return
        }
    }

    @Test func `What was forgotten is prepared anew, under another name`() {
        var cache = StatementCache(bound: 2)
        var names: [String] = []
        for text in ["select 1", "select 2", "select 1", "select 2"] {
            if names.count == 2 { cache.removeAll() }
            guard case .new(let name, evicted: nil) = cache.use(key(text)) else {
                Issue.record("\(text) isn't new")
                continue
            }
            names.append(written(name))
        }
        #expect(Set(names).count == 4)
    }
}
