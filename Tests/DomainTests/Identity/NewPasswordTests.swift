import Domain
import Testing

struct NewPasswordTests {
    private let common = CommonPasswords(["password", "dragon", "qwertyuiopas"])

    @Test(arguments: [
        "correct horse battery", "ünïcödé wörds", "陽が沈む静かな海の上の月", "🧘🧘🏽🌬️🌲🍃🌊🪷🕊️🌿☁️🌙⭐️", "8417 2960 5531",
    ])
    func `twelve characters of any kind make a password`(text: String) throws {
        #expect(throws: Never.self) { try NewPassword(text, common: common) }
    }

    @Test func `eleven characters are too few and 257 too many`() {
        #expect(throws: NewPassword.Refusal.self) { try NewPassword("elevencharz", common: common) }
        let longest = String(repeating: "breathe in, breathe out. ", count: 11).prefix(256)
        #expect(throws: Never.self) { try NewPassword(String(longest), common: common) }
        #expect(throws: NewPassword.Refusal.self) { try NewPassword("\(longest)x", common: common) }
        // One character, by the eye; not for a byte count.
        let piled = "a" + String(repeating: "\u{0301}", count: 2000) + "bcdefghijklmn"
        #expect(throws: NewPassword.Refusal.self) { try NewPassword(piled, common: common) }
    }

    @Test(arguments: [
        "qwertyuiopas", "QwertyUIopas", "password1234!", "1234Dragon5678", "abababababab", "aaaaaaaaaaaa",
        "abcdefghijklm", "zyxwvutsrqpon", "12345678901234",
    ])
    func `what everybody tries first is none`(text: String) {
        #expect(throws: NewPassword.Refusal.self) { try NewPassword(text, common: common) }
    }

    @Test func `an address is no secret`() throws {
        let address = try #require(EmailAddress("ada.lovelace.1815@home.example"))
        for text in ["ada.lovelace.1815@home.example", "Ada.Lovelace.1815"] {
            #expect(throws: NewPassword.Refusal.self) {
                try NewPassword(text, common: common, address: address)
            }
        }
    }

    @Test func `the same signs are the same password, however they were composed`() throws {
        let composed = try NewPassword("caf\u{00E9} au lait noir", common: common)
        let decomposed = try NewPassword("cafe\u{0301}\u{00A0}au lait noir", common: common)
        #expect(Array(composed.text.unicodeScalars) == Array(decomposed.text.unicodeScalars))
    }
}
