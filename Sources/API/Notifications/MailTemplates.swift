import Mustache

/// What is written to people: for each kind of message a subject, a text and the same in HTML.
struct MailTemplates: Sendable {
    enum Kind: String, Sendable {
        case emailCode
    }

    struct Written: Sendable {
        let subject, text, html: String
    }

    private let subject, text, html: MustacheTemplate

    /// - Throws: what is wrong with a template.
    init() throws {
        subject = try Self.template(PackageResources.emailCode_subject_mustache)
        text = try Self.template(PackageResources.emailCode_text_mustache)
        html = try Self.template(PackageResources.emailCode_html_mustache)
    }

    func write(_ kind: Kind, _ values: [String: String]) -> Written {
        switch kind {
        case .emailCode:
            // The file ends in a line break, which a subject must not.
            Written(
                subject: String(subject.render(values).drop(while: \.isNewline).prefix { !$0.isNewline }),
                text: text.render(values),
                html: html.render(values)
            )
        }
    }

    private static func template(_ bytes: [UInt8]) throws -> MustacheTemplate {
        try MustacheTemplate(string: String(decoding: bytes, as: UTF8.self))
    }
}
