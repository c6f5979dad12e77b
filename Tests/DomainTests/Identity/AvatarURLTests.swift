import Domain
import Testing

struct `The address of a picture` {
    @Test(arguments: [
        "https://pictures.example/ada.png", "https://pictures.example",
        "https://192.0.2.7:8443/a?size=80#face",
        "https://[2001:db8::7]/a", "https://xn--bcher-kva.example/a%20b", "https://pictures.example/@ada",
    ])
    func `is https, with a host`(text: String) {
        #expect(AvatarURL(text)?.text == text)
    }

    @Test(arguments: [
        "", "https://", "https:///ada.png", "http://pictures.example/a", "HTTPS://pictures.example/a",
        "//pictures.example/a", "javascript:alert(1)", "data:image/png;base64,AAAA", "pictures.example/a",
        "https://ada@pictures.example/a", "https://ada:secret@pictures.example/a",
        "https://@pictures.example/a",
        "https://pictures.example/a b", "https://pictures.example/\"onload=",
        "https://pictures.example\\@evil.example",
        "https://pictures.example/<a>", "https://bücher.example/a", "https://pictures.example/a\n",
        "https://pictures.example/" + String(repeating: "a", count: 2030),
    ])
    func `is nothing else`(text: String) {
        #expect(AvatarURL(text) == nil)
    }
}
