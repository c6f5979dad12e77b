import Testing

@testable import Domain

struct `A display name` {
    @Test(arguments: [
        "Ada", "Zo\u{EB}", "山田 太郎", "नमस्ते",
        // A joiner within emoji, and what keeps letters apart in Persian.
        "\u{1F469}\u{200D}\u{1F4BB}", "Ada \u{1F469}\u{200D}\u{1F4BB}", "علی\u{200C}رضا",
        // Flags of a country and of a region, and the choice of a picture for a heart.
        "\u{1F1E9}\u{1F1EA}",
        "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}", "\u{2764}\u{FE0F}",
    ])
    func `is in any script, and may have emoji`(_ name: String) {
        #expect(DisplayName(name)?.text == name)
    }

    @Test func `has up to 40 characters as readers count them, of up to 160 code points`() {
        let joined = "\u{1F469}\u{200D}\u{1F4BB}"
        #expect(DisplayName(String(repeating: joined, count: 40)) != nil)
        #expect(DisplayName(String(repeating: joined, count: 41)) == nil)
        #expect(DisplayName(String(repeating: "a", count: 41)) == nil)
        #expect(DisplayName("x" + String(repeating: "\u{325}", count: 159)) != nil)
        #expect(DisplayName("x" + String(repeating: "\u{325}", count: 160)) == nil)
    }

    @Test(arguments: [
        "", "  ", "\u{200D}", "\u{200C}Ada", "Ada\u{200D}",
        // Marks, a choice of picture and a filler show nothing by themselves.
        "\u{301}", "\u{FE0F}", "\u{3164}",
    ])
    func `shows something, and joins nothing to what is outside`(_ name: String) {
        #expect(DisplayName(name) == nil)
    }

    @Test(arguments: [
        "\u{7}", "\n", "\u{AD}", "\u{61C}", "\u{200B}", "\u{200E}", "\u{200F}", "\u{2028}", "\u{2029}",
        "\u{202A}",
        "\u{202E}", "\u{2060}", "\u{2066}", "\u{2069}", "\u{FEFF}", "\u{E000}",
        // Letters that only a flag has, without one.
        "\u{E0067}", "\u{E0067}\u{E0062}\u{E0073}\u{E007F}",
    ])
    func `has nothing that hides, moves or reorders the rest`(_ hidden: String) {
        #expect(DisplayName("A\(hidden)da") == nil)
    }

    @Test func `has no text in a flag that no region has`() {
        let flag = "\u{1F3F4}"
        #expect(DisplayName(flag) != nil)
        #expect(DisplayName("\(flag)\u{E0067}\u{E0062}\u{E007F}") == nil)
        #expect(DisplayName("\(flag)\u{E0067}\u{E0062}\u{E0073}") == nil)
        #expect(DisplayName("\(flag)\(String(repeating: "\u{E0061}", count: 7))\u{E007F}") == nil)
    }

    @Test func `is kept in normal form C, without space around it`() {
        #expect(
            DisplayName(" Zoe\u{308} ").map { Array($0.text.unicodeScalars) }
                == Array("Zo\u{EB}".unicodeScalars)
        )
    }
}
