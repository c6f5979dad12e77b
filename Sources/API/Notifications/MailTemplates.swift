import Mustache

/// What is written to people: for each kind of message a subject, a text and the same in HTML.
struct MailTemplates: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case emailCode, invitation, passwordReset, passwordChanged, domainLost, domainLapsed

        /// The files in the folder Templates: subject, text, HTML.
        fileprivate var files: [[UInt8]] {
            typealias Files = PackageResources
            return switch self {
            case .emailCode:
                [
                    Files.emailCode_subject_mustache, Files.emailCode_text_mustache,
                    Files.emailCode_html_mustache,
                ]
            case .passwordReset:
                [
                    Files.passwordReset_subject_mustache, Files.passwordReset_text_mustache,
                    Files.passwordReset_html_mustache,
                ]
            case .passwordChanged:
                [
                    Files.passwordChanged_subject_mustache, Files.passwordChanged_text_mustache,
                    Files.passwordChanged_html_mustache,
                ]
            case .domainLost:
                [
                    Files.domainLost_subject_mustache, Files.domainLost_text_mustache,
                    Files.domainLost_html_mustache,
                ]
            case .domainLapsed:
                [
                    Files.domainLapsed_subject_mustache, Files.domainLapsed_text_mustache,
                    Files.domainLapsed_html_mustache,
                ]
            case .invitation:
                [
                    Files.invitation_subject_mustache, Files.invitation_text_mustache,
                    Files.invitation_html_mustache,
                ]
            }
        }
    }

    struct Written: Sendable {
        let subject, text, html: String
    }

    private let templates: [Kind: [MustacheTemplate]]

    /// - Throws: what is wrong with a template.
    init() throws {
        templates = Dictionary(
            uniqueKeysWithValues: try Kind.allCases.map { kind in
                (
                    kind,
                    try kind.files.map { try MustacheTemplate(string: String(decoding: $0, as: UTF8.self)) }
                )
            }
        )
    }

    func write(_ kind: Kind, _ values: [String: String]) -> Written {
        let parts = (templates[kind] ?? []).map { $0.render(values) }
        // The file ends in a line break, which a subject must not.
        return Written(
            subject: String(parts[0].drop(while: \.isNewline).prefix { !$0.isNewline }),
            text: parts[1],
            html: parts[2]
        )
    }
}
