import CCurl
import Domain
import Foundation

/// Where mail goes: to a mail server, or, where none is set, to a folder, for those who try things out.
enum MailTransport: Sendable {
    case smtp(SMTP)
    case folder(URL)

    /// - Throws: ``SMTP/Refusal``, an error of the file system, or `CancellationError`.
    func send(_ mail: Mail) async throws {
        switch self {
        case .smtp(let smtp):
            try await smtp.send(mail)
        case .folder(let folder):
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            try Data(mail.encoded()).write(
                to: folder.appending(path: "\(mail.id.text).eml"),
                options: .atomic
            )
        }
    }
}

/// A mail server (RFC 5321), spoken to by libcurl on a thread of its own, one message after another.
struct SMTP: Sendable {
    /// The message was not taken.
    struct Refusal: Error, CustomStringConvertible {
        /// The code of the server's last answer (RFC 5321 §4.2); 0 where it said nothing.
        let reply: Int
        /// Whether it would be no use to ask again.
        let isForGood: Bool
        let why: String

        /// Nothing that the server wrote: that may repeat an address.
        var description: String { reply == 0 ? why : "\(why), reply \(reply)" }
    }

    let url: String
    /// Seconds for one message, from connecting to the server's answer, and as many again to part.
    let deadline: Int
    let demandsTLS: Bool
    private let thread = DispatchQueue(label: "mail")

    /// Nil for what is no URL such as `smtps://user:password@mail.example.org` or, with STARTTLS,
    /// `smtp://user:password@mail.example.org:587`. Without TLS only this machine is spoken to.
    init?(_ url: String, deadline: Int = 30) {
        guard let components = URLComponents(string: url), let host = components.host, !host.isEmpty,
            ["smtp", "smtps"].contains(components.scheme), components.query == nil,
            components.fragment == nil
        else { return nil }
        self.url = url
        self.deadline = deadline
        demandsTLS = !Curl.isThisMachine(host)
    }

    func send(_ mail: Mail) async throws {
        let message = try mail.encoded()
        try await Curl.run(on: thread) { stopped in
            try deliver(message, of: mail, until: stopped)
        }
    }

    private func deliver(_ message: [UInt8], of mail: Mail, until stopped: UnsafeMutablePointer<Int32>) throws
    {
        var reply = 0
        let result = message.withUnsafeBytes { bytes in
            bmc_send(
                url,
                demandsTLS ? 1 : 0,
                "<\(mail.from)>",
                "<\(mail.to)>",
                bytes.bindMemory(to: CChar.self).baseAddress,
                bytes.count,
                deadline,
                stopped,
                &reply
            )
        }
        switch result {
        case CURLE_OK: return
        case CURLE_ABORTED_BY_CALLBACK: throw CancellationError()
        default:
            // A server that doesn't know us is the operator's to put right, and no fault of the message.
            let isOurs = result == CURLE_LOGIN_DENIED || [530, 534, 535, 538].contains(reply)
            throw Refusal(
                reply: reply,
                isForGood: (500...599).contains(reply) && !isOurs,
                why: String(cString: curl_easy_strerror(result))
            )
        }
    }
}
