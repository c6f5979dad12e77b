import Domain
import Foundation

/// One message, as a mail server takes it (RFC 5322): text and HTML of the same.
struct Mail: Sendable {
    /// A header would have had a control character in it, with which it could end early.
    struct Malformed: Error {
        let header: String
    }

    /// The same however often the message is sent, so that a mailbox can tell.
    let id: UUID
    let from: EmailAddress
    let to: EmailAddress
    let subject: String
    let text: String
    let html: String
    let writtenAt: Date

    /// Every line ends in CRLF and none begins with what curl or a mail server would take for more
    /// than text; nothing is beyond ASCII.
    ///
    /// - Throws: ``Malformed`` for a subject with a control character.
    func encoded() throws -> [UInt8] {
        let boundary = "=_\(id.text)"
        var lines = [
            try header("From", "Breath Master <\(from)>"),
            try header("To", "<\(to)>"),
            try header("Subject", Self.encodedWords(subject)),
            try header("Date", Self.date(writtenAt)),
            try header("Message-ID", "<\(id.text)@\(from.domain)>"),
            // Nobody's out-of-office note is wanted (RFC 3834).
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative;", " boundary=\"\(boundary)\"",
            "",
        ]
        for (type, body) in [("plain", text), ("html", html)] {
            lines += [
                "--\(boundary)", "Content-Type: text/\(type); charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable", "",
            ]
            lines += Self.quotedPrintable(body)
        }
        lines += ["--\(boundary)--", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    private func header(_ name: String, _ value: String) throws -> String {
        // A folded header has line breaks, all of which are ours and none of which ends it.
        let unfolded = value.replacing("\r\n ", with: " ")
        guard unfolded.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else { throw Malformed(header: name) }
        return "\(name): \(value)"
    }

    /// As it is where it can be, in encoded words otherwise (RFC 2047).
    static func encodedWords(_ text: String) -> String {
        // ASCII goes as it is, and so does what no header may have, which is then refused there.
        let hasControl = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        if hasControl || (text.utf8.allSatisfy { $0 < 0x80 } && !text.contains("=?")) { return text }
        var words: [String] = []
        var word: [UInt8] = []
        for character in text.unicodeScalars {
            // 75 signs for a word: 12 of them are around it, 45 bytes make 60.
            if word.count + UTF8.width(character) > 45 {
                words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=")
                word = []
            }
            word += Array(String(character).utf8)
        }
        words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=")
        return words.joined(separator: "\r\n ")
    }

    /// Lines of at most 76 signs, whatever ended the lines of `text` (RFC 2045 §6.7).
    static func quotedPrintable(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).flatMap { line in
            var lines: [String] = []
            var current = ""
            let bytes = Array(line.utf8)
            for (index, byte) in bytes.enumerated() {
                let isBlankAtTheEnd = byte == 0x20 && index == bytes.count - 1
                let isPlain = (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "=") && !isBlankAtTheEnd
                if current.utf8.count + (isPlain ? 1 : 3) > 75 {
                    lines.append(current + "=")
                    current = ""
                }
                // A dot at the beginning of a line is the end of a message to a mail server.
                let isDotInFront = byte == UInt8(ascii: ".") && current.isEmpty
                let signs =
                    isPlain && !isDotInFront
                    ? String(UnicodeScalar(byte)) : "=" + String(format: "%02X", byte)
                current += signs
            }
            return lines + [current]
        }
    }

    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss Z"
        return formatter.string(from: date)
    }
}
