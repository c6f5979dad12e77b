import Domain
import Testing

struct FriendCodeTests {
    @Test(arguments: [
        (UInt64.min, "BM-000000-000000"), (UInt64.max, "BM-ZZZZZZ-ZZZZZZ"),
        (0b00001_00010_00011_00100_00101_00110_00111_01000_01001_01010_01011_01100_0000, "BM-123456-789ABC"),
        (15, "BM-000000-000000"), (16, "BM-000000-000001"),
    ])
    func `a code has sixty bits of its secret`(secret: UInt64, text: String) {
        #expect(FriendCode(secret: secret).description == text)
    }

    @Test(arguments: [
        "BM-10ABCD-EFGH01", "bm-10abcd-efgh01", "BMIOABCDEFGHO1", " bm l0abcd\u{A0}efghol",
    ])
    func `a code is the same however it is typed`(typed: String) {
        #expect(FriendCode(typed)?.description == "BM-10ABCD-EFGH01")
    }

    @Test(arguments: [
        "", "BM", "10ABCD-EFGH01", "BM-10ABCD-EFGH0", "BM-10ABCD-EFGH012", "BM-10ABCD-EFGHU1",
        "XX-10ABCD-EFGH01",
        "BM-10ABCD-EFGH0\u{660}", "BM-10ABCD-EFGH0\u{0}", "BM_10ABCD_EFGH01",
    ])
    func `what can't be a code is none`(typed: String) {
        #expect(FriendCode(typed) == nil)
    }

    @Test func `a code is read as it was written`() {
        for shift in 0..<64 {
            let code = FriendCode(secret: 0x9E37_79B9_7F4A_7C15 &<< UInt64(shift))
            #expect(FriendCode(code.description) == code)
        }
    }
}
